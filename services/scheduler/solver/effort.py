"""How much work an improvement is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Effort:
    """How much to do, counted in work and not in seconds, so that the answer does not depend on the machine.

    While encounters are without a slot and the bound is not reached, up to `rounds` neighbourhoods are solved, each
    with `round_effort` of CP-SAT's deterministic time (roughly seconds). Then `steps` Kempe chains are tried for each
    encounter, `most_steps` in all.
    """

    seed: int = 1
    rounds: int = 12
    round_effort: float = 0.04
    steps: int = 20_000
    most_steps: int = 200_000_000
