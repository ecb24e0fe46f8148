"""Encoders of texts: the adapters of language models behind `services.matching.domain.text.scorer.TextScorer`.

Two tiers: the default one needs the extra `matching`, the quality one `quality` as well. Neither needs a network.
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

#: N-grams catch what no encoder knows: names, standards, part numbers. 64 numbers, a tenth of the weight.
_NGRAMS: Final = (0.1, NgramScorer(64))
#: Where a fit begins: nine in ten of our sentences that do not answer each other stay below. And where it is full.
_DEFAULT: Final = Calibration(0.11, 0.45)
_QUALITY: Final = Calibration(0.10, 0.45)


@cache
def use_encoder() -> Use:
    """The process's one USE: it is safe in threads, and takes 100 MB."""
    return Use()


@cache
def default_scorer() -> CachedScorer:
    """The default tier: USE relative to its role, blended with n-grams; its vectors are remembered."""
    return CachedScorer(Blend("use-1", [(0.9, CentredEncoder(use_encoder())), _NGRAMS], _DEFAULT))


@cache
def quality_scorer() -> CachedScorer:
    """The quality tier: USE and E5 in equal parts, blended with n-grams. Raises `QualityMissing` if not installed."""
    return CachedScorer(
        Blend("use-e5-1", [(0.45, CentredEncoder(use_encoder())), (0.45, CentredEncoder(E5())), _NGRAMS], _QUALITY)
    )
