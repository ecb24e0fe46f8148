"""The language of a page: that of the participant, or of the browser."""

from __future__ import annotations

from babel import negotiate_locale
from starlette.requests import Request

from services.portal.domain.picture import EditionPicture
from shared.contract.events import Language


def language_of(request: Request, picture: EditionPicture | None = None, participant_id: str | None = None) -> Language:
    """Return the language that was chosen on the page, else that of the participant, else that of the browser."""
    chosen = request.query_params.get("lang", "")
    if chosen in set(Language):
        return Language(chosen)
    participant = picture.participants.get(participant_id) if picture and participant_id else None
    if participant is not None:
        return participant.languages[0]
    wanted = [part.split(";")[0].strip() for part in request.headers.get("accept-language", "")[:200].split(",")]
    found = negotiate_locale(wanted, list(Language), sep="-")
    return Language(found) if found else Language.ENGLISH
