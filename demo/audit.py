"""What the demo proves of a run: the scheduler's journal, folded anew, agrees with all that was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from demo.observer import Observed
from demo.plan import DemoEdition, RequestOutcome
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.improvement.adopt import inputs_of
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.timetable.verifier import Violation, verify
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
from shared.storage.journal import JournalStore, fold

_AGGREGATE = AgendaAggregate()


class SchedulerJournal:
    """The scheduler's journal of one edition, followed from its first entry: `state` is the replay of it all."""

    def __init__(self, store: JournalStore, edition_id: str) -> None:
        self._store = store
        self._seq = 0
        self.state = AgendaState(edition_id=edition_id)

    async def follow(self) -> AgendaState:
        """The state as of the newest entry."""
        for entry in await self._store.entries(self.state.edition_id, after=self._seq):
            fold(_AGGREGATE, self.state, [entry])
            self._seq = entry.seq
        return self.state


def unsettled(state: AgendaState, seen: Observed) -> str:
    """What the scheduler has yet to take in, to do or to say, or what of it is yet to be seen; empty if nothing."""
    known: tuple[tuple[str, Mapping[str, object], Mapping[str, Event]], ...] = (
        ("editions", {state.edition_id: state.edition}, seen.all(EditionChanged)),
        ("organisations", state.organisations, seen.all(OrganisationChanged)),
        ("participants", state.participants, seen.all(ParticipantChanged)),
        ("pairs", state.pairs, seen.all(AffinityScored)),
    )
    said: tuple[tuple[str, Mapping[str, Event], Mapping[str, object]], ...] = (
        ("agendas", seen.all(AgendaChanged), state.agendas),
        ("encounters", seen.all(EncounterChanged), _by_encounter(state)),
    )
    undone = (
        ("the agenda is still to be improved", state.dirty),
        ("the agendas are still to be announced", state.awaits_announcement),
        ("changes are still to be told", bool(state.unpublished_pairs or state.unpublished_participants)),
    )
    lacks = [
        f"the scheduler has not taken in {_behind(ours, all_)} {what}"
        for what, ours, all_ in known
        if _behind(ours, all_)
    ]
    lacks += [
        f"{_behind(ours, all_)} {what} are still to be published" for what, ours, all_ in said if _behind(ours, all_)
    ]
    return "; ".join([*lacks, *(what for what, is_undone in undone if is_undone)])


def _by_encounter(state: AgendaState) -> dict[str, object]:
    return {
        encounter_id(state.edition_id, *state.pairs[pair].participant_ids): told
        for pair, told in state.encounters.items()
    }


def _behind(ours: Mapping[str, object], theirs: Mapping[str, object]) -> int:
    """Of how many of their things we do not have their revision."""
    return sum(_revision(ours.get(key)) < _revision(thing) for key, thing in theirs.items())


def _revision(thing: object) -> int:
    revision: int = getattr(thing, "revision", 0)
    return revision


def violations_of(state: AgendaState) -> list[Violation]:
    """What the independent verifier says of the replayed agenda."""
    return verify(inputs_of(state), state.placements)


def find_replay_faults(state: AgendaState, seen: Observed) -> Iterator[str]:
    """Where the replay of the journal and the published agendas differ."""
    for participant_id in unlike(state, seen.all(AgendaChanged)):
        yield f"the replayed agenda of {participant_id} is not the one last published"


def unlike(state: AgendaState, published: Mapping[str, AgendaChanged]) -> Iterator[str]:
    """The participants whose agenda in the state is not the one published."""
    for participant_id in sorted(state.agendas.keys() | published.keys()):
        known, told = state.agendas.get(participant_id), published.get(participant_id)
        if known is None or told is None or known.entries != told.entries:
            yield participant_id


def find_waiting_faults(seen: Observed) -> Iterator[str]:
    """Granted pairs that have neither a place nor a reason."""
    for pair in seen.unanswered_pairs():
        yield f"{pair.pair_id} is granted, and neither placed nor waiting"
    for encounter in seen.waiting():
        if encounter.waiting_reason is None:
            yield f"{encounter.encounter_id} waits without a reason"


def find_request_faults(demo: DemoEdition, ids: Mapping[str, str], seen: Observed) -> Iterator[str]:
    """Requests that are not as the demo left them, or that were never scored."""
    requests = seen.all(MatchRequestChanged)
    for request in demo.requests:
        key = ids[request.key]
        state = requests[key].state if key in requests else None
        if state is None or state.value != request.outcome.value:
            yield f"{request.key} is {state}, and was left {request.outcome}"
        is_live = request.target is not None and request.outcome in {RequestOutcome.ACCEPTED, RequestOutcome.UNANSWERED}
        if is_live and key not in seen.scored:
            yield f"{request.key} was never scored"


def unanswered(demo: DemoEdition, ids: Mapping[str, str], seen: Observed) -> str:
    """Which requests have not had their way through the services: scored, granted, placed or waiting."""
    granted = {request for pair in seen.granted() for request in pair.request_ids}
    counts = {
        "requests are not as they were left, or not scored": len(list(find_request_faults(demo, ids, seen))),
        "accepted requests are not granted": sum(ids[request.key] not in granted for request in demo.accepted),
        "granted pairs are neither placed nor waiting": len(seen.unanswered_pairs()),
    }
    return "; ".join(f"{count} {what}" for what, count in counts.items() if count)
