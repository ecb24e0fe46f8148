"""Kempe chains on flat arrays, compiled by numba: two slots are swapped along a path of shared participants.

The agenda is a graph: participants are vertices, pairs are edges, slots are colours. The pairs of two slots form paths
and cycles. Swapping the two slots along a path leaves no participant twice in a slot. Only the two participants at the
ends of the path change their busy slots, so the price of a swap depends on these two alone.

All arithmetic is on integers, so that a seed gives the same agenda on every machine. Compiled functions take the arrays
they need: a tuple of arrays would be copied at each call. See `words.compiled` before moving a function elsewhere.
"""

from __future__ import annotations

import numpy as np

from services.scheduler.solver.chain_state import ChainConstraints, ChainState, Numbers, PairNumbers, Words
from services.scheduler.solver.words import NONE, ONE, Number, Word, bit, compiled, ones, roll

#: Indexes of `ChainState.tally`.
PLACED, COST, BEST_PLACED, BEST_COST, MOVED = range(5)
#: Quantiles of the exponential distribution are integers, in units of 1 / 2^10.
QUANTILE_BITS, QUANTILES = 10, 4096
#: Of 256 proposals, the number that go to any slot, not only to a slot next to another meeting of the participant.
_ANYWHERE = 8


@compiled
def _price_of(busy: Word, attending: Word, price: Numbers) -> Number:
    """Return the price of a participant's breaks in a word."""
    span = busy
    span |= span >> np.uint64(1)
    span |= span >> np.uint64(2)
    span |= span >> np.uint64(4)
    span |= span >> np.uint64(8)
    span |= span >> np.uint64(16)
    span |= span >> np.uint64(32)
    idle = span & ~((busy & (~busy + ONE)) - ONE) & ~(busy | attending)
    total: Number = 0
    while idle != NONE:
        idle >>= np.uint64(ones((idle & (~idle + ONE)) - ONE))
        total += price[ones(idle & ~(idle + ONE))]
        idle &= idle + ONE
    return total


@compiled
def _price_of_person(busy: Words, attending: Words, price: Numbers, person: Number) -> Number:
    total = 0
    for word in range(busy.shape[1]):
        total += _price_of(busy[person, word], attending[person, word], price)
    return total


@compiled
def _price_of_three(
    busy: Words, attending: Words, price: Numbers, person: Number, partner: Number, end: Number
) -> Number:
    """Return the price of the breaks of three participants. `end` may be the same as `partner`, and counts once."""
    total = 0
    for turn in range(2 if end == partner else 3):
        priced = person if turn == 0 else partner if turn == 1 else end
        total += _price_of_person(busy, attending, price, priced)
    return total


@compiled
def _price_of_swap(
    busy: Words, attending: Words, price: Numbers, person: Number, source: Number, target: Number
) -> Number:
    """Return the change of price if a participant is busy in the other of two slots."""
    word, second = source >> 6, target >> 6
    flipped = busy[person, word] ^ bit(source)
    change = -_price_of(busy[person, word], attending[person, word], price)
    if word == second:
        flipped ^= bit(target)
    else:
        elsewhere = busy[person, second]
        change -= _price_of(elsewhere, attending[person, second], price)
        change += _price_of(elsewhere ^ bit(target), attending[person, second], price)
    return change + _price_of(flipped, attending[person, word], price)


@compiled
def _pick(
    choices: Words, busy: Words, pair: Number, person: Number, here: Number, anywhere: Number, dice: Words
) -> Number:
    """Draw a slot for the pair in which the participant is free; -1 if there is none.

    Unless `anywhere`, draw only slots directly before or after another meeting of the participant, if there is any.
    `here` is the pair's present slot, or -1.
    """
    number, rest = 0, NONE
    for word in range(busy.shape[1]):
        rest |= busy[person, word] & ~bit(here) if here >> 6 == word else busy[person, word]
    anywhere = anywhere or rest == NONE
    for word in range(busy.shape[1]):
        number += ones(_suitable(choices, busy, pair, person, here, anywhere, word))
    if number == 0:
        return -1
    chosen = np.int64(((roll(dice) >> np.uint64(32)) * np.uint64(number)) >> np.uint64(32))
    for word in range(busy.shape[1]):
        suitable = _suitable(choices, busy, pair, person, here, anywhere, word)
        count = ones(suitable)
        if chosen < count:
            for _ in range(chosen):
                suitable &= suitable - ONE
            return word * 64 + ones((suitable & (~suitable + ONE)) - ONE)
        chosen -= count
    return -1


