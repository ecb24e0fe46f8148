"""Fewer and shorter breaks: simulated annealing over Kempe chains, from a draft and back into it."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Iterator, Mapping

import numpy as np

from services.scheduler.domain.timetable.timeline import SlotSet, bits
from services.scheduler.solver import kempe
from services.scheduler.solver.draft import Draft

#: What a break costs by its slots: the fewest breaks come first, then the longest. Two of half its length cost more,
#: unless it takes more than 32 slots.
_PRICE = np.array([0, *(256 + 20 * slots + slots * slots // 2 for slots in range(1, kempe.WORD + 1))], np.int64)
#: What a move of what participants were told costs: more than any breaks, or less than a slot of one.
DEAR, CHEAP = 1 << 30, 1
#: The heat at which a round of annealing begins and ends, in units of price.
_HOT, _COLD = 90, 25
#: Rounds grow by this factor, each from the best so far: whenever the search is ended, most of it was one long round.
_FIRST_ROUND, _GROWTH = 250_000, 4
#: Steps between two looks at what has come of them: about a second.
_CHUNK = 4_000_000

_QUANTILES = np.array(
    [round(-math.log((rank + 0.5) / kempe.QUANTILES) * 2**kempe.QUANTILE_BITS) for rank in range(kempe.QUANTILES)],
    np.int64,
)


def polish(
    draft: Draft,
    seed: int,
    steps: int,
    better: Callable[[], None] = lambda: None,
    *,
    told: Mapping[int, SlotSet] | None = None,
    budget: int = 0,
    move_price: int = DEAR,
) -> None:
    """Improve the draft by `steps` proposals; it never places fewer. `better` is called whenever the draft is better.

    Of the encounters that are `told` (by number, their slots) at most `budget` may be elsewhere, and as few as can be:
    of agendas with the same breaks if a move is `CHEAP`, whatever the breaks if it is `DEAR`.
    """
    if not draft.pairs or not any(draft.days):
        return
    search = _Search(draft, seed, told or {}, budget, move_price)
    for round_steps in _rounds(steps):
        for first in range(0, round_steps, _CHUNK):
            search.anneal(first, min(first + _CHUNK, round_steps), round_steps)
            if search.take_best():
                better()
        search.restart()


def warm_up() -> None:
    """Have all that is compiled ready: a dozen seconds the first time on a machine, a tenth of one from then on."""
    nothing = np.zeros((2, 1), np.int64)
    sides, bits_, flat = np.array([[0, 1]]), nothing.astype(np.uint64), nothing[:, 0]
    rules = kempe.ChainConstraints(
        sides, bits_[:1], nothing[:1], bits_, flat, flat[:1], np.zeros(kempe.WORD + 1, np.int64), 0, 0
    )
    agenda = _agenda(pairs=1, people=2, words=1, rooms=1, seed=1)
    agenda.slot[:] = -1
    kempe.begin(rules, agenda)
    kempe.anneal(rules, agenda, _QUANTILES, 0, 1, 1, _HOT, _COLD)


def _rounds(steps: int) -> list[int]:
    """Rounds that grow, and what is left over joined to the last."""
    rounds, size = [], _FIRST_ROUND
    while steps > size * (1 + _GROWTH):
        rounds.append(size)
        steps, size = steps - size, size * _GROWTH
    return [*rounds, steps]


class _Search:
    """A draft as flat arrays, and the way back."""

    def __init__(self, draft: Draft, seed: int, told: Mapping[int, SlotSet], budget: int, move_price: int) -> None:
        self._draft = draft
        self._words = list(_words(draft.days))
        self._number = {
            slot: kempe.WORD * n + bit for n, word in enumerate(self._words) for bit, slot in enumerate(word)
        }
        self._slot = {number: slot for slot, number in self._number.items()} | {-1: 0}
        self._number[0] = -1
        self._rules = self._make_rules(told, budget, move_price)
        self._agenda = _agenda(
            pairs=len(draft.pairs), people=len(draft.busy), words=len(self._words), rooms=len(draft.room), seed=seed
        )
        self.restart()
        self._taken = self._best()

    def anneal(self, first: int, last: int, steps: int) -> None:
        """Do a part of a round."""
        kempe.anneal(self._rules, self._agenda, _QUANTILES, first, last, steps, _HOT, _COLD)

    def take_best(self) -> bool:
        """Make the draft the best agenda seen, if that is better than what it is."""
        if self._best() == self._taken:
            return False
        self._taken = self._best()
        slots = [self._slot[number] for number in self._agenda.best.tolist()]
        moved = [pair for pair, slot in enumerate(slots) if slot != self._draft.slot[pair]]
        for pair in moved:
            if self._draft.slot[pair]:
                self._draft.remove(pair)
        for pair in moved:
            self._draft.place(pair, slots[pair])
        return True

    def restart(self) -> None:
        """Go on from the draft."""
        draft, agenda, told = self._draft, self._agenda, self._rules.published
        agenda.slot[:] = [self._number[slot] for slot in draft.slot]
        agenda.at[:] = -1
        for pair, number in enumerate(agenda.slot):
            if number >= 0:
                agenda.at[list(draft.sides[pair]), number] = pair
        agenda.busy[:] = [self._masks(busy) for busy in draft.busy]
        agenda.held[:] = [len(at) for at in draft.at]
        agenda.room[:] = 0
        for free, room in zip(agenda.room, draft.room, strict=True):
            for slot, tables in room.items():
                free[self._number[slot]] = tables
        agenda.tally[:] = 0
        agenda.tally[kempe.PLACED] = draft.placed()
        agenda.tally[kempe.MOVED] = np.count_nonzero((told >= 0) & (told != agenda.slot))
        kempe.begin(self._rules, agenda)

    def _best(self) -> tuple[int, int]:
        tally = self._agenda.tally
        return int(tally[kempe.BEST_PLACED]), int(tally[kempe.BEST_COST])

    def _masks(self, mask: SlotSet) -> list[int]:
        """A set of slots, as the bits of each word."""
        return [sum(1 << bit for bit, slot in enumerate(word) if slot & mask) for word in self._words]

    def _make_rules(self, told: Mapping[int, SlotSet], budget: int, move_price: int) -> kempe.ChainConstraints:
        draft = self._draft
        fixed = [mask & ~sum(at) for mask, at in zip(draft.busy, draft.at, strict=True)]
        choices = [draft.choices(pair) & ~(fixed[one] | fixed[other]) for pair, (one, other) in enumerate(draft.sides)]
        quota = [
            len(draft.pairs) if draft.quota is None else len(at) + draft.quota - count
            for at, count in zip(draft.at, draft.count, strict=True)
        ]
        return kempe.ChainConstraints(
            sides=np.array(draft.sides, np.int64),
            choices=np.array([self._masks(mask) for mask in choices], np.uint64),
            takes=np.array([[room in needs for room in range(len(draft.room))] for needs in draft.needs], np.int64),
            attending=np.array([self._masks(mask) for mask in draft.attending], np.uint64),
            quota=np.array(quota, np.int64),
            published=np.array([self._number[told.get(pair, 0)] for pair in range(len(draft.pairs))], np.int64),
            price=_PRICE,
            budget=budget if told else len(draft.pairs),
            move_price=move_price if told else 0,
        )


def _agenda(*, pairs: int, people: int, words: int, rooms: int, seed: int) -> kempe.ChainState:
    return kempe.ChainState(
        slot=np.empty(pairs, np.int64),
        at=np.full((people, words * kempe.WORD), -1, np.int32),
        busy=np.zeros((people, words), np.uint64),
        held=np.zeros(people, np.int64),
        room=np.zeros((rooms, words * kempe.WORD), np.int64),
        best=np.empty(pairs, np.int64),
        tally=np.zeros(5, np.int64),
        dice=np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], np.uint64),
    )


def _words(days: Iterable[SlotSet]) -> Iterator[list[SlotSet]]:
    """The slots of each word, one word a day, or more if a day has more slots than a word has bits."""
    for day in days:
        slots = list(bits(day))
        for at in range(0, len(slots), kempe.WORD):
            yield slots[at : at + kempe.WORD]
