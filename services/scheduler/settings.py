"""The settings of the scheduler."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from pydantic import Field

from services.scheduler.solver.effort import Effort
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """Settings of the scheduler."""

    service: ClassVar[str] = "scheduler"
    needed: ClassVar[Mapping[str, str]] = {
        "internal_token": "encounters, below-minimum, goals, what-if, edits, attendance"
    }

    quiet_seconds: float = Field(
        default=2.0, gt=0, description="An edition is improved once no input has arrived for this long."
    )
    announce_seconds: float = Field(
        default=20.0, gt=0, description="A published edition is announced after this long, quiet or not."
    )
    improve_every_seconds: float = Field(
        default=0.5, gt=0, description="Interval between looks for editions to improve."
    )
    improve_deadline_seconds: float = Field(
        default=60.0,
        gt=0,
        description="An improvement that takes longer is stopped; its best solution so far is adopted.",
    )
    improve_workers: int = Field(
        default=1, ge=1, description="Worker processes for improvements; each improves one edition at a time."
    )
    improve_rounds: int = Field(
        default=12, ge=0, description="Neighbourhoods that CP-SAT solves to place waiting encounters."
    )
    improve_round_effort: float = Field(
        default=0.04, gt=0, description="Deterministic time of CP-SAT per neighbourhood, roughly seconds."
    )
    improve_steps: int = Field(
        default=20_000,
        ge=0,
        description="Kempe chains tried against breaks per encounter; a second is enough for some millions.",
    )
    improve_most_steps: int = Field(
        default=200_000_000,
        ge=0,
        description="Most Kempe chains tried in one improvement, however many encounters there are.",
    )
    improve_seed: int = Field(default=1, ge=0, description="Seed of the improvement: same seed, same agenda.")
    change_budget: int = Field(
        default=6, ge=0, description="Encounters that an improvement may move once agendas are announced."
    )

    @property
    def effort(self) -> Effort:
        """Limits of the work on an improvement."""
        return Effort(
            self.improve_seed,
            self.improve_rounds,
            self.improve_round_effort,
            self.improve_steps,
            self.improve_most_steps,
        )
