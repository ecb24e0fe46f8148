"""Sizes of a measurement: the small edition, its pace, and the editions of the abusing operator."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Load:
    """Amounts of a measurement. The defaults are the amounts of the whole benchmark."""

    #: Participants of the small edition.
    people: int = 40
    #: Time for which the small edition is measured, once for every abuse.
    seconds: float = 20.0
    requests_per_second: float = 2.5
    reads_per_second: float = 10.0
    #: Longest wait for an encounter, a mail or an answer; a later one counts as lost, with this time.
    patience_seconds: float = 45.0
    #: Participants of the abused editions: with proposals, and with computations or changes.
    many: int = 3_000
    some: int = 300
    import_rows: int = 10_000


#: One short run, against which changes are tried.
QUICK = Load(seconds=10.0, patience_seconds=20.0)
