"""Whether a pair may be given an encounter: the one place where consent is decided."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contract.events import Consent, ConsentPolicy


@dataclass(frozen=True)
class ConsentSide:
    """What one of a pair has said to the other.

    Attributes:
        active: takes part, and so does the organisation it represents.
        asked: has a directed request to the other that still stands.
        accepted: has accepted a request of the other.
        declined: has declined a request of the other.
        seeking: has an open request that still stands.
        offered: that open request brought up the other as a partner.
        blocks: wants neither to meet nor to be seen by the other.
    """

    active: bool = True
    asked: bool = False
    accepted: bool = False
    declined: bool = False
    seeking: bool = False
    offered: bool = False
    blocks: bool = False


def consent_of(policy: ConsentPolicy, first: ConsentSide, second: ConsentSide, *, brought: bool = False) -> Consent:
    """The consent of a pair, the same whichever side is named first.

    `mutual` needs the yes of both, and is pending on the yes of one. `requester` and `organiser` need one who asks,
    and no standing no of the one asked: a proposal by the system is what the requester of an open request asked for,
    and what the organiser lets the system decide. A pair `brought` up by the organiser, and refused by neither, is
    granted under `organiser`, and under the others waits for somebody to ask.
    """
    if not (first.active and second.active) or first.blocks or second.blocks:
        return Consent.REFUSED
    waits = brought and not (_declines(first) or _declines(second))
    if policy is ConsentPolicy.MUTUAL:
        votes = _agrees(first, second) + _agrees(second, first)
        return (Consent.PENDING if waits else Consent.REFUSED, Consent.PENDING, Consent.GRANTED)[votes]
    wanted = (_asks(first) and not _declines(second)) or (_asks(second) and not _declines(first))
    if wanted or (waits and policy is ConsentPolicy.ORGANISER):
        return Consent.GRANTED
    return Consent.PENDING if waits else Consent.REFUSED


def _agrees(side: ConsentSide, partner: ConsentSide) -> bool:
    """An open request is its requester's yes to whoever is proposed or asks, save whom they declined."""
    welcomes = side.seeking and not side.declined and (partner.asked or side.offered or partner.offered)
    return side.asked or side.accepted or welcomes


def _asks(side: ConsentSide) -> bool:
    return side.asked or side.offered


def _declines(side: ConsentSide) -> bool:
    return side.declined and not (side.asked or side.accepted)
