"""Words of 64 bits for the compiled search: random words, counted bits, and the decorator that compiles."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
from numba import njit

from services.scheduler.solver.chain_state import Words

_Function = TypeVar("_Function", bound=Callable[..., object])
#: Types of compiled numbers and words: `int64` and `uint64`, which mypy does not accept for each other.
Number = Any
Word = Any

ONE, NONE = np.uint64(1), np.uint64(0)


def compiled(function: _Function) -> _Function:
    """Compile a function with numba when it is first called, and keep the result on disk.

    Numba's cache notices a change of the compiled function's own file only. A function that calls compiled functions of
    another file is not compiled anew when these change: delete the `*.nbi` files in `__pycache__` then.
    """
    try:
        made = njit(cache=True, error_model="numpy")(function)
    except RuntimeError:  # no folder is writable for the cache: the function is compiled at each start of a worker
        made = njit(error_model="numpy")(function)
    return cast("_Function", made)


@compiled
def roll(dice: Words) -> Word:
    """Return a random word (Marsaglia, "Xorshift RNGs", 2003)."""
    state = dice[0]
    state ^= state << np.uint64(13)
    state ^= state >> np.uint64(7)
    state ^= state << np.uint64(17)
    dice[0] = state
    return state


@compiled
def ones(word: Word) -> Number:
    """Count the bits that are set (Warren, "Hacker's Delight", 5-1)."""
    word -= (word >> ONE) & np.uint64(0x5555555555555555)
    word = (word & np.uint64(0x3333333333333333)) + ((word >> np.uint64(2)) & np.uint64(0x3333333333333333))
    word = (word + (word >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return np.int64((word * np.uint64(0x0101010101010101)) >> np.uint64(56))


@compiled
def bit(slot: Number) -> Word:
    """Return the word in which only the slot's bit is set."""
    return ONE << np.uint64(slot & 63)
