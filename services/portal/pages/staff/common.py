"""Parts that all pages of staff share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from services.portal.domain.effects import shown_effects
from services.portal.domain.picture import EditionPicture
from services.portal.pages.context import NoSuchPage, context_of, picture_for
from services.portal.pages.forms import FormFields
from services.portal.pages.languages import language_of
from services.portal.registration import RegistrationAway, Reply
from services.portal.visitors import Visitor
from shared.access import Action
from shared.contract.events import EditionChanged, Language


@dataclass(frozen=True)
class StaffChange:
    """A change that staff ask for: the request to registration, and the page to return to."""

    method: str
    path: str
    body: Mapping[str, Any] | None
    back: str
    revision: int | None = None


@dataclass(frozen=True)
class StaffView:
    """A request of signed-in staff, with the picture of an edition."""

    request: Request
    staff: Visitor
    picture: EditionPicture
    edition: EditionChanged

    @classmethod
    async def of(cls, request: Request, staff: Visitor, edition_id: str, action: Action) -> StaffView:
        """Return the view of a request. Raises `NoSuchPage` without the right to the action."""
        if not staff.may(action, edition_id):
            raise NoSuchPage(edition_id)
        picture = await picture_for(request, staff, edition_id)
        if picture.edition is None:
            raise NoSuchPage(edition_id)
        return cls(request, staff, picture, picture.edition)

    @property
    def language(self) -> Language:
        """The language of the page."""
        return language_of(self.request)

    @property
    def address(self) -> str:
        """The address of the edition's pages."""
        return f"/editions/{self.edition.edition_id}"

    def page(self, template: str, status: int = 200, **values: object) -> Response:
        """Return a page. `said` in the address names the outcome of the form before."""
        common: dict[str, object] = {
            "edition": self.edition,
            "staff": self.staff,
            "token": self.staff.form_token,
            "number": self.picture.number,
            "path": self.request.url.path,
            "action": Action,
            "address": self.address,
            "said": self.request.query_params.get("said", "")[:20],
        }
        writer = context_of(self.request).writer
        return writer.page(f"staff/{template}", self.language, common | values, self.edition.timezone, status)

    async def ask(
        self,
        method: str,
        path: str,
        body: Mapping[str, Any] | None = None,
        **options: Any,  # noqa: ANN401 - as `ask`
    ) -> Reply:
        """Ask registration as the member of staff; `path` is below the edition."""
        whole = f"/v1/editions/{self.edition.edition_id}{path}"
        return await context_of(self.request).registration.ask(method, whole, self.staff.credential, body, **options)

    async def confirmed(
        self, form: FormFields, change: StaffChange, fields: Sequence[tuple[str, str]] = ()
    ) -> Response:
        """Make a change whose effects the form confirms; without a confirmation show its effects, with a form for it.

        `fields` repeat the first form in that form.
        """
        if not (token := form.get("effects", "")):
            return await self._shown(change, fields)
        reply = await self.ask(
            change.method, change.path, change.body, revision=change.revision, query={"token": token}
        )
        if reply.is_overtaken:
            return await self._shown(change, fields, is_overtaken=True)
        return self.done(reply, change.back)

    def done(self, reply: Reply, back: str) -> Response:
        """Return to a page after a change, or show why it was not made."""
        if not reply.is_success:
            return self.page("not_done.html.j2", 409, fault=reply.fault, back=back)
        return RedirectResponse(f"{back}{'&' if '?' in back else '?'}said=done", 303)

    async def _shown(
        self, change: StaffChange, fields: Sequence[tuple[str, str]], *, is_overtaken: bool = False
    ) -> Response:
        try:
            reply = await self.ask(
                change.method, change.path, change.body, revision=change.revision, query={"dry_run": "true"}
            )
        except RegistrationAway:
            effects = shown_effects(self.picture, {"token": "*"})
        else:
            if not reply.is_success:
                return self.done(reply, change.back)
            effects = shown_effects(self.picture, reply.body)
        return self.page("confirm.html.j2", effects=effects, fields=fields, back=change.back, is_overtaken=is_overtaken)
