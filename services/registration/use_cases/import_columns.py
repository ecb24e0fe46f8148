"""Columns of imported files: the field that a column sets, and the way to read its cells."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from services.registration.import_files.sheet import Columns

#: Words of a yes-or-no column, in the languages of the mails. An empty cell is no.
_YES_OR_NO = dict.fromkeys(("yes", "sí", "si", "sim", "true", "1", "x"), True) | dict.fromkeys(
    ("no", "não", "nao", "false", "0", ""), False
)


def _required_text(cell: str) -> str:
    return cell


def _optional_text(cell: str) -> str | None:
    return cell or None


def _yes_or_no(cell: str) -> bool | str:
    return _YES_OR_NO.get(cell.casefold(), cell)


def _words(cell: str) -> list[str]:
    return [word for word in re.split(r"[\s,;|]+", cell) if word]


def _codes(cell: str) -> list[str]:
    """Split as words, but keep a comma between digits: `nace:25,62` is a code, and is rejected with the remedy."""
    return [word for word in re.split(r"(?:[\s;|]|(?<!\d),|,(?!\d))+", cell) if word]


def _languages(cell: str) -> list[str]:
    return _words(cell.lower())


def _items(cell: str) -> list[str]:
    return [item.strip() for item in cell.split("|") if item.strip()]


@dataclass(frozen=True)
class ImportColumn:
    """A column of an imported file, and the path of the field that it sets."""

    name: str
    read: Callable[[str], object]
    path: tuple[str, ...]
    is_required: bool = False


class ImportColumns:
    """The columns of a kind of file. `header` is the check of its first line."""

    def __init__(self, *columns: ImportColumn) -> None:
        self._columns = columns
        self.header = Columns(
            tuple(column.name for column in columns if column.is_required),
            tuple(column.name for column in columns if not column.is_required),
        )

    def __iter__(self) -> Iterator[ImportColumn]:
        return iter(self._columns)

    def patch_of(self, cells: Mapping[str, str]) -> dict[str, Any]:
        """Return the merge patch that a row stands for. Columns that the file has not set nothing."""
        patch: dict[str, Any] = {}
        for column in self._columns:
            if column.name in cells:
                *parents, field = column.path
                target = patch
                for parent in parents:
                    target = target.setdefault(parent, {})
                target[field] = column.read(cells[column.name])
        return patch

    def at(self, pointer: str) -> str:
        """Return the column behind a JSON pointer; the field's own name if no column sets it, empty for the whole."""
        path = tuple(part for part in pointer.split("/") if part)
        for column in self._columns:
            if path[: len(column.path)] == column.path:
                return column.name
        return path[0] if path and path[0] != "profile" else ""


ORGANISATION_COLUMNS = ImportColumns(
    ImportColumn("name", _optional_text, ("name",), is_required=True),
    ImportColumn("kind", _optional_text, ("kind",), is_required=True),
    ImportColumn("country", _optional_text, ("country",), is_required=True),
    ImportColumn("region", _optional_text, ("region",)),
    ImportColumn("delegation", _optional_text, ("delegation",)),
    ImportColumn("interchangeable", _yes_or_no, ("interchangeable",)),
    ImportColumn("codes", _codes, ("codes",)),
)
#: The cells of `organisation` hold names; the import replaces them by ids.
PARTICIPANT_COLUMNS = ImportColumns(
    ImportColumn("organisation", _required_text, ("organisation_id",), is_required=True),
    ImportColumn("name", _required_text, ("name",), is_required=True),
    ImportColumn("email", _required_text, ("email",), is_required=True),
    ImportColumn("languages", _languages, ("languages",), is_required=True),
    ImportColumn("offers", _items, ("profile", "offers")),
    ImportColumn("needs", _items, ("profile", "needs")),
    ImportColumn("codes", _codes, ("profile", "codes")),
    ImportColumn("sessions", _words, ("session_ids",)),
)
#: Fields that a file does not set: they name other entities by id, or several times.
ORGANISATION_FIELDS_NOT_IMPORTED = frozenset({"competitor_ids", "met_before"})
PARTICIPANT_FIELDS_NOT_IMPORTED = frozenset({"available", "blocked_ids", "declined_ids", "waiting_session_ids"})
