"""Consent of a pair: the single place that decides whether it may get an encounter."""

from __future__ import annotations

from dataclasses import dataclass

from shared.contract.events import Consent, ConsentPolicy


@dataclass(frozen=True)
class ConsentSide:
    """Declarations of a participant towards the partner of a pair.

    Attributes:
        active: participant and organisation take part.
        asked: has a live directed request to the partner.
        accepted: has accepted a request of the partner.
        declined: has declined a request of the partner.
        seeking: has a live open request.
        offered: this open request has the partner among its proposals.
        blocks: blocks the partner.
        is_colleague: represents the partner's organisation, perhaps since a move: a meeting of colleagues is none.
    """

    active: bool = True
    asked: bool = False
    accepted: bool = False
    declined: bool = False
    seeking: bool = False
    offered: bool = False
    blocks: bool = False
    is_colleague: bool = False


def consent_of(policy: ConsentPolicy, first: ConsentSide, second: ConsentSide, *, brought: bool = False) -> Consent:
    """Return the consent of a pair; the order of the two sides does not matter.

    - `mutual`: granted if both sides agree, pending if only a single side agrees.
    - `requester` and `organiser`: granted if a side asks and the partner does not decline. A proposal counts as asking,
      because the requester of the open request wanted proposals.
    - A pair `brought` up by a proposal round, and declined by neither side, is granted under `organiser`. Under
      `mutual` and `requester` it stays pending until a participant asks.
    """
    if not (first.active and second.active) or first.blocks or second.blocks or first.is_colleague:
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
    """Tell whether a side agrees.

    An open request agrees to every proposed or asking partner, except a declined partner.
    """
    welcomes = side.seeking and not side.declined and (partner.asked or side.offered or partner.offered)
    return side.asked or side.accepted or welcomes


def _asks(side: ConsentSide) -> bool:
    return side.asked or side.offered


def _declines(side: ConsentSide) -> bool:
    return side.declined and not (side.asked or side.accepted)
