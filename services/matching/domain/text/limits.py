"""Amounts and materials that rule an offer out: too small, too large a lot, or too soft a material."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Final, NamedTuple

from services.matching.domain.text.trades import folded

_AMOUNT: Final = re.compile(
    r"(?<![\w.,-])(\d{1,9}(?:[.,]\d{1,9})*)\s?(mm|cm|m|kg|tm|t|toneladas?|tonnes?|tons?"
    r"|unidades|units|piezas|pecas|pieces|parts|unites|uds?)\b"
    r"(?:\s(?:a la |al |por |per |par |a |/)?(semana|week|semaine|mes|month|mois|ano|year|an|dia|day|jour)\b)?"
)
_UPPER: Final = re.compile(r"\b(?:hasta|up to|ate|jusqu\w*|maximo|max|bis)\b[^,;]*$")
_LOWER: Final = re.compile(r"\b(?:desde|from|a partir d\w*|ab|minimo|minimum)\s(?:\w+\s)?(?:de\s)?$")
_BEFORE: Final = 30
_THOUSANDS: Final = re.compile(r"\d{1,3}(?:\.\d{3})+")
#: Units as a dimension and a factor.
_UNITS: Final = {
    "mm": ("length", 1.0),
    "cm": ("length", 10.0),
    "m": ("length", 1000.0),
    "kg": ("mass", 0.001),
}
#: Periods as their number in a month.
_MONTHLY: Final = {
    **dict.fromkeys(("semana", "week", "semaine"), 52 / 12),
    **dict.fromkeys(("mes", "month", "mois"), 1.0),
    **dict.fromkeys(("ano", "year", "an"), 1 / 12),
    **dict.fromkeys(("dia", "day", "jour"), 22.0),
}
#: Shares by which a need may pass a limit, and a rate.
_LIMIT_SLACK, _RATE_SLACK = 1.05, 1.10
#: Materials, the softer ones first: a shop that machines a harder one can machine a softer one.
_HARDNESS: Final = {"aluminium": 1, "copper-brass": 1, "carbon-steel": 2, "cast-iron": 2, "stainless": 3, "titanium": 4}


class Amount(NamedTuple):
    """An amount of a text in millimetres, tonnes or pieces; a rate is a month's."""

    dimension: str
    value: float
    limit: str
    is_rate: bool


def amounts_of(text: str) -> tuple[Amount, ...]:
    """Return the lengths, masses and counts of a text. `limit` is `upper`, `lower` or empty."""
    plain = folded(text)
    return tuple(_amount(plain, match) for match in _AMOUNT.finditer(plain))


def amounts_conflict(need: Iterable[Amount], offer: Iterable[Amount]) -> bool:
    """Tell whether an amount of a need passes a limit or a rate of an offer."""
    offered = tuple(offer)
    return any(_passes(asked, limit) for asked in need for limit in offered)


def hardest(names: Iterable[str]) -> int:
    """Return the hardness of the hardest material among these names; 0 without a material."""
    return max((_HARDNESS.get(name, 0) for name in names), default=0)


def _amount(plain: str, match: re.Match[str]) -> Amount:
    dimension, factor = _UNITS.get(match[2], ("mass", 1.0) if match[2][0] == "t" else ("count", 1.0))
    before = plain[max(0, match.start() - _BEFORE) : match.start()]
    limit = "upper" if _UPPER.search(before) else "lower" if _LOWER.search(before) else ""
    return Amount(dimension, _number(match[1]) * factor * _MONTHLY.get(match[3], 1.0), limit, match[3] is not None)


def _number(written: str) -> float:
    if _THOUSANDS.fullmatch(written):
        return float(written.replace(".", ""))
    whole, _, rest = written.replace(",", ".").partition(".")
    return float(f"{whole}.{rest.replace('.', '') or 0}")


def _passes(asked: Amount, offered: Amount) -> bool:
    if (asked.dimension, asked.is_rate) != (offered.dimension, offered.is_rate):
        return False
    if offered.limit == "upper":
        return asked.value > offered.value * _LIMIT_SLACK
    if offered.limit == "lower":
        return asked.value * _LIMIT_SLACK < offered.value
    return offered.is_rate and asked.value > offered.value * _RATE_SLACK
