"""Preview of a change of facts: the decision itself, on a copy of the edition's state that is thrown away."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from pydantic_core import to_json

from services.scheduler.aggregate import AgendaAggregate, publishing
from services.scheduler.domain.snapshots import PublishedEncounter
from services.scheduler.domain.state import AgendaState
from shared.contract.events import (
    AffinityScored,
    AgendaChange,
    AgendaChanged,
    EditionChanged,
    Event,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.events.agenda import content_of
from shared.contract.spelling import is_spelt_alike
from shared.internal_api.edits import EncounterEffect
from shared.internal_api.previews import MOST_LISTED, MOST_MAILED, FactsPreview, PreviewCounts

_DIGITS = 32
_KINDS = ("moved", "placed", "waiting", "cancelled")


class Behind(Exception):
    """The state has not received the revision that a change of facts is based on."""


class BaseOutdated(Exception):
    """The state has received a revision of the thing that is as new as the change of facts."""


def must_be_at_base(state: AgendaState, events: Iterable[Event]) -> None:
    """Compare the state with the revisions that changes of facts are based on.

    Raises:
        Behind: a base is newer than the state.
        BaseOutdated: a base is older than the state.
    """
    for event in events:
        known = _known_revision(state, event)
        if known < event.revision - 1:
            raise Behind(f"{event.thing} is at revision {known} here, and the change is based on {event.revision - 1}")
        if known >= event.revision:
            raise BaseOutdated(f"{event.thing} is at revision {known} already")


def preview_of(state: AgendaState, events: Sequence[Event], now: datetime) -> FactsPreview:
    """Decide on changes of facts and return the effects. The state is changed: pass a copy.

    Raises:
        Behind, BaseOutdated: as `must_be_at_base`.
    """
    must_be_at_base(state, events)
    _published(state, now)
    announced, before = state.announced, dict(state.encounters)
    encounters = len(state.placements)
    decision = AgendaAggregate().decide(state, events, now)
    published = [*decision.outbox, *_published(state, now)]
    changed = {
        pair_id: encounter for pair_id, encounter in state.encounters.items() if encounter is not before.get(pair_id)
    }
    effects: dict[str, list[EncounterEffect]] = {kind: [] for kind in _KINDS}
    for pair_id in sorted(changed):
        kind = _kind_of(before.get(pair_id), changed[pair_id])
        if kind is not None:
            effects[kind].append(_effect(state, pair_id, before.get(pair_id), changed[pair_id]))
    mailed = sorted(
        event.participant_id
        for event in published
        if isinstance(event, AgendaChanged) and any(map(_is_news, event.changes)) and not event.provisional
    )
    return _summary(effects, mailed, announced=announced, encounters=encounters)


def _summary(
    effects: Mapping[str, Sequence[EncounterEffect]], mailed: Sequence[str], *, announced: bool, encounters: int
) -> FactsPreview:
    people = {
        participant_id
        for kind in ("moved", "waiting")
        for effect in effects[kind]
        for participant_id in effect.participant_ids_before
    }
    counts = PreviewCounts(
        encounters=encounters,
        **{kind: len(effects[kind]) for kind in _KINDS},
        people=len(people),
        mailed=len(mailed),
    )
    return FactsPreview(
        effects=hashlib.sha256(to_json([dict(effects), mailed])).hexdigest()[:_DIGITS],
        announced=announced,
        counts=counts,
        **{kind: tuple(effects[kind][:MOST_LISTED]) for kind in _KINDS},
        mailed=tuple(mailed[:MOST_MAILED]),
    )


def _kind_of(before: PublishedEncounter | None, after: PublishedEncounter) -> str | None:
    """Return the kind of effect on an encounter; None if its place and people stay."""
    if before is None or before.place is None:
        return "placed" if after.place else None
    if after.place is None:
        return "waiting" if after.reason else "cancelled"
    return None if before.is_arranged_like(after) else "moved"


def _effect(
    state: AgendaState, pair_id: str, before: PublishedEncounter | None, after: PublishedEncounter
) -> EncounterEffect:
    matched = state.pairs[pair_id].matched
    return EncounterEffect(
        encounter_id=state.encounter_id(pair_id),
        before=before and before.place,
        after=after.place,
        participant_ids_before=(before and before.people) or matched,
        participant_ids_after=after.people or matched,
        waiting_reason=after.reason,
        is_locked=after.is_locked,
        comes_after=tuple(sorted(map(state.encounter_id, after.comes_after))),
    )


def _is_news(change: AgendaChange) -> bool:
    """Tell whether a change of an entry is mailed: another spelling of a session's title is not."""
    before, after = change.before, change.after
    if before is None or after is None or not is_spelt_alike(before.title, after.title):
        return True
    return content_of(before.model_copy(update={"title": after.title})) != content_of(after)


def _published(state: AgendaState, now: datetime) -> list[Event]:
    """Publish on the copy all that is not published yet: an entry of the journal holds a part of it."""
    events: list[Event] = []
    while (decision := publishing(state, now)).changes:
        events += decision.outbox
    return events


def _known_revision(state: AgendaState, event: Event) -> int:
    known: object = None
    if isinstance(event, EditionChanged):
        known = state.edition
    elif isinstance(event, OrganisationChanged):
        known = state.organisations.get(event.organisation_id)
    elif isinstance(event, ParticipantChanged):
        known = state.participants.get(event.participant_id)
    elif isinstance(event, AffinityScored):
        known = state.pairs.get(event.pair_id)
    return getattr(known, "revision", 0)
