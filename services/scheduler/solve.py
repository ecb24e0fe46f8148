"""Solve an edition from a file, with the engine of the service and without servers: `tertulia solve FILE`."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from services.scheduler.domain.decide import NotAPair, apply_event
from services.scheduler.domain.decision import DecisionInProgress
from services.scheduler.domain.improvement.adopt import adopt
from services.scheduler.domain.improvement.problem import problem_of
from services.scheduler.domain.publication import publish
from services.scheduler.domain.state import AgendaState
from services.scheduler.domain.verification import violations_of
from services.scheduler.solver.effort import Effort
from services.scheduler.solver.improve import improve
from shared.contract.events import (
    AffinityScored,
    AgendaEntry,
    Certificate,
    EditionChanged,
    OrganisationChanged,
    ParticipantChanged,
    Phase,
    WaitingReason,
)
from shared.runtime.clock import utc_now


class BadEditionFile(Exception):
    """The file is no edition that can be solved. The message says where the fault is, and the reason."""


class EditionFile(BaseModel):
    """Format of the file: a JSON object of event bodies, as on `registration.v1` and `affinity.v1`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: EditionChanged
    organisations: tuple[OrganisationChanged, ...] = ()
    participants: tuple[ParticipantChanged, ...] = ()
    affinities: tuple[AffinityScored, ...] = ()

    @model_validator(mode="after")
    def _is_one_edition(self) -> Self:
        if self.edition.phase is Phase.CLOSED:
            raise ValueError(
                f"edition {self.edition.edition_id} is closed, so its agenda cannot change: set another phase"
            )
        strangers = {event.edition_id for event in self.events} - {self.edition.edition_id}
        if strangers:
            raise ValueError(
                f"the file has events of other editions than {self.edition.edition_id}: {', '.join(sorted(strangers))}"
            )
        return self

    def planned_at(self, now: datetime) -> datetime:
        """Return the time at which the edition is solved: now, or before its first slot if all its slots have begun.

        A past edition is planned as on the day before, because no slot that has begun is given to a pair.
        """
        starts = [slot.starts_at for slot in self.edition.slots]
        return min(starts) - timedelta(days=1) if starts and max(starts) <= now else now

    @property
    def events(self) -> Iterable[EditionChanged | OrganisationChanged | ParticipantChanged | AffinityScored]:
        """Events of the file in the order in which the scheduler consumes them."""
        return (self.edition, *self.organisations, *self.participants, *self.affinities)


class SolvedEdition(BaseModel):
    """Agendas by participant, reasons to wait by pair, the certificate of the agenda, and violations of rules."""

    agendas: dict[str, tuple[AgendaEntry, ...]]
    waiting: dict[str, WaitingReason]
    certificate: Certificate
    violations: tuple[str, ...]


def solve_file(path: Path, effort: Effort | None = None) -> SolvedEdition:
    """Solve the edition in a file.

    Raises:
        BadEditionFile: the file cannot be read, or is not an edition.
    """
    try:
        edition = EditionFile.model_validate_json(path.read_bytes())
        return solve(edition, effort or Effort(), edition.planned_at(utc_now()))
    except OSError as error:
        raise BadEditionFile(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise BadEditionFile(f"{path}: {_first(error)}") from error
    except NotAPair as error:
        raise BadEditionFile(f"{path}: {error}") from error


def solve(edition: EditionFile, effort: Effort, now: datetime) -> SolvedEdition:
    """Insert all events, improve the agenda, and verify it."""
    state = AgendaState(edition_id=edition.edition.edition_id)
    decision = DecisionInProgress(state, now)
    for event in edition.events:
        apply_event(decision, event)
    adopt(decision, improve(problem_of(state, now, change_budget=0), effort))
    while (published := publish(state, now)[0]) is not None:
        decision.record(published)
    assert state.certificate is not None  # noqa: S101 - adopt() has just set it
    return SolvedEdition(
        agendas={participant_id: agenda.entries for participant_id, agenda in sorted(state.agendas.items())},
        waiting=dict(sorted(state.waiting.items())),
        certificate=state.certificate,
        violations=tuple(
            f"{violation.rule}: {', '.join(violation.pair_ids)}"
            for violation in violations_of(state, state.placements, now)
        ),
    )


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    where = ".".join(map(str, found[0]["loc"])) or "the file"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {found[0]['msg']}{more}"
