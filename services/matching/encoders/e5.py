"""multilingual-e5-small (Wang et al., 2024), a BERT of twelve layers, in numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from threading import Lock
from typing import Final

import numpy as np

from services.matching.domain.text.scorer import Matrix
from services.matching.encoders.weights import Weights, installed, widened

#: The model was taught with it: "passage: " for texts that answer one is worse here (see ADR 0010).
_PREFIX: Final = "query: "
#: Every batch is filled up to this many tokens: see `services.matching.encoders.use`.
_TOKENS: Final = 256
_LONGEST: Final = 160

Tokens = list[int]


@dataclass(frozen=True)
class Layer:
    """One layer of the encoder; matrices have shape (in, out)."""

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
        """A layer as float32: 7 MB."""
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
    """Texts of a hundred languages as vectors of 384 numbers; about 60 short texts a second on one core.

    Loaded at first use, in a second; 200 MB. Safe in threads. Of a longer text the first 160 tokens count.
    Raises `QualityMissing` where the package with its weights is not installed.
    """

    name: Final = "e5"

    def __init__(self) -> None:
        self._path = installed()
        self._loading = Lock()

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Shape (texts, 384), rows of length 1: raw, as the model gives them."""
        kept = self._loaded
        tokens = [[kept.begin, *kept.pieces.pieces_of(_PREFIX + text)[:_LONGEST], kept.end] for text in texts]
        vectors = [self._read(batch) for batch in _batches(tokens)]
        return np.concatenate(vectors) if vectors else np.zeros((0, kept.header.hidden), np.float32)

    def _read(self, batch: Sequence[Tokens]) -> Matrix:
        """The mean of what the model makes of each text's tokens, of length 1."""
        ends = np.cumsum([len(tokens) for tokens in batch])
        spans = [slice(end - len(tokens), end) for tokens, end in zip(batch, ends.tolist(), strict=True)]
        states = self._embedded(batch)
        for layer in self._layers:
            states = self._through(layer, states, spans)
        means = np.stack([states[span].mean(axis=0) for span in spans])
        unit: Matrix = means / np.linalg.norm(means, axis=1, keepdims=True)
        return unit

    def _embedded(self, batch: Sequence[Tokens]) -> Matrix:
        """Words, their positions and their kind; shape (_TOKENS, hidden), zeros after the last text."""
        kept, hidden = self._loaded, self._loaded.header.hidden
        numbers = [number for tokens in batch for number in tokens]
        places = [place for tokens in batch for place in range(len(tokens))]
        states = np.zeros((_TOKENS, hidden), np.float32)
        states[: len(numbers)] = widened(kept.blocks("emb.word", hidden)[numbers])
        states[: len(numbers)] += kept.plain("emb.pos").reshape(-1, hidden)[places] + kept.plain("emb.type")[:hidden]
        return self._normed(states, (kept.plain("emb.ln.w"), kept.plain("emb.ln.b")))

    def _through(self, layer: Layer, states: Matrix, spans: Sequence[slice]) -> Matrix:
        attended = self._attended(states @ layer.attend + layer.attend_bias, spans)
        states = self._normed(states + (attended @ layer.join + layer.join_bias), layer.join_norm)
        inner = _gelu(states @ layer.widen + layer.widen_bias)
        return self._normed(states + (inner @ layer.narrow + layer.narrow_bias), layer.narrow_norm)

    def _attended(self, asked: Matrix, spans: Sequence[slice]) -> Matrix:
        """Each token's mixture of the tokens of its own text. `asked` has queries, keys and values side by side."""
        heads = self._loaded.header.heads
        hidden = asked.shape[1] // 3
        parts = asked.reshape(_TOKENS, 3, heads, hidden // heads)
        mixed = np.zeros((_TOKENS, hidden), np.float32)
        for span in spans:
            queries, keys, values = parts[span].transpose(1, 2, 0, 3)
            closeness = queries @ keys.transpose(0, 2, 1) * np.float32((hidden // heads) ** -0.5)
            closeness = np.exp(closeness - closeness.max(axis=-1, keepdims=True))
            closeness /= closeness.sum(axis=-1, keepdims=True)
            mixed[span] = (closeness @ values).transpose(1, 0, 2).reshape(-1, hidden)
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
    """The Gaussian error linear unit, by its tanh approximation (Hendrycks and Gimpel, 2016)."""
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


def _batches(texts: Sequence[Tokens]) -> Iterator[list[Tokens]]:
    """Texts, as tokens, in batches of at most `_TOKENS` tokens, in their order."""
    batch: list[Tokens] = []
    for tokens in texts:
        if batch and sum(map(len, batch)) + len(tokens) > _TOKENS:
            yield batch
            batch = []
        batch.append(tokens)
    if batch:
        yield batch