@compiled
def _suitable(
    choices: Words, busy: Words, pair: Number, person: Number, here: Number, anywhere: Number, word: Number
) -> Word:
    suitable = choices[pair, word] & ~busy[person, word]
    if not anywhere:
        rest = busy[person, word]
        if here >> 6 == word:
            rest &= ~bit(here)
        suitable &= (rest << ONE) | (rest >> ONE)
    return suitable


@compiled
def _trace(
    sides: Numbers,
    choices: Words,
    pair_at: PairNumbers,
    chain: Numbers,
    person: Number,
    source: Number,
    target: Number,
) -> tuple[Number, Number]:
    """Complete the chain that begins with `chain[0]`, in the source slot, of a participant free in the target slot.

    Returns the number of pairs that swap slots, 0 if a pair may not, and the participant at the other end.
    """
    length = 1
    end = sides[chain[0], 0] + sides[chain[0], 1] - person
    to, fro = target, source
    while True:
        blocker = np.int64(pair_at[end, to])
        if blocker < 0:
            return length, end
        if not choices[blocker, fro >> 6] & bit(fro):
            return 0, end
        chain[length] = blocker
        length += 1
        end = sides[blocker, 0] + sides[blocker, 1] - end
        to, fro = fro, to


@compiled
def _surplus(takes: Numbers, chain: Numbers, length: Number, zone_set: Number) -> Number:
    """Return the tables that a chain takes in its first slot beyond those in its second: its pairs alternate."""
    more = 0
    for link in range(length):
        more += takes[chain[link], zone_set] * (1 - 2 * (link & 1))
    return more


@compiled
def _has_tables(
    takes: Numbers, free_tables: Numbers, chain: Numbers, length: Number, source: Number, target: Number
) -> bool:
    """Return whether the tables suffice once the chain is swapped."""
    for zone_set in range(free_tables.shape[0]):
        more = _surplus(takes, chain, length, zone_set)
        if more > free_tables[zone_set, target] or -more > free_tables[zone_set, source]:
            return False
    return True


@compiled
def _more_moved(published: Numbers, chain: Numbers, length: Number, source: Number, target: Number) -> Number:
    """Return the change in the number of pairs outside their published slots once the chain is swapped."""
    more = 0
    for link in range(length):
        slot = published[chain[link]]
        here, there = (target, source) if link & 1 else (source, target)
        if slot >= 0:
            more += int(there != slot) - int(here != slot)
    return more


@compiled
def _swap(
    sides: Numbers,
    takes: Numbers,
    slot: Numbers,
    pair_at: PairNumbers,
    free_tables: Numbers,
    chain: Numbers,
    source: Number,
    target: Number,
) -> None:
    """Swap the two slots along a chain. The busy slots of the two participants at its ends are left to the caller."""
    for pair in chain:
        for side in range(2):
            pair_at[sides[pair, side], slot[pair]] = -1
    for link in range(chain.shape[0]):
        pair = chain[link]
        here, there = (target, source) if link & 1 else (source, target)
        slot[pair] = there
        for side in range(2):
            pair_at[sides[pair, side], there] = pair
        for zone_set in range(free_tables.shape[0]):
            free_tables[zone_set, here] += takes[pair, zone_set]
            free_tables[zone_set, there] -= takes[pair, zone_set]


@compiled
def _turn(busy: Words, person: Number, slot: Number) -> None:
    busy[person, slot >> 6] ^= bit(slot)


@compiled
def _keep_if_best(slot: Numbers, best: Numbers, tally: Numbers) -> None:
    if tally[PLACED] > tally[BEST_PLACED] or (tally[PLACED] == tally[BEST_PLACED] and tally[COST] < tally[BEST_COST]):
        tally[BEST_PLACED], tally[BEST_COST] = tally[PLACED], tally[COST]
        for pair in range(slot.shape[0]):  # compiles ten times faster than an assignment of the whole array
            best[pair] = slot[pair]


@compiled
def begin(constraints: ChainConstraints, state: ChainState) -> None:
    """Price an agenda that the caller has filled in, and take it for the best so far."""
    cost = state.tally[MOVED] * constraints.move_price
    for person in range(state.pair_at.shape[0]):
        cost += _price_of_person(state.busy, constraints.attending, constraints.price, person)
    state.tally[COST], state.tally[BEST_PLACED] = cost, -1
    _keep_if_best(state.slot, state.best, state.tally)


