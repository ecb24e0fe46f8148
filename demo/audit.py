"""Verification of a run: the replayed journal of the scheduler is compared with the published events."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from demo.observer import Observed
from demo.plan import DemoEdition, RequestOutcome
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import Violation, verify
from services.scheduler.domain.verification import inputs_of
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import encounter_id
from shared.storage.aggregate import fold
from shared.storage.journal_entry import JournalStore

_AGGREGATE = AgendaAggregate()


class SchedulerJournal:
    """The scheduler's journal of an edition, read from its first entry. `state` is the replay of the entries read."""

    def __init__(self, store: JournalStore, edition_id: str) -> None:
        self._store = store
        self._seq = 0
        self.state = AgendaState(edition_id=edition_id)

    async def follow(self) -> AgendaState:
        """Read the new entries, and return the state as of the newest."""
        for entry in await self._store.entries(self.state.edition_id, after=self._seq):
            fold(_AGGREGATE, self.state, [entry])
            self._seq = entry.seq
        return self.state


def pending_work(state: AgendaState, seen: Observed) -> str:
    """Describe the scheduler's unfinished work: events to consume, agendas to improve, changes to publish.

    Empty if there is none, and if every published event was observed.
    """
    consumed: tuple[tuple[str, Mapping[str, object], Mapping[str, Event]], ...] = (
        ("editions", {state.edition_id: state.edition}, seen.all(EditionChanged)),
        ("organisations", state.organisations, seen.all(OrganisationChanged)),
        ("participants", state.participants, seen.all(ParticipantChanged)),
        ("pairs", state.pairs, seen.all(AffinityScored)),
    )
    published: tuple[tuple[str, Mapping[str, Event], Mapping[str, object]], ...] = (
        ("agendas", seen.all(AgendaChanged), state.agendas),
        ("encounters", seen.all(EncounterChanged), _by_encounter(state)),
    )
    undone = (
        ("the agenda is still to be improved", state.has_new_inputs),
        ("the agendas are still to be announced", state.awaits_announcement),
        ("changes are still to be published", bool(state.unpublished_pairs or state.unpublished_participants)),
    )
    lacks = [
        f"the scheduler has not taken in {_count_behind(ours, seen_things)} {what}"
        for what, ours, seen_things in consumed
        if _count_behind(ours, seen_things)
    ]
    lacks += [
        f"{_count_behind(ours, journalled)} {what} are still to be published"
        for what, ours, journalled in published
        if _count_behind(ours, journalled)
    ]
    return "; ".join([*lacks, *(what for what, is_undone in undone if is_undone)])


def _by_encounter(state: AgendaState) -> dict[str, object]:
    return {
        encounter_id(state.edition_id, *state.pairs[pair].participant_ids): encounter
        for pair, encounter in state.encounters.items()
    }


def _count_behind(ours: Mapping[str, object], theirs: Mapping[str, object]) -> int:
    """Count the things of `theirs` that `ours` lacks, or has in an older revision."""
    return sum(_revision(ours.get(key)) < _revision(thing) for key, thing in theirs.items())


def _revision(thing: object) -> int:
    revision: int = getattr(thing, "revision", 0)
    return revision


def violations_of(state: AgendaState) -> list[Violation]:
    """Return the violations that the independent verifier finds in the replayed placements."""
    return verify(inputs_of(state), state.placements)


def find_replay_faults(state: AgendaState, seen: Observed) -> Iterator[str]:
    """Yield a sentence for every agenda that differs between the replayed journal and the topics."""
    for participant_id in differing_agendas(state, seen.all(AgendaChanged)):
        yield f"the replayed agenda of {participant_id} is not the one last published"


def differing_agendas(state: AgendaState, published: Mapping[str, AgendaChanged]) -> Iterator[str]:
    """Yield the ids of participants whose agenda in the state differs from the published agenda."""
    for participant_id in sorted(state.agendas.keys() | published.keys()):
        replayed, seen = state.agendas.get(participant_id), published.get(participant_id)
        if replayed is None or seen is None or replayed.entries != seen.entries:
            yield participant_id


def find_waiting_faults(seen: Observed) -> Iterator[str]:
    """Yield a sentence for every granted pair without a place and without a waiting reason."""
    for pair in seen.unanswered_pairs():
        yield f"{pair.pair_id} is granted, and neither placed nor waiting"
    for encounter in seen.waiting():
        if encounter.waiting_reason is None:
            yield f"{encounter.encounter_id} waits without a reason"


def find_request_faults(demo: DemoEdition, ids: Mapping[str, str], seen: Observed) -> Iterator[str]:
    """Yield a sentence for every request whose state is not the planned outcome, or that was never scored."""
    requests = seen.all(MatchRequestChanged)
    for request in demo.requests:
        key = ids[request.key]
        state = requests[key].state if key in requests else None
        if state is None or state.value != request.outcome.value:
            yield f"{request.key} is {state}, and was left {request.outcome}"
        is_live = request.target is not None and request.outcome in {RequestOutcome.ACCEPTED, RequestOutcome.UNANSWERED}
        if is_live and key not in seen.scored:
            yield f"{request.key} was never scored"


def unfinished_requests(demo: DemoEdition, ids: Mapping[str, str], seen: Observed) -> str:
    """Count the requests that the services have not finished: answered, scored, granted, placed or waiting."""
    granted = {request for pair in seen.granted() for request in pair.request_ids}
    counts = {
        "requests are not as they were left, or not scored": len(list(find_request_faults(demo, ids, seen))),
        "accepted requests are not granted": sum(ids[request.key] not in granted for request in demo.accepted),
        "granted pairs are neither placed nor waiting": len(seen.unanswered_pairs()),
    }
    return "; ".join(f"{count} {what}" for what, count in counts.items() if count)
