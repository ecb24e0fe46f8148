"""The amount of work that an improvement may take."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """Limits of an improvement, counted in work and not in seconds, so that results do not depend on the machine.

    - `rounds`: neighbourhoods solved while meetings wait and the bound is not reached.
    - `round_effort`: CP-SAT's deterministic time for a neighbourhood, roughly seconds.
    - `steps`: Kempe chains tried afterwards for every candidate meeting; `most_steps`: chains tried in all.
    """

    seed: int = 1
    rounds: int = 12
    round_effort: float = 0.04
    steps: int = 20_000
    most_steps: int = 200_000_000
