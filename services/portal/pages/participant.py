"""Pages of a participant: the agenda, and the requests."""

from __future__ import annotations

from fastapi import APIRouter, Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.agenda import current_and_next, shown_agenda
from services.portal.domain.picture import EditionPicture
from services.portal.domain.requests import shown_requests
from services.portal.pages.context import NoSuchPage, Person, context_of, picture_for
from services.portal.pages.forms import checked_form
from services.portal.pages.languages import language_of
from services.portal.visitors import Visitor
from shared.contract.waiting_phrases import WAITING_PHRASES
from shared.contract.waiting_sentences import WaitingWords, sentences_of

router = APIRouter()


@router.get("/agenda")
async def show_agenda(request: Request, person: Person) -> Response:
    """Show the participant's agenda by day, with the present and the next entry."""
    picture = await _picture(request, person)
    agenda, now = shown_agenda(picture, person.id), context_of(request).clock()
    entries = [entry for day in agenda.days for entry in day.entries]
    on, coming = current_and_next(entries, now)
    return _page(
        request,
        person,
        picture,
        "participant/agenda.html.j2",
        agenda=agenda,
        now=now,
        on=on,
        coming=coming,
        waiting=_waiting_texts(request, picture, person.id),
    )


@router.get("/requests")
async def show_requests(request: Request, person: Person, said: str = "") -> Response:
    """Show the requests that wait for the participant's answer, and the sent requests."""
    picture = await _picture(request, person)
    found = shown_requests(picture, person.id)
    return _page(request, person, picture, "participant/requests.html.j2", requests=found, said=said[:40])


@router.post("/requests/{request_id}")
async def answer_request(request: Request, person: Person, request_id: str) -> Response:
    """Accept, decline or withdraw a request, as the participant."""
    form = await checked_form(request, person)
    verb = {"accept": "acceptance", "decline": "refusal", "withdraw": "withdrawal"}.get(form.get("do", ""))
    edition_id = _edition_of(person)
    picture = await _picture(request, person)
    if verb is None or request_id not in {found.request_id for found in picture.requests_of(person.id)}:
        raise NoSuchPage(request_id)
    reply = await context_of(request).registration.ask(
        "POST",
        f"/v1/editions/{edition_id}/participants/{person.id}/match-requests/{request_id}/{verb}",
        person.credential,
    )
    said = "done" if reply.is_success else "refused"
    return RedirectResponse(f"/requests?said={said}", 303)


def _edition_of(person: Visitor) -> str:
    return next(iter(person.editions or ()), "")


async def _picture(request: Request, person: Visitor) -> EditionPicture:
    return await picture_for(request, person, _edition_of(person))


def _waiting_texts(request: Request, picture: EditionPicture, participant_id: str) -> dict[str, tuple[str, ...]]:
    """Return the sentences about waiting encounters, by id."""
    language = language_of(request, picture, participant_id)
    writer = context_of(request).writer
    timezone = picture.edition.timezone if picture.edition else "UTC"
    words = WaitingWords(
        person=lambda person_id: picture.participants[person_id].name if person_id in picture.participants else "?",
        zone=picture.zone_name,
        time=lambda moment: writer.day_and_time(moment, language, timezone),
    )
    agenda = picture.agendas.get(participant_id)
    return {
        waiting.encounter_id: sentences_of(waiting.reason, waiting.remedy, WAITING_PHRASES[language], words)
        for waiting in (agenda.waiting if agenda else ())
    }


def _page(request: Request, person: Visitor, picture: EditionPicture, template: str, **values: object) -> Response:
    language = language_of(request, picture, person.id)
    timezone = picture.edition.timezone if picture.edition else "UTC"
    common: dict[str, object] = {
        "edition": picture.edition,
        "me": picture.participants.get(person.id),
        "token": person.form_token,
    }
    common |= {"number": picture.number, "path": request.url.path}
    return context_of(request).writer.page(template, language, common | values, timezone)
