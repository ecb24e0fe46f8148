"""Kempe chains on flat arrays, compiled: two slots swap the encounters along a path of shared participants.

Seen as a graph, participants are vertices, encounters edges, slots colours. The encounters of two slots form paths and
cycles; swapping the slots along one of them leaves nobody twice in a slot. Only the two participants at the ends of a
path are busy at other times than before, so the price of a swap is known from these two.

All is integer arithmetic, so that the same seed gives the same agenda on every machine. A slot is a number: its word
times 64 and its bit in the word. A day is one word (a longer one goes on in a second, and a break across the two is not
seen). Functions take the arrays they need and no tuples of arrays, which would be copied at each call.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar, cast

import numpy as np
from numba import njit
from numpy.typing import NDArray

_Function = TypeVar("_Function", bound=Callable[..., object])
#: What numbers and words of bits are once compiled: `int64` and `uint64`, which mypy does not take for one another.
_Number = Any
_Word = Any

#: Bits of a word.
WORD = 64
#: A quantile of the exponential distribution is held as an integer, in units of 1 / 2^10.
QUANTILE_BITS, QUANTILES = 10, 4096
#: Of 256 proposals, how many do not look for a neighbour of the participant's other encounters, but go anywhere.
_ANYWHERE = 8
_ONE, _NONE = np.uint64(1), np.uint64(0)


class ChainConstraints(NamedTuple):
    """What the search may not change. Shapes: `n` encounters, `p` participants, `s` slots, `d` words, `r` rooms."""

    #: [n, 2] the two participants of an encounter.
    sides: NDArray[np.int64]
    #: [n, d] the slots an encounter may be in, whatever else moves, as bits.
    choices: NDArray[np.uint64]
    #: [n, r] whether the encounter takes a table of the room (a set of zones): 1 or 0.
    takes: NDArray[np.int64]
    #: [p, d] when a session takes the participant's time.
    attending: NDArray[np.uint64]
    #: [p] how many encounters of the search the participant may have.
    quota: NDArray[np.int64]
    #: [n] the slot that participants were told; -1: none.
    published: NDArray[np.int64]
    #: [65] the price of a break by its length.
    price: NDArray[np.int64]
    #: How many encounters may be elsewhere than told, and the price of each.
    budget: int
    move_price: int


class ChainState(NamedTuple):
    """What the search changes."""

    #: [n] the slot of an encounter; -1: it waits.
    slot: NDArray[np.int64]
    #: [p, s] the encounter of a participant in a slot; -1: none.
    at: NDArray[np.int32]
    #: [p, d] when the participant meets, fixed encounters included.
    busy: NDArray[np.uint64]
    #: [p] how many encounters of the search the participant has.
    held: NDArray[np.int64]
    #: [r, s] tables left.
    room: NDArray[np.int64]
    #: [n] the slots of the best agenda seen.
    best: NDArray[np.int64]
    #: [5] see the constants below.
    tally: NDArray[np.int64]
    #: [1] the state of the random numbers.
    dice: NDArray[np.uint64]


PLACED, COST, BEST_PLACED, BEST_COST, MOVED = range(5)


def _compiled(function: _Function) -> _Function:
    try:
        compiled = njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # there is nowhere to keep it: it is compiled at each start of a worker
        compiled = njit(error_model="numpy")(function)
    return cast("_Function", compiled)


@_compiled
def _roll(dice: NDArray[np.uint64]) -> _Word:
    """Marsaglia, "Xorshift RNGs" (2003)."""
    state = dice[0]
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    dice[0] = state
    return state


@_compiled
def _ones(word: _Word) -> _Number:
    """How many bits are set (Warren, "Hacker's Delight", 5-1)."""
    word -= (word >> _ONE) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@_compiled
def _bit(slot: _Number) -> _Word:
    return _ONE << np.uint64(slot & 63)


@_compiled
def _price_of(busy: _Word, attending: _Word, price: NDArray[np.int64]) -> _Number:
    """The price of a participant's breaks in one word."""
    span = busy
    span |= span >> np.uint64(1)
    span |= span >> np.uint64(2)
    span |= span >> np.uint64(4)
    span |= span >> np.uint64(8)
    span |= span >> np.uint64(16)
    span |= span >> np.uint64(32)
    idle = span & ~((busy & (~busy + _ONE)) - _ONE) & ~(busy | attending)
    total: _Number = 0
    while idle != _NONE:
        idle >>= np.uint64(_ones((idle & (~idle + _ONE)) - _ONE))
        total += price[_ones(idle & ~(idle + _ONE))]
        idle &= idle + _ONE
    return total


