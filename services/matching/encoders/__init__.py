"""Encoders of texts: adapters of language models to `services.matching.domain.text.scorer.TextScorer`.

Two tiers: the default tier needs the extra `matching`, the quality tier also `quality`. Neither needs a network.
"""

from __future__ import annotations

from functools import cache
from typing import Final

from services.matching.domain.text.blend import Blend, Calibration
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.encoders.cached_scorer import CachedScorer
from services.matching.encoders.centred import CentredEncoder
from services.matching.encoders.e5 import E5
from services.matching.encoders.use import Use
from services.matching.encoders.weights import QualityMissing

__all__ = ["QualityMissing", "default_scorer", "quality_scorer", "use_encoder"]

#: N-grams catch words that no encoder knows: names, standards, part numbers. 64 numbers, a tenth of the weight.
_NGRAMS: Final = (0.1, NgramScorer(64))
#: Cosine at which a fit begins (nine in ten of our sentences that do not answer stay below), and at which it is full.
_DEFAULT: Final = Calibration(0.11, 0.45)
_QUALITY: Final = Calibration(0.10, 0.45)


@cache
def use_encoder() -> Use:
    """Return the USE encoder of the process. It is thread-safe and takes 100 MB."""
    return Use()


@cache
def default_scorer() -> CachedScorer:
    """Return the scorer of the default tier: USE centred by role, blended with n-grams, with a cache."""
    return CachedScorer(Blend("use-1", [(0.9, CentredEncoder(use_encoder())), _NGRAMS], _DEFAULT))


@cache
def quality_scorer() -> CachedScorer:
    """Return the scorer of the quality tier: USE and E5 in equal parts, blended with n-grams, with a cache.

    Raises:
        QualityMissing: the extra `quality` is not installed.
    """
    return CachedScorer(
        Blend("use-e5-1", [(0.45, CentredEncoder(use_encoder())), (0.45, CentredEncoder(E5())), _NGRAMS], _QUALITY)
    )
