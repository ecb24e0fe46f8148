"""Removes amounts from texts: two texts with "8 tonnes" in them are not similar because of it."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

#: Units, in es, en, pt and fr. Not axes or phases: a machine of five axes is another machine.
_UNITS: Final = (
    r"%|(?:[mck]?m|[mk]?g|toneladas?|tonnes?|tons?|d[ií]as?|days?|jours?|semanas?|weeks?|semaines?|m[eê]s(?:es)?|months?|mois"
    r"|a[nñ]os?|years?|ans?|ann[eé]es|horas?|hours?|heures?|unidades|unit[eé]s|units|piezas|pe[cç]as|pi[eè]ces|parts"
    r"|euros?|eur)\b"
)
_AMOUNT: Final = re.compile(rf"(?<![\w.-])\d+(?:[.,]\d+)*\s*(?:{_UNITS})", re.IGNORECASE)


@lru_cache(maxsize=8192)
def without_amounts(text: str) -> str:
    """Return a text without its weights, measures, counts and durations."""
    return _AMOUNT.sub(" ", text)
