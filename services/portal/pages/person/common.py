"""Parts that all pages of a participant share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.effects import ShownEffects, shown_effects
from services.portal.domain.picture import EditionPicture
from services.portal.pages.context import NoSuchPage, context_of, picture_for
from services.portal.pages.languages import language_of
from services.portal.registration import RegistrationAway, Reply
from services.portal.visitors import Visitor
from shared.contract.events import EditionChanged, Language, ParticipantChanged

#: Confirms any effects: for a change whose effects cannot be told now.
ANY_EFFECTS = "*"


@dataclass(frozen=True)
class PersonView:
    """A request of a signed-in participant, with the picture of the edition."""

    request: Request
    person: Visitor
    picture: EditionPicture
    edition: EditionChanged
    me: ParticipantChanged

    @classmethod
    async def of(cls, request: Request, person: Visitor) -> PersonView:
        """Return the view of a request. Raises `NoSuchPage` while the participant is not known yet."""
        picture = await picture_for(request, person, next(iter(person.editions or ()), ""))
        me = picture.participants.get(person.id)
        if picture.edition is None or me is None:
            raise NoSuchPage(person.id)
        return cls(request, person, picture, picture.edition, me)

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language_of(self.request, self.picture, self.person.id)

    @property
    def own_path(self) -> str:
        """The path of the participant at registration."""
        return f"/v1/editions/{self.edition.edition_id}/participants/{self.person.id}"

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page. `said` in the address names the outcome of the form before."""
        common: dict[str, object] = {
            "edition": self.edition,
            "me": self.me,
            "token": self.person.form_token,
            "number": self.picture.number,
            "path": self.request.url.path,
            "said": self.request.query_params.get("said", "")[:20],
            "language_name": self.language,
        }
        writer = context_of(self.request).writer
        return writer.page(f"participant/{template}", self.language, common | values, self.edition.timezone, status)

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - as `ask`
    ) -> Reply:
        """Ask registration as the participant; `path` is below the participant."""
        registration = context_of(self.request).registration
        return await registration.ask(method, self.own_path + path, self.person.credential, body, **options)

    async def change(self, body: Mapping[str, Any], revision: int, token: str) -> Reply:
        """Change own facts, with the effects that the token confirms."""
        return await self.ask("PATCH", "/own", body, revision=revision, query={"token": token})

    async def try_change(self, body: Mapping[str, Any]) -> ShownEffects | Reply:
        """Return the effects of a change of own facts, or the refusal. If they cannot be told, any are confirmed."""
        return await self.tried("PATCH", "/own", body, revision=self.me.revision)

    async def tried(
        self, method: str, path: str, body: Mapping[str, Any] | None = None, revision: int | None = None
    ) -> ShownEffects | Reply:
        """Return the effects of a request below the participant, or the refusal."""
        try:
            reply = await self.ask(method, path, body, revision=revision, query={"dry_run": "true"})
        except RegistrationAway:
            return shown_effects(self.picture, {"token": ANY_EFFECTS})
        return shown_effects(self.picture, reply.body, self.person.id) if reply.is_success else reply

    def saved(self, reply: Reply, path: str) -> Response:
        """Return to a page, with the outcome of a form."""
        said = "done" if reply.is_success else "changed" if reply.is_overtaken else "refused"
        return RedirectResponse(f"{path}?said={said}", 303)
