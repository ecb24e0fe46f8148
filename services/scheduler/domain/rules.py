"""The hard rules, one function each: who may meet at all, and which slots each rule leaves an encounter.

A rule of slots takes the board and the encounter and returns the set of slots it allows, by itself; an encounter may be
in the slots that all of them allow. `RULES` holds them in the order in which they are blamed when none is left.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import chain

from services.scheduler.domain.board import Board, Slots, Wanted
from shared.events import Consent, OrganisationKind, Status, WaitingReason, Zone, ZoneKind

COMPANIES = frozenset({OrganisationKind.SME, OrganisationKind.LARGE_COMPANY})
RESEARCHERS = frozenset({OrganisationKind.RESEARCH_GROUP, OrganisationKind.TECHNOLOGY_CENTRE})

#: The order in which zones are tried. Tables in the demonstration and conference areas are an organiser's overflow.
OPEN_TO_ALL = (ZoneKind.WORKSPACE, ZoneKind.DEMONSTRATION, ZoneKind.CONFERENCE)


def consent_is_granted(consent: Consent) -> bool:
    """Only a pair in which all who must have said yes did is given an encounter."""
    return consent is Consent.GRANTED


def both_take_part(statuses: Iterable[Status]) -> bool:
    """Neither the two participants nor their organisations have cancelled."""
    return all(status is Status.ACTIVE for status in statuses)


def zones_for(kinds: tuple[OrganisationKind | None, OrganisationKind | None], zones: Iterable[Zone]) -> tuple[str, ...]:
    """The zones a pair may meet in, the preferred first.

    A company and a research group or technology centre meet in Innova+ while it has room, then where all others meet:
    the workspace, then whichever tables the demonstration and conference areas have. Innova+ is theirs alone.
    """
    with_tables = [zone for zone in zones if zone.tables]
    kinds_of_zone = (ZoneKind.INNOVA, *OPEN_TO_ALL) if _is_academia_with_industry(kinds) else OPEN_TO_ALL
    return tuple(
        chain.from_iterable([zone.zone_id for zone in with_tables if zone.kind is kind] for kind in kinds_of_zone)
    )


def _is_academia_with_industry(kinds: tuple[OrganisationKind | None, OrganisationKind | None]) -> bool:
    one, other = kinds
    return (one in COMPANIES and other in RESEARCHERS) or (one in RESEARCHERS and other in COMPANIES)


def both_available(board: Board, wanted: Wanted) -> Slots:
    """Both said they are there."""
    return board.hours[wanted.one].available & board.hours[wanted.other].available


def sessions_attended(board: Board, wanted: Wanted) -> Slots:
    """Neither attends a session that overlaps."""
    return board.hours[wanted.one].unattending & board.hours[wanted.other].unattending


def within_quota(board: Board, wanted: Wanted) -> Slots:
    """Neither has as many encounters already as the edition allows a participant."""
    if board.quota is None:
        return board.whole
    most = max(len(board.encounters_of[wanted.one]), len(board.encounters_of[wanted.other]))
    return board.whole if most < board.quota else 0


def one_encounter_a_pair(board: Board, wanted: Wanted) -> Slots:
    """The pair has no encounter yet."""
    return 0 if wanted.pair_id in board.placed else board.whole


def nobody_twice(board: Board, wanted: Wanted) -> Slots:
    """Neither is in another encounter."""
    return board.whole & ~(board.busy[wanted.one] | board.busy[wanted.other])


def tables_in_service(board: Board, wanted: Wanted) -> Slots:
    """A zone open to the pair has tables."""
    return board.whole if any(board.tables.get(zone) for zone in wanted.zones) else 0


def no_table_twice(board: Board, wanted: Wanted) -> Slots:
    """A zone open to the pair has a table at which nobody sits."""
    mask = 0
    for zone in wanted.zones:
        mask |= board.tables_free(zone)
    return mask


Rule = Callable[[Board, Wanted], Slots]

RULES: tuple[tuple[Rule, WaitingReason], ...] = (
    (both_available, WaitingReason.NO_COMMON_SLOT),
    (sessions_attended, WaitingReason.NO_COMMON_SLOT),
    (within_quota, WaitingReason.QUOTA_REACHED),
    (one_encounter_a_pair, WaitingReason.AGENDAS_FULL),
    (nobody_twice, WaitingReason.AGENDAS_FULL),
    (tables_in_service, WaitingReason.NO_TABLE),
    (no_table_twice, WaitingReason.NO_TABLE),
)


def slots_left(board: Board, wanted: Wanted, allowed: Slots) -> tuple[Slots, WaitingReason]:
    """The slots among `allowed` that every rule leaves the encounter, and the first rule to blame if that is none."""
    left = allowed
    for rule, reason in RULES:
        left &= rule(board, wanted)
        if not left:
            return 0, reason
    return left, WaitingReason.AGENDAS_FULL
