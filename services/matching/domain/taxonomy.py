"""Meaning of the codes of profiles and organisations, written `scheme:value`. Unknown codes and schemes are ignored.

`nace:25.62` is an activity of NACE Rev. 2, at any level from `nace:C` down. `ket:robotics` is a key enabling
technology. `s3:agrifood` is a priority of the region's smart specialisation strategy. `coop:sale` is a kind of
cooperation sought.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from enum import StrEnum
from functools import lru_cache
from typing import Final

from services.matching.domain.snapshots import OrganisationSnapshot, ParticipantSnapshot

_NACE: Final = re.compile(r"([A-U])|(\d\d)(?:\.(\d)(\d)?)?", re.ASCII)
#: NACE Rev. 2: the last division of each section, in order (Regulation (EC) No 1893/2006, annex I).
_SECTIONS: Final = dict(
    zip(
        "ABCDEFGHIJKLMNOPQRSTU",
        (3, 9, 33, 35, 39, 43, 47, 53, 56, 63, 66, 68, 75, 82, 84, 85, 88, 93, 96, 98, 99),
        strict=True,
    )
)


class Cooperation(StrEnum):
    """Kinds of cooperation that a participant can seek: `coop:rd` and so on."""

    RD = "rd"
    COMMERCIAL = "commercial"
    SALE = "sale"
    PURCHASE = "purchase"
    INTERNATIONALISATION = "internationalisation"

    @property
    def answer(self) -> Cooperation:
        """The kind that a partner has to seek. Sale and purchase answer mutually; any further kind answers itself."""
        return _ANSWERS.get(self, self)

    @property
    def bit(self) -> int:
        """The kind as a bit of a set of kinds."""
        return 1 << list(Cooperation).index(self)


_ANSWERS: Final = {Cooperation.SALE: Cooperation.PURCHASE, Cooperation.PURCHASE: Cooperation.SALE}


def codes_of(participant: ParticipantSnapshot, organisation: OrganisationSnapshot) -> tuple[str, ...]:
    """Return the codes of a participant and of their organisation."""
    return tuple(dict.fromkeys(participant.profile.codes + organisation.codes))


def of_scheme(scheme: str, codes: Iterable[str]) -> set[str]:
    """Return the codes of a scheme."""
    return {code for code in codes if code.startswith(f"{scheme}:")}


def cooperation_kinds(codes: Iterable[str]) -> set[Cooperation]:
    """Return the kinds of cooperation among codes."""
    named = {code.partition(":")[2] for code in of_scheme("coop", codes)}
    return {kind for kind in Cooperation if kind in named}


def cooperation_bits(kinds: Iterable[Cooperation]) -> int:
    """Return kinds of cooperation as a set of bits."""
    return sum(kind.bit for kind in set(kinds))


def code_tokens(codes: Iterable[str]) -> set[str]:
    """Return codes and the levels above them: `nace:25.62` is also `nace:25.6`, `nace:25` and `nace`."""
    tokens = set()
    for code in codes:
        scheme, _, value = code.partition(":")
        division, _, rest = value.partition(".")
        tokens |= {f"{scheme}:{division}.{rest[:length]}" for length in range(1, len(rest) + 1)}
        tokens.add(f"{scheme}:{division}" if value else scheme)
    return tokens


@lru_cache(maxsize=4096)
def nace_path(code: str) -> tuple[str, ...]:
    """Return section, division, group and class, as far as the code goes; empty for a code that is not of NACE."""
    match = _NACE.fullmatch(code.removeprefix("nace:"))
    if match is None:
        return ()
    section, division, group, last = match.groups()
    if section:
        return (section,)
    section = next((name for name, end in _SECTIONS.items() if 0 < int(division) <= end), "")
    if not section:
        return ()
    path = (section, division, *((f"{division}.{group}",) if group else ()))
    return (*path, f"{division}.{group}{last}") if last else path


@lru_cache(maxsize=65536)
def nace_proximity(one: str, other: str) -> float:
    """Return the proximity of two activities, 0..1: the shared part of their paths (Wu and Palmer, ACL 1994).

    1 for the same activity; between two classes .75 in the same group, .5 in the same division, .25 in the section.
    """
    path, other_path = nace_path(one), nace_path(other)
    shared = 0
    for step, other_step in zip(path, other_path, strict=False):
        if step != other_step:
            break
        shared += 1
    return 2 * shared / (len(path) + len(other_path)) if shared else 0.0
