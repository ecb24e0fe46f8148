"""The place of a list in its file, and the rows and columns of the file that are not read."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Final

from services.registration.import_files.headings import ListHeader

#: Lines that are named of all rows that are not read.
_MOST_LINES: Final = 20


@dataclass(frozen=True)
class FoundColumn:
    """A column of the file: its letters, its heading, and the field that it sets; empty if it is ignored."""

    letter: str
    heading: str
    field: str


@dataclass(frozen=True)
class FoundTable:
    """The place of the list in its file: encoding and delimiter, or the sheet; the line of the headings; the columns.

    Line 0: not found yet. `other_lists` are further sheets with such a list. `hidden_rows` counts the hidden rows that
    are not read, `hidden_lines` are the first of them, and `hidden_columns` the headings of hidden columns, which are
    read. `no_entries` are the first lines of totals and notes. With `family_first` most names are like `Ruiz, Ana`.
    """

    header_line: int = 0
    columns: tuple[FoundColumn, ...] = ()
    encoding: str = ""
    delimiter: str = ""
    sheet: str = ""
    other_sheets: tuple[str, ...] = ()
    other_lists: tuple[str, ...] = ()
    hidden_rows: int = 0
    hidden_lines: tuple[int, ...] = ()
    hidden_columns: tuple[str, ...] = ()
    no_entries: tuple[int, ...] = ()
    family_first: bool = False

    @classmethod
    def of(cls, header: ListHeader, **place: Any) -> FoundTable:  # noqa: ANN401 - the further fields
        """Return the place of a list with this header."""
        columns = tuple(FoundColumn(column.letter, column.heading, column.field) for column in header.columns)
        return cls(header_line=header.line, columns=columns, **place)

    @classmethod
    def unpacked(cls, packed: bytes) -> FoundTable:
        """Read a packed place."""
        fields = json.loads(packed)
        columns = tuple(FoundColumn(*column) for column in fields.pop("columns"))
        lists = {name: tuple(value) for name, value in fields.items() if isinstance(value, list)}
        return cls(columns=columns, **fields | lists)

    def with_rows(
        self, *, hidden: Sequence[int] = (), no_entries: Sequence[int] = (), family_first: bool = False
    ) -> FoundTable:
        """Return the place with what its rows tell: the lines that were not read, and the order of names."""
        return replace(
            self,
            family_first=family_first,
            hidden_rows=len(hidden),
            hidden_lines=tuple(hidden[:_MOST_LINES]),
            no_entries=tuple(no_entries[:_MOST_LINES]),
        )

    def packed(self) -> bytes:
        """Return the place as JSON."""
        columns = [(column.letter, column.heading, column.field) for column in self.columns]
        return json.dumps(self.__dict__ | {"columns": columns}, ensure_ascii=False).encode()