@_compiled
def _price_of_person(
    busy: NDArray[np.uint64], attending: NDArray[np.uint64], price: NDArray[np.int64], person: _Number
) -> _Number:
    total = 0
    for word in range(busy.shape[1]):
        total += _price_of(busy[person, word], attending[person, word], price)
    return total


@_compiled
def _price_of_three(
    busy: NDArray[np.uint64],
    attending: NDArray[np.uint64],
    price: NDArray[np.int64],
    one: _Number,
    other: _Number,
    end: _Number,
) -> _Number:
    """The price of the breaks of two participants and of a third, who may be the second."""
    total = 0
    for turn in range(2 if end == other else 3):
        person = one if turn == 0 else other if turn == 1 else end
        total += _price_of_person(busy, attending, price, person)
    return total


@_compiled
def _price_of_swap(
    busy: NDArray[np.uint64],
    attending: NDArray[np.uint64],
    price: NDArray[np.int64],
    person: _Number,
    one: _Number,
    other: _Number,
) -> _Number:
    """What it costs a participant to be busy in the other of two slots."""
    word, second = one >> 6, other >> 6
    flipped = busy[person, word] ^ _bit(one)
    change = -_price_of(busy[person, word], attending[person, word], price)
    if word == second:
        flipped ^= _bit(other)
    else:
        elsewhere = busy[person, second]
        change -= _price_of(elsewhere, attending[person, second], price)
        change += _price_of(elsewhere ^ _bit(other), attending[person, second], price)
    return change + _price_of(flipped, attending[person, word], price)


@_compiled
def _pick(
    choices: NDArray[np.uint64],
    busy: NDArray[np.uint64],
    encounter: _Number,
    person: _Number,
    here: _Number,
    anywhere: _Number,
    dice: NDArray[np.uint64],
) -> _Number:
    """A slot for the encounter, drawn from those in which the participant does not meet; -1: none.

    Unless `anywhere`, only those beside one of the participant's other encounters, if there is any.
    """
    number, others = 0, _NONE
    for word in range(busy.shape[1]):
        others |= busy[person, word] & ~_bit(here) if here >> 6 == word else busy[person, word]
    anywhere = anywhere or others == _NONE
    for word in range(busy.shape[1]):
        number += _ones(_fits(choices, busy, encounter, person, here, anywhere, word))
    if number == 0:
        return -1
    chosen = np.int64(((_roll(dice) >> np.uint64(32)) * np.uint64(number)) >> np.uint64(32))
    for word in range(busy.shape[1]):
        fits = _fits(choices, busy, encounter, person, here, anywhere, word)
        count = _ones(fits)
        if chosen < count:
            for _ in range(chosen):
                fits &= fits - _ONE
            return word * 64 + _ones((fits & (~fits + _ONE)) - _ONE)
        chosen -= count
    return -1


@_compiled
def _fits(
    choices: NDArray[np.uint64],
    busy: NDArray[np.uint64],
    encounter: _Number,
    person: _Number,
    here: _Number,
    anywhere: _Number,
    word: _Number,
) -> _Word:
    fits = choices[encounter, word] & ~busy[person, word]
    if not anywhere:
        rest = busy[person, word]
        if here >> 6 == word:
            rest &= ~_bit(here)
        fits &= (rest << _ONE) | (rest >> _ONE)
    return fits


@_compiled
def _trace(
    sides: NDArray[np.int64],
    choices: NDArray[np.uint64],
    at: NDArray[np.int32],
    chain: NDArray[np.int64],
    person: _Number,
    source: _Number,
    target: _Number,
) -> tuple[_Number, _Number]:
    """Complete the chain that begins with `chain[0]`, in the source slot, of a participant free in the target slot.

    Returns how many encounters swap slots, 0 if one of them may not, and the participant at the other end.
    """
    length = 1
    end = sides[chain[0], 0] + sides[chain[0], 1] - person
    to, fro = target, source
    while True:
        blocker = np.int64(at[end, to])
        if blocker < 0:
            return length, end
        if not choices[blocker, fro >> 6] & _bit(fro):
            return 0, end
        chain[length] = blocker
        length += 1
        end = sides[blocker, 0] + sides[blocker, 1] - end
        to, fro = fro, to