@compiled
def anneal(
    constraints: ChainConstraints,
    state: ChainState,
    quantiles: Numbers,
    first: Number,
    last: Number,
    steps: Number,
    hot: Number,
    cold: Number,
) -> None:
    """Do steps `first` to `last` of simulated annealing in `steps` steps, from `hot` to `cold` (units of price).

    A step draws a pair and a participant of it, and proposes a slot in which the participant is free, most often next
    to another meeting. The chain that this needs is swapped if its price is below a price drawn for the heat. A waiting
    pair is placed wherever it can be.
    """
    sides, choices, takes, attending, _, published, price, budget, move_price = constraints
    slot, pair_at, busy, _, free_tables, best, tally, dice = state
    chain = np.empty(slot.shape[0], np.int64)
    number = np.uint64(slot.shape[0])
    for step in range(first, last):
        drawn = roll(dice)
        pair = np.int64(((drawn >> np.uint64(32)) * number) >> np.uint64(32))
        person = sides[pair, np.int64(drawn & ONE)]
        source = slot[pair]
        if source < 0:
            _place(constraints, state, pair, person, chain)
            continue
        anywhere = ((drawn >> ONE) & np.uint64(255)) < np.uint64(_ANYWHERE)
        target = _pick(choices, busy, pair, person, source, anywhere, dice)
        if target < 0:
            continue
        chain[0] = pair
        length, end = _trace(sides, choices, pair_at, chain, person, source, target)
        if length == 0:
            continue
        change = _price_of_swap(busy, attending, price, person, source, target)
        change += _price_of_swap(busy, attending, price, end, source, target)
        more = _more_moved(published, chain, length, source, target) if move_price else 0
        change += more * move_price
        if change > 0:
            heat = hot - (hot - cold) * step // steps
            if change << QUANTILE_BITS > heat * quantiles[np.int64(roll(dice) >> np.uint64(52))]:
                continue
        if tally[MOVED] + more > budget or not _has_tables(takes, free_tables, chain, length, source, target):
            continue
        _swap(sides, takes, slot, pair_at, free_tables, chain[:length], source, target)
        for turned in (person, end):
            _turn(busy, turned, source)
            _turn(busy, turned, target)
        tally[MOVED] += more
        tally[COST] += change
        if change < 0:
            _keep_if_best(slot, best, tally)


@compiled
def _place(constraints: ChainConstraints, state: ChainState, pair: Number, person: Number, chain: Numbers) -> None:
    """Place a waiting pair where `person` is free, swapping a chain of the partner's out of the way."""
    sides, _, takes, attending, _, _, price, _, move_price = constraints
    slot, pair_at, busy, held, free_tables, best, tally, _ = state
    target, away, length, end, more = _way(constraints, state, pair, person, chain)
    if target < 0:
        return
    partner = sides[pair, 0] + sides[pair, 1] - person
    before = _price_of_three(busy, attending, price, person, partner, end)
    if length:
        _swap(sides, takes, slot, pair_at, free_tables, chain[:length], target, away)
        for turned in (partner, end):
            _turn(busy, turned, target)
            _turn(busy, turned, away)
    slot[pair] = target
    for placed in (person, partner):
        pair_at[placed, target] = pair
        held[placed] += 1
        _turn(busy, placed, target)
    for zone_set in range(free_tables.shape[0]):
        free_tables[zone_set, target] -= takes[pair, zone_set]
    tally[PLACED] += 1
    tally[MOVED] += more
    tally[COST] += more * move_price + _price_of_three(busy, attending, price, person, partner, end) - before
    _keep_if_best(slot, best, tally)


@compiled
def _way(
    constraints: ChainConstraints, state: ChainState, pair: Number, person: Number, chain: Numbers
) -> tuple[Number, Number, Number, Number, Number]:
    """Draw a slot for a waiting pair, with the chain to be swapped for it.

    Returns the slot, -1 if the slot drawn will not do; the new slot of the partner's pair in it; the length of that
    pair's chain, 0 if there is none; the participant at its end; and the change in the number of moved pairs.
    """
    sides, choices, takes, _, quota, published, _, budget, _ = constraints
    _, pair_at, busy, held, free_tables, _, tally, dice = state
    partner = sides[pair, 0] + sides[pair, 1] - person
    length, end, more = 0, partner, 0
    target = _pick(choices, busy, pair, person, -1, True, dice)
    if target < 0 or held[person] >= quota[person] or held[partner] >= quota[partner]:
        return -1, -1, length, end, more
    away = target
    chain[0] = pair_at[partner, target]
    if chain[0] >= 0:
        away = _pick(choices, busy, chain[0], partner, -1, True, dice)
        if away < 0:
            return -1, away, length, end, more
        length, end = _trace(sides, choices, pair_at, chain, partner, target, away)
        more = _more_moved(published, chain, length, target, away)
        blocked = length == 0 or end == person or tally[MOVED] + more > budget
        if blocked or not _has_tables(takes, free_tables, chain, length, target, away):
            return -1, away, length, end, more
    for zone_set in range(free_tables.shape[0]):
        if takes[pair, zone_set] > free_tables[zone_set, target] + _surplus(takes, chain, length, zone_set):
            return -1, away, length, end, more
    return target, away, length, end, more
