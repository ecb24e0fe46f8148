"""What the demo proves of a run: the scheduler's journal, folded anew, agrees with all that was published."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from deploy.demo.observer import Observed
from deploy.demo.plan import DemoEdition, Outcome
from services.scheduler.domain.adopt import inputs_of
from services.scheduler.domain.changes import CHANGE
from services.scheduler.domain.evolve import evolve
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verifier import Violation, verify
from shared.events import (
    AffinityScored,
    AgendaChanged,
    EditionChanged,
    EncounterChanged,
    Event,
    MatchRequestChanged,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.journal import JournalStore


class SchedulerJournal:
    """The scheduler's journal of one edition, followed from its first entry: `state` is the replay of it all."""

    def __init__(self, store: JournalStore, edition_id: str) -> None:
        self._store = store
        self._seq = 0
        self.state = AgendaState(edition_id=edition_id)

    async def follow(self) -> AgendaState:
        """The state as of the newest entry."""
        for entry in await self._store.entries(self.state.edition_id, after=self._seq):
            for change in entry.changes:
                evolve(self.state, CHANGE.validate_python(change))
            self._seq = entry.seq
        return self.state


def is_settled(state: AgendaState, seen: Observed) -> bool:
    """Whether the scheduler knows all that was published for it, has nothing left to do, and all it said was seen."""
    known: tuple[tuple[type[Event], Mapping[str, object]], ...] = (
        (OrganisationChanged, state.organisations),
        (ParticipantChanged, state.participants),
        (AffinityScored, state.pairs),
    )
    said: tuple[tuple[type[Event], Mapping[str, object]], ...] = (
        (AgendaChanged, state.agendas),
        (EncounterChanged, state.encounters),
    )
    edition = state.edition
    return (
        edition is not None
        and all(edition.revision >= each.revision for each in seen.all(EditionChanged).values())
        and all(_covers(things, seen.all(kind)) for kind, things in known)
        and all(_covers(seen.all(kind), things) for kind, things in said)
        and not (state.dirty or state.unannounced or state.untold_pairs or state.untold_participants)
    )


def _covers(ours: Mapping[str, object], theirs: Mapping[str, object]) -> bool:
    return all(key in ours and _revision(ours[key]) >= _revision(thing) for key, thing in theirs.items())


def _revision(thing: object) -> int:
    revision: int = getattr(thing, "revision", 0)
    return revision


def violations_of(state: AgendaState) -> list[Violation]:
    """What the independent verifier says of the replayed agenda."""
    return verify(inputs_of(state), state.placements)


def find_replay_faults(state: AgendaState, seen: Observed) -> Iterator[str]:
    """Where the replay of the journal and the published agendas differ."""
    published = seen.all(AgendaChanged)
    for participant_id in sorted(state.agendas.keys() | published.keys()):
        replayed, agenda = state.agendas.get(participant_id), published.get(participant_id)
        if replayed is None or agenda is None or replayed.entries != agenda.entries:
            yield f"the replayed agenda of {participant_id} is not the one last published"


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
    scored = {request for pair in seen.all(AffinityScored).values() for request in pair.request_ids}
    for request in demo.requests:
        key = ids[request.key]
        state = requests[key].state if key in requests else None
        if state is None or state.value != request.outcome.value:
            yield f"{request.key} is {state}, and was left {request.outcome}"
        is_live = request.target is not None and request.outcome in {Outcome.ACCEPTED, Outcome.UNANSWERED}
        if is_live and key not in scored:
            yield f"{request.key} was never scored"


def all_scored_and_answered(demo: DemoEdition, ids: Mapping[str, str], seen: Observed) -> bool:
    """Whether every request has had its way through the services: scored, granted, placed or waiting."""
    granted = {request for pair in seen.granted() for request in pair.request_ids}
    return (
        all(ids[request.key] in granted for request in demo.accepted)
        and not seen.unanswered_pairs()
        and not any(find_request_faults(demo, ids, seen))
    )
