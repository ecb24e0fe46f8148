"""The flat arrays on which Kempe chains are searched (see `kempe`).

Pairs and participants are numbered as in the draft. A slot is a number: its word times 64, plus its bit in the word. A
day is one word. A day with more than 64 slots goes on in a second word; a break across the two words is not counted.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

#: Bits of a word.
WORD = 64

Numbers = NDArray[np.int64]
Words = NDArray[np.uint64]
PairNumbers = NDArray[np.int32]


class ChainConstraints(NamedTuple):
    """The constants of a search. Shapes: `n` pairs, `p` participants, `d` words, `z` sets of zones."""

    #: [n, 2] the two participants of a pair.
    sides: Numbers
    #: [n, d] the slots that a pair may have, wherever the other pairs move, as bits.
    choices: Words
    #: [n, z] 1 if the pair takes a table from the set of zones, else 0.
    takes: Numbers
    #: [p, d] the slots in which the participant attends a session, as bits.
    attending: Words
    #: [p] the most pairs of the search that the participant may meet.
    quota: Numbers
    #: [n] the published slot of a pair, or -1.
    published: Numbers
    #: [65] the price of a break, by its length in slots.
    price: Numbers
    #: The most pairs that may leave their published slot, and the price of each such move.
    budget: int
    move_price: int


class ChainState(NamedTuple):
    """The variables of a search. Shapes as in `ChainConstraints`, with `s` slots."""

    #: [n] the slot of a pair, or -1 while it waits.
    slot: Numbers
    #: [p, s] the pair of a participant in a slot, or -1.
    pair_at: PairNumbers
    #: [p, d] the taken slots of a participant, fixed meetings included, as bits.
    busy: Words
    #: [p] the placed pairs of a participant, without fixed meetings.
    held: Numbers
    #: [z, s] the tables left in a set of zones.
    free_tables: Numbers
    #: [n] the slots of the best agenda seen.
    best: Numbers
    #: [5] counts and costs; `kempe.PLACED` and the constants after it are the indexes.
    tally: Numbers
    #: [1] the state of the random number generator.
    dice: Words


def empty_state(*, pairs: int, people: int, words: int, zone_sets: int, seed: int) -> ChainState:
    """Return arrays of the right shapes, with the generator seeded. The caller fills in an agenda."""
    return ChainState(
        slot=np.empty(pairs, np.int64),
        pair_at=np.full((people, words * WORD), -1, np.int32),
        busy=np.zeros((people, words), np.uint64),
        held=np.zeros(people, np.int64),
        free_tables=np.zeros((zone_sets, words * WORD), np.int64),
        best=np.empty(pairs, np.int64),
        tally=np.zeros(5, np.int64),
        dice=np.array([(seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1], np.uint64),
    )
