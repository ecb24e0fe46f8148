"""The settings of the scheduler."""

from __future__ import annotations

from typing import ClassVar

from pydantic import Field

from services.scheduler.solver.effort import Effort
from shared.runtime.settings import ServiceSettings


class Settings(ServiceSettings):
    """What the scheduler can be told."""

    service: ClassVar[str] = "scheduler"

    quiet_seconds: float = Field(
        default=2.0, gt=0, description="An edition is improved once it has had no input for this long."
    )
    announce_seconds: float = Field(
        default=20.0, gt=0, description="A published edition is announced after this long, quiet or not."
    )
    improve_every_seconds: float = Field(default=0.5, gt=0, description="How often to look for editions to improve.")
    improve_deadline_seconds: float = Field(
        default=60.0, gt=0, description="A worker that improves for longer is killed; the best so far is taken."
    )
    improve_workers: int = Field(default=1, ge=1, description="Processes that improve, one edition each at a time.")
    improve_rounds: int = Field(default=12, ge=0, description="Neighbourhoods CP-SAT solves to place what waits.")
    improve_round_effort: float = Field(
        default=0.04, gt=0, description="CP-SAT's deterministic time for each, roughly seconds."
    )
    improve_steps: int = Field(
        default=20_000,
        ge=0,
        description="Kempe chains tried against breaks for each encounter, some millions a second.",
    )
    improve_most_steps: int = Field(
        default=200_000_000, ge=0, description="Kempe chains tried at most, however many encounters there are."
    )
    improve_seed: int = Field(default=1, ge=0, description="Seed of the improvement: same seed, same agenda.")
    change_budget: int = Field(
        default=6, ge=0, description="Encounters an improvement may move once agendas are announced."
    )

    @property
    def effort(self) -> Effort:
        """How much work an improvement is."""
        return Effort(
            self.improve_seed,
            self.improve_rounds,
            self.improve_round_effort,
            self.improve_steps,
            self.improve_most_steps,
        )