@_compiled
def _surplus(takes: NDArray[np.int64], chain: NDArray[np.int64], length: _Number, room: _Number) -> _Number:
    """How many tables of a room a chain takes more in its first slot than in its second: its encounters alternate."""
    more = 0
    for link in range(length):
        more += takes[chain[link], room] * (1 - 2 * (link & 1))
    return more


@_compiled
def _has_room(
    takes: NDArray[np.int64],
    room: NDArray[np.int64],
    chain: NDArray[np.int64],
    length: _Number,
    source: _Number,
    target: _Number,
) -> bool:
    """Whether the tables suffice once the chain is swapped."""
    for number in range(room.shape[0]):
        more = _surplus(takes, chain, length, number)
        if more > room[number, target] or -more > room[number, source]:
            return False
    return True


@_compiled
def _more_moved(
    told: NDArray[np.int64], chain: NDArray[np.int64], length: _Number, source: _Number, target: _Number
) -> _Number:
    """How many more encounters are elsewhere than told once the chain is swapped."""
    more = 0
    for link in range(length):
        slot = told[chain[link]]
        here, there = (target, source) if link & 1 else (source, target)
        if slot >= 0:
            more += int(there != slot) - int(here != slot)
    return more


@_compiled
def _swap(
    sides: NDArray[np.int64],
    takes: NDArray[np.int64],
    slot: NDArray[np.int64],
    at: NDArray[np.int32],
    room: NDArray[np.int64],
    chain: NDArray[np.int64],
    source: _Number,
    target: _Number,
) -> None:
    """Swap the two slots along a chain, but for the times at which the two at its ends are busy."""
    for encounter in chain:
        for side in range(2):
            at[sides[encounter, side], slot[encounter]] = -1
    for link in range(chain.shape[0]):
        encounter = chain[link]
        here, there = (target, source) if link & 1 else (source, target)
        slot[encounter] = there
        for side in range(2):
            at[sides[encounter, side], there] = encounter
        for number in range(room.shape[0]):
            room[number, here] += takes[encounter, number]
            room[number, there] -= takes[encounter, number]


@_compiled
def _turn(busy: NDArray[np.uint64], person: _Number, slot: _Number) -> None:
    busy[person, slot >> 6] ^= _bit(slot)


@_compiled
def _keep_if_best(slot: NDArray[np.int64], best: NDArray[np.int64], tally: NDArray[np.int64]) -> None:
    if tally[PLACED] > tally[BEST_PLACED] or (tally[PLACED] == tally[BEST_PLACED] and tally[COST] < tally[BEST_COST]):
        tally[BEST_PLACED], tally[BEST_COST] = tally[PLACED], tally[COST]
        for encounter in range(slot.shape[0]):  # compiles ten times faster than an assignment of the whole
            best[encounter] = slot[encounter]


@_compiled
def begin(rules: ChainConstraints, agenda: ChainState) -> None:
    """Price an agenda that has been put together, and take it for the best so far."""
    cost = agenda.tally[MOVED] * rules.move_price
    for person in range(agenda.at.shape[0]):
        cost += _price_of_person(agenda.busy, rules.attending, rules.price, person)
    agenda.tally[COST], agenda.tally[BEST_PLACED] = cost, -1
    _keep_if_best(agenda.slot, agenda.best, agenda.tally)


