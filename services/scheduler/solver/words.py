"""Words of 64 bits for the compiled search: random words, counted bits, and the decorator that compiles."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable, Iterable
from hashlib import sha256
from pathlib import Path
from typing import Any, TypeVar, cast

import llvmlite.binding
import numba
import numpy as np
from numba.core.caching import UserProvidedCacheLocator

from services.scheduler.solver.chain_state import Words

_Function = TypeVar("_Function", bound=Callable[..., object])
#: Types of compiled numbers and words: `int64` and `uint64`, which mypy does not accept for each other.
Number = Any
Word = Any

ONE, NONE = np.uint64(1), np.uint64(0)


def cache_folder(sources: Path, cache: Path) -> Path:
    """Return the folder below `cache` for functions compiled from these sources, by this numba, for this processor.

    Numba's own check is not enough. It sees the file of a compiled function, not those of the functions that it calls,
    and a renamed tuple type stops it with an `AttributeError`.
    """
    digest = sha256(b"".join(file.read_bytes() for file in sorted(sources.glob("*.py"))))
    digest.update(f"{numba.__version__} {_processor()}".encode())
    return cache / f"tertulia-{digest.hexdigest()[:16]}"


def usable_folder(sources: Path, caches: Iterable[Path]) -> Path | None:
    """Return the `cache_folder` in the first cache that is filled or can be written, or None.

    A filled folder need not be writable, as in an image. Without a folder each start compiles anew.
    """
    for cache in caches:
        folder = cache_folder(sources, cache)
        with contextlib.suppress(OSError):
            if any(folder.rglob("*.nbi")):
                return folder
            folder.mkdir(parents=True, exist_ok=True)
            if os.access(folder, os.W_OK):
                return folder
    return None


def _processor() -> str:
    """Return the name and the features of the processor that numba compiles for: its setting, or this processor."""
    name, features = numba.config.CPU_NAME, numba.config.CPU_FEATURES  # type: ignore[attr-defined] # set at import
    if name is None:
        name = llvmlite.binding.get_host_cpu_name()
    if features is None:
        features = llvmlite.binding.get_host_cpu_features().flatten()
    return f"{name} {features}"


class ReadOnlyCache(UserProvidedCacheLocator):
    """Numba's locator of the folder in `numba.config.CACHE_DIR`, without its test that the folder can be written."""

    def ensure_cache_path(self) -> None:
        """Accept a folder that can only be read."""


_SOURCES = Path(__file__).parent
_USER_CACHE = Path(os.environ.get("XDG_CACHE_HOME") or "~/.cache").expanduser()
_FOLDER = usable_folder(_SOURCES, (_SOURCES / "__pycache__", _USER_CACHE))
if _FOLDER is not None:
    numba.config.CACHE_DIR = str(_FOLDER)  # type: ignore[attr-defined]
    if not os.access(_FOLDER, os.W_OK):
        numba.config.CACHE_LOCATOR_CLASSES = f"{__name__}.{ReadOnlyCache.__name__}"  # type: ignore[attr-defined]


def compiled(function: _Function) -> _Function:
    """Compile a function with numba when it is first called, and keep the result on disk where there is a cache."""
    return cast("_Function", numba.njit(cache=_FOLDER is not None, error_model="numpy")(function))


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
