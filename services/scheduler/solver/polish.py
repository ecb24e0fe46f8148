"""Fewer and shorter breaks: simulated annealing over Kempe chains, from a draft and back into it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver import kempe
from services.scheduler.solver.chain_state import WORD, ChainConstraints, ChainState, empty_state
from services.scheduler.solver.draft import Draft

#: The price of a break by its length in slots. Fewer breaks matter most, then a shorter longest break: two breaks of
#: half the length cost more than a single break of up to 32 slots.
_PRICE = np.array([0, *(256 + 20 * slots + slots * slots // 2 for slots in range(1, WORD + 1))], np.int64)
#: Prices of a move away from a published slot: above all breaks, or below a slot of a break.
DEAR, CHEAP = 1 << 30, 1
#: The heat at the start and at the end of a round of annealing, in units of price.
_HOT, _COLD = 90, 25
#: The steps of the first round, and the growth from round to round. A round starts from the best agenda so far:
#: whenever the search is ended, most of its time went into a single long round.
_FIRST_ROUND, _GROWTH = 250_000, 4
#: Steps between two reports: about a second.
_CHUNK = 4_000_000

_QUANTILES = np.array(
    [round(-math.log((rank + 0.5) / kempe.QUANTILES) * 2**kempe.QUANTILE_BITS) for rank in range(kempe.QUANTILES)],
    np.int64,
)


def polish(
    draft: Draft,
    seed: int,
    steps: int,
    report: Callable[[], None] = lambda: None,
    *,
    published: Mapping[int, SlotSet] | None = None,
    budget: int = 0,
    move_price: int = DEAR,
) -> None:
    """Improve the draft by `steps` proposals. It never places fewer pairs.

    Args:
        draft: the agenda to improve, in place.
        seed: the seed of the random numbers.
        steps: the number of proposals.
        report: called whenever the draft has become better.
        published: the published slots by pair number, if the agenda is announced.
        budget: the most pairs that may leave their published slots.
        move_price: `CHEAP` prefers fewer breaks to fewer moves, `DEAR` fewer moves to fewer breaks.
    """
    if not draft.pairs or not any(draft.days):
        return
    search = _Annealing(draft, seed, published or {}, budget, move_price)
    for round_steps in _rounds(steps):
        for first in range(0, round_steps, _CHUNK):
            search.anneal(first, min(first + _CHUNK, round_steps), round_steps)
            if search.take_best():
                report()
        search.restart()


def warm_up() -> None:
    """Compile the search, or load it: a dozen seconds the first time on a machine, a tenth of a second later on."""
    nothing = np.zeros((2, 1), np.int64)
    sides, words, numbers = np.array([[0, 1]]), nothing.astype(np.uint64), nothing[:, 0]
    constraints = ChainConstraints(
        sides, words[:1], nothing[:1], words, numbers, numbers[:1], np.zeros(WORD + 1, np.int64), 0, 0
    )
    state = empty_state(pairs=1, people=2, words=1, zone_sets=1, seed=1)
    state.slot[:] = -1
    kempe.begin(constraints, state)
    kempe.anneal(constraints, state, _QUANTILES, 0, 1, 1, _HOT, _COLD)


def _rounds(steps: int) -> list[int]:
    """Return the steps of rounds that grow. The rest is joined to the last round."""
    rounds, size = [], _FIRST_ROUND
    while steps > size * (1 + _GROWTH):
        rounds.append(size)
        steps, size = steps - size, size * _GROWTH
    return [*rounds, steps]


class _Annealing:
    """A draft translated to flat arrays, and the best agenda found translated back."""

    def __init__(self, draft: Draft, seed: int, published: Mapping[int, SlotSet], budget: int, move_price: int) -> None:
        self._draft = draft
        self._words = list(_words(draft.days))
        self._number = {slot: WORD * n + bit for n, word in enumerate(self._words) for bit, slot in enumerate(word)}
        self._slot = {number: slot for slot, number in self._number.items()} | {-1: 0}
        self._number[0] = -1
        self._constraints = self._make_constraints(published, budget, move_price)
        self._state: ChainState = empty_state(
            pairs=len(draft.pairs),
            people=len(draft.busy),
            words=len(self._words),
            zone_sets=len(draft.free_tables),
            seed=seed,
        )
        self.restart()
        self._taken = self._best()

    def anneal(self, first: int, last: int, steps: int) -> None:
        """Do a part of a round."""
        kempe.anneal(self._constraints, self._state, _QUANTILES, first, last, steps, _HOT, _COLD)

    def take_best(self) -> bool:
        """Put the best agenda seen into the draft. Returns whether it is better than the draft was."""
        if self._best() == self._taken:
            return False
        self._taken = self._best()
        slots = [self._slot[number] for number in self._state.best.tolist()]
        moved = [pair for pair, slot in enumerate(slots) if slot != self._draft.slot[pair]]
        for pair in moved:
            if self._draft.slot[pair]:
                self._draft.remove(pair)
        for pair in moved:
            self._draft.place(pair, slots[pair])
        return True

    def restart(self) -> None:
        """Fill the arrays from the draft."""
        draft, state, published = self._draft, self._state, self._constraints.published
        state.slot[:] = [self._number[slot] for slot in draft.slot]
        state.pair_at[:] = -1
        for pair, number in enumerate(state.slot):
            if number >= 0:
                state.pair_at[list(draft.sides[pair]), number] = pair
        state.busy[:] = [self._bits_of(busy) for busy in draft.busy]
        state.held[:] = [len(pair_at) for pair_at in draft.pair_at]
        state.free_tables[:] = 0
        for free, by_slot in zip(state.free_tables, draft.free_tables, strict=True):
            for slot, tables in by_slot.items():
                free[self._number[slot]] = tables
        state.tally[:] = 0
        state.tally[kempe.PLACED] = draft.placed_count()
        state.tally[kempe.MOVED] = np.count_nonzero((published >= 0) & (published != state.slot))
        kempe.begin(self._constraints, state)

    def _best(self) -> tuple[int, int]:
        tally = self._state.tally
        return int(tally[kempe.BEST_PLACED]), int(tally[kempe.BEST_COST])

    def _bits_of(self, slots: SlotSet) -> list[int]:
        """Translate a set of slots to the bits of every word."""
        return [sum(1 << bit for bit, slot in enumerate(word) if slot & slots) for word in self._words]

    def _make_constraints(self, published: Mapping[int, SlotSet], budget: int, move_price: int) -> ChainConstraints:
        draft = self._draft
        fixed = [busy & ~sum(pair_at) for busy, pair_at in zip(draft.busy, draft.pair_at, strict=True)]
        choices = [
            draft.choices(pair) & ~(fixed[first] | fixed[second]) for pair, (first, second) in enumerate(draft.sides)
        ]
        quota = [
            len(draft.pairs) if draft.quota is None else len(pair_at) + draft.quota - count
            for pair_at, count in zip(draft.pair_at, draft.count, strict=True)
        ]
        zone_sets = range(len(draft.free_tables))
        return ChainConstraints(
            sides=np.array(draft.sides, np.int64),
            choices=np.array([self._bits_of(slots) for slots in choices], np.uint64),
            takes=np.array([[zone_set in taken for zone_set in zone_sets] for taken in draft.zone_sets_of], np.int64),
            attending=np.array([self._bits_of(slots) for slots in draft.attending], np.uint64),
            quota=np.array(quota, np.int64),
            published=np.array([self._number[published.get(pair, 0)] for pair in range(len(draft.pairs))], np.int64),
            price=_PRICE,
            budget=budget if published else len(draft.pairs),
            move_price=move_price if published else 0,
        )


def _words(days: Iterable[SlotSet]) -> Iterator[list[SlotSet]]:
    """Yield the slots of every word: a word for a day, or more if a day has more slots than a word has bits."""
    for day in days:
        slots = list(bits(day))
        for first in range(0, len(slots), WORD):
            yield slots[first : first + WORD]
