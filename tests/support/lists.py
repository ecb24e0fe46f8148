"""Lists read without a process of their own."""

from __future__ import annotations

from services.registration.import_files.delimited import read_csv
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import FieldNames, FieldVocabulary
from services.registration.import_files.sheet import FileLimits, RowRejection, Sheet, SheetRow
from services.registration.import_files.workbook import read_xlsx

#: A list of a name and a country, and perhaps a region.
PLACES = FieldVocabulary(
    (FieldNames("name", ("company",)), FieldNames("country", ("país", "land")), FieldNames("region", (), many=True)),
    required=(("name",), ("country",)),
)


def read_list(
    raw: bytes,
    vocabulary: FieldVocabulary = PLACES,
    *,
    rows: int = 100,
    sheet_name: str = "",
    with_hidden: bool = False,
) -> Sheet:
    """Read a list as the process that reads files does. Raises `UnreadableFile`."""
    packed: list[bytes] = []
    tables: list[FoundTable] = []
    limits = FileLimits(rows, 1_000_000)
    if raw.startswith(b"PK"):
        read_xlsx(raw, vocabulary, limits, packed.append, tables.append, sheet_name=sheet_name, with_hidden=with_hidden)
    else:
        read_csv(raw, vocabulary, limits, packed.append, tables.append)
    return Sheet(tuple(packed), FoundTable.unpacked(tables[0].packed()))


def lines_of(sheet: Sheet) -> list[SheetRow | RowRejection]:
    """Return all lines of a list."""
    return [line for lines in sheet.slices() for line in lines]