@_compiled
def anneal(
    rules: ChainConstraints,
    agenda: ChainState,
    quantiles: NDArray[np.int64],
    first: _Number,
    last: _Number,
    steps: _Number,
    hot: _Number,
    cold: _Number,
) -> None:
    """Steps `first` to `last` of simulated annealing in `steps` steps, from `hot` to `cold` (units of price).

    Each proposes that an encounter goes where its participant is free, most often beside another of hers, and takes
    the chain that this needs if its price is below one drawn for the heat. What waits is seated where it can be.
    """
    sides, choices, takes, attending, _, told, price, budget, move_price = rules
    slot, at, busy, _, room, best, tally, dice = agenda
    chain = np.empty(slot.shape[0], np.int64)
    number = np.uint64(slot.shape[0])
    for step in range(first, last):
        roll = _roll(dice)
        encounter = np.int64(((roll >> np.uint64(32)) * number) >> np.uint64(32))
        person = sides[encounter, np.int64(roll & _ONE)]
        source = slot[encounter]
        if source < 0:
            _seat(rules, agenda, encounter, person, chain)
            continue
        anywhere = ((roll >> _ONE) & np.uint64(255)) < np.uint64(_ANYWHERE)
        target = _pick(choices, busy, encounter, person, source, anywhere, dice)
        if target < 0:
            continue
        chain[0] = encounter
        length, end = _trace(sides, choices, at, chain, person, source, target)
        if length == 0:
            continue
        change = _price_of_swap(busy, attending, price, person, source, target)
        change += _price_of_swap(busy, attending, price, end, source, target)
        more = _more_moved(told, chain, length, source, target) if move_price else 0
        change += more * move_price
        if change > 0:
            heat = hot - (hot - cold) * step // steps
            if change << QUANTILE_BITS > heat * quantiles[np.int64(_roll(dice) >> np.uint64(52))]:
                continue
        if tally[MOVED] + more > budget or not _has_room(takes, room, chain, length, source, target):
            continue
        _swap(sides, takes, slot, at, room, chain[:length], source, target)
        for each in (person, end):
            _turn(busy, each, source)
            _turn(busy, each, target)
        tally[MOVED] += more
        tally[COST] += change
        if change < 0:
            _keep_if_best(slot, best, tally)


@_compiled
def _seat(
    rules: ChainConstraints, agenda: ChainState, encounter: _Number, person: _Number, chain: NDArray[np.int64]
) -> None:
    """Seat an encounter that waits where one of the two is free, swapping a chain of the other's out of the way."""
    sides, _, takes, attending, _, _, price, _, move_price = rules
    slot, at, busy, held, room, best, tally, _ = agenda
    target, away, length, end, more = _way(rules, agenda, encounter, person, chain)
    if target < 0:
        return
    partner = sides[encounter, 0] + sides[encounter, 1] - person
    before = _price_of_three(busy, attending, price, person, partner, end)
    if length:
        _swap(sides, takes, slot, at, room, chain[:length], target, away)
        for each in (partner, end):
            _turn(busy, each, target)
            _turn(busy, each, away)
    slot[encounter] = target
    for each in (person, partner):
        at[each, target] = encounter
        held[each] += 1
        _turn(busy, each, target)
    for number in range(room.shape[0]):
        room[number, target] -= takes[encounter, number]
    tally[PLACED] += 1
    tally[MOVED] += more
    tally[COST] += more * move_price + _price_of_three(busy, attending, price, person, partner, end) - before
    _keep_if_best(slot, best, tally)


@_compiled
def _way(
    rules: ChainConstraints, agenda: ChainState, encounter: _Number, person: _Number, chain: NDArray[np.int64]
) -> tuple[_Number, _Number, _Number, _Number, _Number]:
    """A slot for an encounter that waits, -1 if the one drawn will not do, and what must be swapped for it.

    That is: where the partner's encounter there goes, the length of its chain, 0 if there is none, the participant at
    its end, and how many more are then elsewhere than told.
    """
    sides, choices, takes, _, quota, told, _, budget, _ = rules
    _, at, busy, held, room, _, tally, dice = agenda
    partner = sides[encounter, 0] + sides[encounter, 1] - person
    length, end, more = 0, partner, 0
    target = _pick(choices, busy, encounter, person, -1, True, dice)
    if target < 0 or held[person] >= quota[person] or held[partner] >= quota[partner]:
        return -1, -1, length, end, more
    away = target
    chain[0] = at[partner, target]
    if chain[0] >= 0:
        away = _pick(choices, busy, chain[0], partner, -1, True, dice)
        if away < 0:
            return -1, away, length, end, more
        length, end = _trace(sides, choices, at, chain, partner, target, away)
        more = _more_moved(told, chain, length, target, away)
        blocked = length == 0 or end == person or tally[MOVED] + more > budget
        if blocked or not _has_room(takes, room, chain, length, target, away):
            return -1, away, length, end, more
    for number in range(room.shape[0]):
        if takes[encounter, number] > room[number, target] + _surplus(takes, chain, length, number):
            return -1, away, length, end, more
    return target, away, length, end, more
