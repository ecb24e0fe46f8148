"""The agenda of a participant, and the page that moves or cancels an encounter."""

from __future__ import annotations

from datetime import datetime

from fastapi import APIRouter, Request
from starlette.responses import Response

from services.portal.domain.agenda import ShownEntry, current_and_next, shown_agenda
from services.portal.domain.effects import ShownEffects
from services.portal.domain.hours import free_slots, hours_of
from services.portal.domain.requests import ending_answers
from services.portal.pages.context import NoSuchPage, Person, context_of
from services.portal.pages.forms import checked_form
from services.portal.pages.person.common import ANY_EFFECTS, PersonView
from services.portal.registration import Reply
from shared.contract.waiting_phrases import WAITING_PHRASES
from shared.contract.waiting_sentences import WaitingWords, sentences_of

router = APIRouter()


@router.get("/agenda")
async def show_agenda(request: Request, person: Person) -> Response:
    """Show the participant's agenda by day, with the present and the next entry."""
    view = await PersonView.of(request, person)
    agenda, now = shown_agenda(view.picture, person.id), context_of(request).clock()
    entries = [entry for day in agenda.days for entry in day.entries]
    on, coming = current_and_next(entries, now)
    return view.page("agenda.html.j2", agenda=agenda, now=now, on=on, coming=coming, waiting=_waiting_texts(view))


@router.get("/agenda/{encounter_id}")
async def show_ways_out(request: Request, person: Person, encounter_id: str) -> Response:
    """Show the effects of an absence from an encounter: of another time, and of a cancellation."""
    view = await PersonView.of(request, person)
    entry = _coming_encounter(view, encounter_id, context_of(request).clock())
    later = await view.try_change({"available": _hours_without(view, entry)})
    partners = _partners_in(view, entry)
    answers = ending_answers(view.picture, person.id, partners)
    cancelled: ShownEffects | Reply | None = None
    if len(answers) == 1:
        cancelled = await view.tried("POST", f"/match-requests/{answers[0][0]}/{answers[0][1]}")
    return view.page(
        "ways_out.html.j2",
        entry=entry,
        partners=partners,
        later=later if isinstance(later, ShownEffects) else None,
        refused="" if isinstance(later, ShownEffects) else later.fault,
        cancelled=cancelled if isinstance(cancelled, ShownEffects) else None,
    )


@router.post("/agenda/{encounter_id}")
async def leave_encounter(request: Request, person: Person, encounter_id: str) -> Response:
    """Have an encounter moved away from its time, or cancel it."""
    form, view = await checked_form(request, person), await PersonView.of(request, person)
    entry = _coming_encounter(view, encounter_id, context_of(request).clock())
    confirmed = form.get("effects") or ANY_EFFECTS
    if form.get("do") == "later":
        reply = await view.change({"available": _hours_without(view, entry)}, view.me.revision, confirmed)
    elif form.get("do") == "cancel" and _partners_in(view, entry):
        reply = await _cancel(view, _partners_in(view, entry))
    else:
        raise NoSuchPage(encounter_id)
    return view.saved(reply, "/agenda" if reply.is_success else f"/agenda/{encounter_id}")


async def _cancel(view: PersonView, partners: tuple[str, ...]) -> Reply:
    """Answer all requests behind an encounter, so that it is cancelled; without a request, decline the partner.

    Answers may be repeated, so that a form that is sent again completes what a crash has left.
    """
    reply = Reply(204)
    answers = ending_answers(view.picture, view.person.id, partners)
    for request_id, answer in answers:
        reply = await view.ask("POST", f"/match-requests/{request_id}/{answer}", query={"token": ANY_EFFECTS})
        if not reply.is_success:
            return reply
    if not answers:
        declined = [*dict.fromkeys((*view.me.declined_ids, *partners))]
        reply = await view.change({"declined_ids": declined}, view.me.revision, ANY_EFFECTS)
    return reply


def _coming_encounter(view: PersonView, encounter_id: str, now: datetime) -> ShownEntry:
    """Return an encounter of the agenda that has not begun. Raises `NoSuchPage`."""
    agenda = shown_agenda(view.picture, view.person.id)
    for entry in (entry for day in agenda.days for entry in day.entries):
        if entry.entry_id == encounter_id and entry.people and entry.starts_at > now:
            return entry
    raise NoSuchPage(encounter_id)


def _partners_in(view: PersonView, entry: ShownEntry) -> tuple[str, ...]:
    """Return the partner of an encounter; empty if the participant is a guest."""
    encounter = view.picture.encounters.get(entry.entry_id)
    pair = encounter.participant_ids if encounter else (view.person.id, *entry.partner_ids[:1])
    return tuple(member for member in pair if member != view.person.id) if view.person.id in pair else ()


def _hours_without(view: PersonView, entry: ShownEntry) -> list[dict[str, str]]:
    """Return the participant's hours without the time of an encounter."""
    taken = {
        slot.index for slot in view.edition.slots if slot.starts_at < entry.ends_at and entry.starts_at < slot.ends_at
    }
    return hours_of(view.edition.slots, free_slots(view.edition, view.me) - taken)


def _waiting_texts(view: PersonView) -> dict[str, tuple[str, ...]]:
    """Return the sentences about waiting encounters, by id."""
    writer, language, picture = context_of(view.request).writer, view.language, view.picture
    words = WaitingWords(
        person=lambda person_id: picture.participants[person_id].name if person_id in picture.participants else "?",
        zone=picture.zone_name,
        time=lambda moment: writer.day_and_time(moment, language, view.edition.timezone),
    )
    agenda = picture.agendas.get(view.person.id)
    return {
        waiting.encounter_id: sentences_of(waiting.reason, waiting.remedy, WAITING_PHRASES[language], words)
        for waiting in (agenda.waiting if agenda else ())
    }
