"""multilingual-e5-small (Wang et al., 2024), a BERT of twelve layers, in numpy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix
from services.matching.encoders.weights import Weights, installed, widened

#: The model was trained with it. "passage: " for offers is worse here (ADR 0009).
_PREFIX: Final = "query: "
#: Tokens that count of a text.
_LONGEST: Final = 160

Tokens = list[int]


@dataclass(frozen=True)
class Layer:
    """A layer of the encoder; matrices have shape (in, out)."""

    attend: Matrix
    attend_bias: Matrix
    join: Matrix
    join_bias: Matrix
    join_norm: tuple[Matrix, Matrix]
    widen: Matrix
    widen_bias: Matrix
    narrow: Matrix
    narrow_bias: Matrix
    narrow_norm: tuple[Matrix, Matrix]

    @classmethod
    def of(cls, kept: Weights, number: int) -> Layer:
        """Read a layer as float32: 7 MB."""
        hidden, inner = kept.header.hidden, kept.header.inner

        def matrix(name: str, width: int) -> Matrix:
            return np.ascontiguousarray(widened(kept.blocks(f"l{number}.{name}.w", width)).T)

        def plain(name: str) -> Matrix:
            return kept.plain(f"l{number}.{name}")

        return cls(
            attend=np.concatenate([matrix(name, hidden) for name in "qkv"], axis=1),
            attend_bias=np.concatenate([plain(f"{name}.b") for name in "qkv"]),
            join=matrix("ao", hidden),
            join_bias=plain("ao.b"),
            join_norm=(plain("aln.w"), plain("aln.b")),
            widen=matrix("fi", hidden),
            widen_bias=plain("fi.b"),
            narrow=matrix("fo", inner),
            narrow_bias=plain("fo.b"),
            narrow_norm=(plain("oln.w"), plain("oln.b")),
        )


class E5:
    """Encodes texts of a hundred languages as vectors of 384 numbers; about 25 short texts a second on a core.

    The weights are loaded at first use, in a second; 200 MB. Thread-safe. Of a longer text the first 160 tokens count.
    Texts are encoded singly: see `encoders.use`. Raises `QualityMissing` without the package of the weights.
    """

    name: Final = "e5"

    def __init__(self) -> None:
        self._path = installed()
        self._loading = Lock()

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return raw vectors of shape (texts, 384), of length 1."""
        weights = self._loaded
        vectors = np.empty((len(texts), weights.header.hidden), np.float32)
        for row, text in enumerate(texts):
            pieces = weights.pieces.pieces_of(_PREFIX + text)[:_LONGEST]
            vectors[row] = self._read([weights.begin, *pieces, weights.end])
        return vectors

    def _read(self, tokens: Tokens) -> Matrix:
        """Return the mean of a text's token states, scaled to length 1; shape (384,)."""
        states = self._embedded(tokens)
        for layer in self._layers:
            states = self._through(layer, states)
        mean = states.mean(axis=0)
        unit: Matrix = mean / np.linalg.norm(mean)
        return unit

    def _embedded(self, tokens: Tokens) -> Matrix:
        """Return word, position and type embeddings added up; shape (tokens, hidden)."""
        weights, hidden = self._loaded, self._loaded.header.hidden
        states = widened(weights.blocks("emb.word", hidden)[tokens])
        states += weights.plain("emb.pos").reshape(-1, hidden)[: len(tokens)] + weights.plain("emb.type")[:hidden]
        return self._normed(states, (weights.plain("emb.ln.w"), weights.plain("emb.ln.b")))

    def _through(self, layer: Layer, states: Matrix) -> Matrix:
        attended = self._attended(states @ layer.attend + layer.attend_bias)
        states = self._normed(states + (attended @ layer.join + layer.join_bias), layer.join_norm)
        inner = _gelu(states @ layer.widen + layer.widen_bias)
        return self._normed(states + (inner @ layer.narrow + layer.narrow_bias), layer.narrow_norm)

    def _attended(self, projected: Matrix) -> Matrix:
        """Return the attention output; shape (tokens, hidden). `projected` has queries, keys, values side by side."""
        heads = self._loaded.header.heads
        count, hidden = len(projected), projected.shape[1] // 3
        queries, keys, values = projected.reshape(count, 3, heads, hidden // heads).transpose(1, 2, 0, 3)
        closeness = queries @ keys.transpose(0, 2, 1) * np.float32((hidden // heads) ** -0.5)
        closeness = np.exp(closeness - closeness.max(axis=-1, keepdims=True))
        closeness /= closeness.sum(axis=-1, keepdims=True)
        mixed: Matrix = (closeness @ values).transpose(1, 0, 2).reshape(count, hidden)
        return mixed

    def _normed(self, states: Matrix, gain_and_bias: tuple[Matrix, Matrix]) -> Matrix:
        gain, bias = gain_and_bias
        states = states - states.mean(axis=1, keepdims=True)
        spread = np.sqrt(np.einsum("ij,ij->i", states, states) / states.shape[1] + self._loaded.header.epsilon)
        normed: Matrix = states / spread[:, np.newaxis] * gain + bias
        return normed.astype(np.float32, copy=False)

    @property
    def _loaded(self) -> Weights:
        with self._loading:
            return self._weights

    @cached_property
    def _weights(self) -> Weights:
        return Weights(self._path)

    @cached_property
    def _layers(self) -> list[Layer]:
        return [Layer.of(self._weights, number) for number in range(self._weights.header.layers)]


def _gelu(values: Matrix) -> Matrix:
    """Return the Gaussian error linear unit, by its tanh approximation (Hendrycks and Gimpel, 2016)."""
    inner = values * values
    inner *= np.float32(0.044715)
    inner += 1
    inner *= values
    inner *= np.float32(0.7978845608)
    np.tanh(inner, out=inner)
    inner += 1
    inner *= values
    inner *= np.float32(0.5)
    return inner
