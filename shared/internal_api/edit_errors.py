"""The reasons for which the scheduler rejects a change of an agenda by hand, a report of attendance or a what-if."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from http import HTTPStatus


class EditErrorCode(StrEnum):
    """A reason for a rejection. The value is the last part of the problem type that an organiser receives; stable."""

    ALREADY_THERE = "already-there"
    BEGUN = "begun"
    CANCELLED = "cancelled"
    CIRCULAR = "circular"
    CLOSED = "closed"
    CONTRADICTION = "contradiction"
    NOT_A_GUEST = "not-a-guest"
    NOT_A_REPRESENTATIVE = "not-a-representative"
    NOT_BEGUN = "not-begun"
    NOT_LIVE = "not-live"
    NOT_THEIRS = "not-theirs"
    NOT_WANTED = "not-wanted"
    NOTHING_TO_UNDO = "nothing-to-undo"
    NO_PLACE = "no-place"
    NO_SUCH_SLOT = "no-such-slot"
    NO_TABLE = "no-table"
    TOO_MANY_GUESTS = "too-many-guests"
    TOO_MANY_ORDERS = "too-many-orders"
    UNKNOWN_EDITION = "unknown-edition"
    UNKNOWN_ENCOUNTER = "unknown-encounter"
    UNKNOWN_PARTICIPANT = "unknown-participant"
    UNKNOWN_ZONE = "unknown-zone"

    @property
    def status(self) -> HTTPStatus:
        """The HTTP status of the answer: 404 or 422 for a wrong request, 409 for a wrong moment."""
        if self in _NOT_FOUND:
            return HTTPStatus.NOT_FOUND
        return HTTPStatus.UNPROCESSABLE_ENTITY if self in _INVALID else HTTPStatus.CONFLICT


_NOT_FOUND = frozenset({EditErrorCode.UNKNOWN_EDITION, EditErrorCode.UNKNOWN_ENCOUNTER, EditErrorCode.UNKNOWN_ZONE})
_INVALID = frozenset(
    {
        EditErrorCode.CONTRADICTION,
        EditErrorCode.NOT_THEIRS,
        EditErrorCode.NO_SUCH_SLOT,
        EditErrorCode.NO_TABLE,
        EditErrorCode.UNKNOWN_PARTICIPANT,
        EditErrorCode.NOT_A_REPRESENTATIVE,
        EditErrorCode.NOT_A_GUEST,
        EditErrorCode.ALREADY_THERE,
    }
)

#: Codes with which the scheduler may reject a report of attendance.
ATTENDANCE_ERRORS = frozenset(
    {
        EditErrorCode.UNKNOWN_ENCOUNTER,
        EditErrorCode.NOT_LIVE,
        EditErrorCode.NOT_BEGUN,
        EditErrorCode.NOT_THEIRS,
        EditErrorCode.CONTRADICTION,
    }
)
#: Codes with which the scheduler may reject a what-if question.
WHAT_IF_ERRORS = frozenset(
    {
        EditErrorCode.UNKNOWN_EDITION,
        EditErrorCode.CLOSED,
        EditErrorCode.UNKNOWN_ZONE,
        EditErrorCode.NO_SUCH_SLOT,
    }
)
#: Codes with which the scheduler may reject an edit.
EDIT_ERRORS = frozenset(EditErrorCode) - {
    EditErrorCode.NOT_LIVE,
    EditErrorCode.NOT_BEGUN,
    EditErrorCode.UNKNOWN_ZONE,
}


def by_status(codes: Iterable[EditErrorCode]) -> Mapping[HTTPStatus, list[EditErrorCode]]:
    """Group codes by the HTTP status of their answer; codes sorted."""
    grouped: dict[HTTPStatus, list[EditErrorCode]] = {}
    for code in sorted(codes):
        grouped.setdefault(code.status, []).append(code)
    return grouped
