"""Less waiting between encounters, by Kempe chains: swap two slots along the encounters that share participants."""

from __future__ import annotations

import math
import random

from services.scheduler.domain.board import Slots, bits, idle
from services.scheduler.solver.draft import Draft

#: Annealing: at first a change that costs one idle slot more is taken this often (1/e), in the end hardly ever.
_WARM, _COLD = 0.7, 0.12


def polish(draft: Draft, seed: int, steps: int) -> None:
    """Try `steps` random chains, keeping those that lessen idle time, and at first some that do not."""
    chance = random.Random(seed)  # noqa: S311 - it must be repeatable, not secret
    movable = [pair for pair, slot in enumerate(draft.slot) if slot]
    choices = [list(bits(draft.common(pair))) for pair in movable]
    best, best_cost, cost = list(draft.slot), draft.total_idle(), draft.total_idle()
    if not movable or not best_cost:
        return
    for step in range(steps):
        heat = _WARM * (_COLD / _WARM) ** (step / steps)
        number = chance.randrange(len(movable))
        target = chance.choice(choices[number])
        pair = movable[number]
        if target == draft.slot[pair]:
            continue
        chain = _chain(draft, pair, target)
        if chain is None:
            continue
        delta = _delta(draft, chain)
        if delta <= 0 or chance.random() < math.exp(-delta / heat):
            _swap(draft, chain)
            cost += delta
            if cost < best_cost:
                best, best_cost = list(draft.slot), cost
    _restore(draft, best)


def _chain(draft: Draft, pair: int, target: Slots) -> dict[int, Slots] | None:
    """The encounters that change slot if `pair` goes to `target`, and where to; `None` if one of them cannot."""
    source = draft.slot[pair]
    chain = {pair: target}
    front = [pair]
    while front:
        mover = front.pop()
        to = chain[mover]
        for person in draft.sides[mover]:
            if not draft.free[person] & to:
                return None
            blocker = draft.at[person].get(to)
            if blocker is None:
                if draft.busy[person] & to:  # an encounter that has begun, and stays
                    return None
            elif blocker not in chain:
                chain[blocker] = source if to == target else target
                front.append(blocker)
    return chain if _has_room(draft, chain) else None


def _has_room(draft: Draft, chain: dict[int, Slots]) -> bool:
    change: dict[tuple[int, Slots], int] = {}
    for pair, to in chain.items():
        for room in draft.needs[pair]:
            change[room, to] = change.get((room, to), 0) + 1
            change[room, draft.slot[pair]] = change.get((room, draft.slot[pair]), 0) - 1
    return all(draft.room[room][slot] >= more for (room, slot), more in change.items() if more > 0)


def _delta(draft: Draft, chain: dict[int, Slots]) -> int:
    flips: dict[int, Slots] = {}
    for pair, to in chain.items():
        both = to | draft.slot[pair]
        for person in draft.sides[pair]:
            flips[person] = flips.get(person, 0) ^ both
    busy, rest = draft.busy, draft.rest
    return sum(
        idle(busy[person] ^ flip, rest[person]) - idle(busy[person], rest[person])
        for person, flip in flips.items()
        if flip
    )


def _swap(draft: Draft, chain: dict[int, Slots]) -> None:
    for pair in chain:
        draft.lift(pair)
    for pair, to in chain.items():
        draft.put(pair, to)


def _restore(draft: Draft, slots: list[Slots]) -> None:
    moved = {pair: slot for pair, slot in enumerate(slots) if slot != draft.slot[pair]}
    _swap(draft, moved)
