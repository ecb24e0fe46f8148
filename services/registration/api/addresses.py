"""Endpoints of a participant's new address, and the page at which its mailed link arrives.

A link scanner that opens the link changes nothing: GET shows a button, and the POST of the button confirms.
"""

from __future__ import annotations

from html import escape
from typing import Annotated
from urllib.parse import parse_qs

from fastapi import APIRouter, Depends, FastAPI, Request, Response
from starlette.routing import Route

from services.registration.api.access import CurrentService, PathId, context_of
from services.registration.api.bodies import body_docs, body_of, read_body
from services.registration.api.replies import reply
from services.registration.api.rights import needs
from services.registration.api.sign_in import FORM_BYTES, page
from services.registration.domain.errors import Conflict
from services.registration.domain.participant import Participant
from services.registration.use_cases.addresses import AddressFacts, AddressLinkEnded, AddressService, confirm_by_link
from shared.access import Action
from shared.runtime.refused_keys import RefusalsBySource

router = APIRouter(prefix="/editions/{edition_id}/participants/{participant_id}/address", tags=["participants"])
_LONGEST_LINK = 400


async def _addresses(request: Request, service: CurrentService) -> AddressService:
    return AddressService(service, context_of(request).address_mailer)


CurrentAddresses = Annotated[AddressService, Depends(_addresses)]


@router.put("", response_model=Participant, openapi_extra=body_docs(AddressFacts))
@needs(Action.CHANGE_PARTIES)
async def ask_for_address(
    addresses: CurrentAddresses,
    edition_id: PathId,
    participant_id: PathId,
    facts: Annotated[AddressFacts, body_of(AddressFacts)],
) -> Response:
    """Ask a new address to confirm itself: it gets a mail with a link, and the present address is told.

    Mails go to the present address until then, and `pending_address` shows the new one. The link works once, for three
    days. A repeated request mails another link, and ends the link before. The present address itself ends the wait.
    """
    return reply(await addresses.ask(edition_id, participant_id, facts))


@router.delete("", response_model=Participant)
@needs(Action.CHANGE_PARTIES)
async def withdraw_address(addresses: CurrentAddresses, edition_id: PathId, participant_id: PathId) -> Response:
    """Withdraw a new address that was not confirmed: its link ends. A repeated request changes nothing."""
    return reply(await addresses.withdraw(edition_id, participant_id))


@router.post("/confirmation", response_model=Participant)
@needs(Action.CHANGE_PARTIES)
async def confirm_address(addresses: CurrentAddresses, edition_id: PathId, participant_id: PathId) -> Response:
    """Confirm a new address on behalf of the participant. The history has the author of the request.

    The answer is 409 if no address is pending, or another participant has it meanwhile.
    """
    return reply(await addresses.confirm(edition_id, participant_id))


def add_address_page(app: FastAPI) -> None:
    """Add `GET /confirm-address`, at which a mailed link arrives, and the `POST` of its button."""
    context = app.state.context
    refusals = RefusalsBySource(context.monotonic)

    async def show(request: Request) -> Response:
        link = request.query_params.get("link", "")[:_LONGEST_LINK]
        return page(
            "Confirm your address",
            '<form method="post" action="confirm-address">'
            f'<input type="hidden" name="link" value="{escape(link)}"><button>Confirm this address</button></form>',
        )

    async def confirm(request: Request) -> Response:
        source = request.client.host if request.client else ""
        form = parse_qs((await read_body(request, FORM_BYTES)).decode(errors="replace"))
        if refusals.wait(source):
            return page("Not confirmed", "<p>Too many links from your address were refused: try again later.</p>", 429)
        try:
            participant = await confirm_by_link(context.store, context.clock, form.get("link", [""])[0][:_LONGEST_LINK])
        except AddressLinkEnded as ended:
            refusals.refuse(source, "address_link")
            return page("Not confirmed", f"<p>{escape(str(ended))}</p>", 403)
        except Conflict:
            return page("Not confirmed", "<p>The address cannot be used now: ask the organiser.</p>", 409)
        return page("Address confirmed", f"<p>Your mails go to {escape(participant.email)} from now on.</p>")

    app.router.routes.extend((Route("/confirm-address", show), Route("/confirm-address", confirm, methods=["POST"])))
