"""Solve an edition from a file, with the same engine and nothing running: what `tertulia solve FILE` does."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
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
    """The file is not an edition that can be solved; the message says where and why."""


class EditionFile(BaseModel):
    """The format of the file: a JSON object of event bodies, as on `registration.v1` and `affinity.v1`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    edition: EditionChanged
    organisations: tuple[OrganisationChanged, ...] = ()
    participants: tuple[ParticipantChanged, ...] = ()
    affinities: tuple[AffinityScored, ...] = ()

    @model_validator(mode="after")
    def _is_one_edition(self) -> Self:
        if self.edition.phase is Phase.CLOSED:
            raise ValueError("the edition is closed: its agenda does not change any more")
        strangers = {event.edition_id for event in self.events} - {self.edition.edition_id}
        if strangers:
            raise ValueError(f"events of other editions than {self.edition.edition_id}: {', '.join(sorted(strangers))}")
        return self

    @property
    def events(self) -> Iterable[EditionChanged | OrganisationChanged | ParticipantChanged | AffinityScored]:
        """All of the file, in the order in which it can be taken."""
        return (self.edition, *self.organisations, *self.participants, *self.affinities)


class Solved(BaseModel):
    """An edition's agenda: by participant, with who waits and why, how good it is, and what the verifier says."""

    agendas: dict[str, tuple[AgendaEntry, ...]]
    waiting: dict[str, WaitingReason]
    certificate: Certificate
    violations: tuple[str, ...]


def solve_file(path: Path, effort: Effort | None = None) -> Solved:
    """Solve the edition in a file.

    Raises:
        BadEditionFile: it cannot be read, or is not an edition.
    """
    try:
        edition = EditionFile.model_validate_json(path.read_bytes())
        return solve(edition, effort or Effort(), utc_now())
    except OSError as error:
        raise BadEditionFile(f"{path}: {error.strerror}") from error
    except ValidationError as error:
        raise BadEditionFile(f"{path}: {_first(error)}") from error
    except NotAPair as error:
        raise BadEditionFile(f"{path}: {error}") from error


def solve(edition: EditionFile, effort: Effort, now: datetime) -> Solved:
    """Insert all, improve, and verify."""
    state = AgendaState(edition_id=edition.edition.edition_id)
    decision = DecisionInProgress(state, now)
    for event in edition.events:
        apply_event(decision, event)
    adopt(decision, improve(problem_of(state, now, change_budget=0), effort))
    while (told := publish(state, now)[0]) is not None:
        decision.record(told)
    assert state.certificate is not None  # noqa: S101 - adopt() has just set it
    return Solved(
        agendas={participant: agenda.entries for participant, agenda in sorted(state.agendas.items())},
        waiting=dict(sorted(state.waiting.items())),
        certificate=state.certificate,
        violations=tuple(
            f"{each.rule}: {', '.join(each.pair_ids)}" for each in violations_of(state, state.placements, now)
        ),
    )


def _first(error: ValidationError) -> str:
    found = error.errors(include_url=False)
    where = ".".join(map(str, found[0]["loc"])) or "the file"
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return f"{where}: {found[0]['msg']}{more}"
