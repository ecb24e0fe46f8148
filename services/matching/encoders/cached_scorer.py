"""A cache of vectors by the content of their text."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from hashlib import sha256
from threading import Lock
from typing import Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.text.scorer import Matrix, Role, TextScorer

#: 100,000 vectors of 256 numbers take 70 MB.
_REMEMBERED: Final = 100_000

Key = tuple[Role, bytes]


class CachedScorer:
    """Wraps a scorer with a cache of the most recently used vectors, by role and hash of the text. Thread-safe.

    Vectors are kept as float16, which holds numbers of the grid without loss.
    """

    def __init__(self, scorer: TextScorer, size: int = _REMEMBERED) -> None:
        self._scorer = scorer
        self._size = size
        self._vectors: OrderedDict[Key, NDArray[np.float16]] = OrderedDict()
        self._lock = Lock()
        self.version = scorer.version

    @property
    def width(self) -> int:
        return self._scorer.width

    def embed(self, texts: Sequence[str], role: Role) -> Matrix:
        """See `TextScorer.embed`; embeds only texts that are not in the cache, without repeats."""
        keys = [(role, sha256(text.encode("utf-8", "replace")).digest()) for text in texts]
        with self._lock:
            known = {key: self._vectors[key] for key in keys if key in self._vectors}
        missing = {key: text for key, text in zip(keys, texts, strict=True) if key not in known}
        vectors = self._scorer.embed(list(missing.values()), role).astype(np.float16)
        known |= zip(missing, vectors, strict=True)
        with self._lock:
            self._remember({key: known[key] for key in keys})
        embedded = np.zeros((len(texts), self.width), np.float32)
        for row, key in enumerate(keys):
            embedded[row] = known[key]
        return embedded

    def fit(self, cosines: Matrix) -> Matrix:
        """See `TextScorer.fit`."""
        return self._scorer.fit(cosines)

    def _remember(self, used: dict[Key, NDArray[np.float16]]) -> None:
        for key, vector in used.items():
            # A copy: a row of the batch would keep the whole batch alive.
            self._vectors[key] = self._vectors.get(key, vector.copy())
            self._vectors.move_to_end(key)
        while len(self._vectors) > self._size:
            self._vectors.popitem(last=False)
