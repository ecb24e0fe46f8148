"""Files made to exhaust memory or time: each is read or refused within a small part of the reader's bounds.

The memory is that of the process that reads the file, as the kernel counts it. Before, openpyxl read files in the
service: a row of 15 million empty cells (60 KB) took 4.6 GB and 62 s, ten million rows took 885 MB, and four million
shared texts took 409 MB and 53 s.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from functools import partial
from typing import IO

import pytest

from services.registration.import_files.reader import END, REFUSED, ReadTask
from tests.support.workbooks import SHARED, SHEET, STYLES, by_hand, repeated, shared, sheet_of, zipped

MIB = 1024 * 1024
LAUGHS = '<!DOCTYPE a [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;"><!ENTITY c "&b;&b;&b;&b;">]><a>&c;</a>'
ROW = '<row r="2"><c t="str"><v>Acme</v></c><c t="str"><v>sme</v></c><c t="str"><v>ES</v></c></row>'
UNNUMBERED = "<row><c t='s'><v>0</v></c><c t='s'><v>0</v></c><c t='s'><v>0</v></c></row>"


#: Starts the reader and prints its memory in KiB. A process counts the memory of its parent at the fork as its own: the
#: launcher is small.
LAUNCHER = """
import os, sys
child = os.posix_spawn(sys.argv[1], sys.argv[1:], os.environ)
_, status, usage = os.wait4(child, 0)
print(usage.ru_maxrss, file=sys.stderr)
sys.exit(os.waitstatus_to_exitcode(status))
"""

#: Workbooks, each with the reason for which it is refused; None if it is read.
WORKBOOKS: dict[str, tuple[Callable[[], bytes], str | None]] = {
    "15 million empty cells in a row": (
        lambda: by_hand({SHEET: repeated('<row r="2">', "<c/>", 15_000_000, "</row>")}),
        "more than 16384 cells in row 2",
    ),
    "10 million rows": (lambda: by_hand({SHEET: repeated("", "<row/>", 10_000_000, "")}), "row '1048577'"),
    "a million rows of an empty cell": (
        lambda: by_hand({SHEET: repeated(ROW, "<row><c/></row>", 1_000_000, "")}),
        None,
    ),
    "a text of 60 MB": (
        lambda: by_hand({SHEET: repeated('<row r="2"><c t="str"><v>🏭', "a", 60_000_000, "</v></c></row>")}),
        None,
    ),
    "a tag of 60 MB": (
        lambda: by_hand({SHEET: repeated('<row r="2"><c t="', "a", 60_000_000, '"/></row>')}),
        "a tag of",
    ),
    "10 million elements inside each other": (lambda: by_hand({SHEET: repeated("", "<a>", 10_000_000, "")}), "inside"),
    "a million different names": (
        lambda: by_hand({SHEET: sheet_of("".join(f"<a{number}/>" for number in range(1_000_000)))}),
        "different names",
    ),
    "4 million shared texts": (lambda: by_hand({SHARED: shared(4_000_000)}), "shared texts: split the file"),
    "shared texts of 60 MB": (
        lambda: by_hand({SHARED: shared(5_000, f"<si><t>{'a' * 12_000}🏭</t></si>", 100)}),
        None,
    ),
    "one long text in 30,000 cells": (
        lambda: by_hand(
            {SHEET: repeated("", UNNUMBERED, 10_000, ""), SHARED: shared(1, f"<si><t>{'a' * 12_000}</t></si>")}
        ),
        "bytes of text in its cells: split the file",
    ),
    "15 million formats": (
        lambda: by_hand({STYLES: b"<styleSheet><cellXfs>" + b"<xf/>" * 12_000_000}),
        "more than 65536 formats",
    ),
    "a theme of 60 MB": (lambda: by_hand({SHEET: sheet_of(ROW), "xl/theme/theme1.xml": b"<a/>" * 15_000_000}), None),
    "a million merged cells": (
        lambda: by_hand(
            {SHEET: sheet_of(ROW).replace("</sheetData>", "</sheetData>" + '<mergeCell ref="A2:C2"/>' * 1_000_000)}
        ),
        None,
    ),
    "parts that state 10 GB": (
        lambda: zipped({f"p{number}": b"0" * 50_000_000 for number in range(2)}),
        "unpacks to more than 67108864 bytes",
    ),
    "60,000 parts": (lambda: zipped({f"p{number}": b"" for number in range(60_000)}), "60000 parts; at most 1000"),
    "60,000 sheets": (lambda: by_hand({}, sheets='<sheet name="S" r:id="s"/>' * 60_000), "more than 10000 sheets"),
    **{
        f"laughs in {part}": (partial(by_hand, {part: LAUGHS}), "declares a document type")
        for part in ("_rels/.rels", "xl/workbook.xml", "xl/_rels/workbook.xml.rels", SHEET, SHARED, STYLES)
    },
}

#: CSV files of the largest size, likewise.
FILES: dict[str, tuple[bytes, str | None]] = {
    "8 MB of separators": (b";" * 8 * MIB, "headings; at most"),
    "a million column names": (b"name;" * 1_600_000, "1600001 headings; at most 1000"),
    "8 MB of line breaks": (b"name,kind,country" + b"\n" * 8 * MIB, None),
    "a quoted cell of 8 MB": (b'name,kind,country\n"' + b"a" * 8 * MIB + b'"', None),
    "a quoted cell of rare characters": (('name,kind,country\n"' + "🏭" * 2 * MIB).encode(), None),
    "8 MB of quotes": (b"name,kind,country\n" + b'"' * 8 * MIB, None),
    "8 MB of null characters": (b"name,kind,country\n" + b"\0" * 8 * MIB, None),
    "4 million rows": (b"name,kind,country\n" + b"a\n" * 4 * MIB, "more than 10000 rows"),
    "4 million cells in a row": (b"name,kind,country\n" + b"a," * 4 * MIB, None),
    "UTF-16": ("name,kind,country\n".encode("utf-16") + b"a\0" * MIB, None),
}


def read_apart(raw: bytes, source: IO[bytes]) -> tuple[bytes, int]:
    """Read a file as the service does. Return the last line of the output, and the process's memory in bytes."""
    task = ReadTask("organisations", 10_000, 64 * MIB, 256 * MIB, 60)
    source.write(raw)
    source.seek(0)
    command = (sys.executable, "-m", "services.registration.import_files.reader", task.packed())
    done = subprocess.run((sys.executable, "-c", LAUNCHER, *command), stdin=source, capture_output=True, check=True)
    return done.stdout.splitlines()[-1], int(done.stderr) * 1024


def check(verdict: bytes, reason: str | None) -> None:
    if reason is None:
        assert verdict == END
    else:
        assert verdict.startswith(REFUSED)
        assert reason in verdict.decode()


@pytest.mark.parametrize("name", WORKBOOKS)
def test_a_workbook_is_read_in_little_memory_or_refused(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    make, reason = WORKBOOKS[name]
    with (tmp_path_factory.mktemp("attack") / "file").open("w+b") as source:
        verdict, memory = read_apart(make(), source)
    check(verdict, reason)
    assert memory < 256 * MIB


@pytest.mark.parametrize("name", FILES)
def test_a_csv_file_is_read_in_bounded_memory_or_refused(name: str, tmp_path_factory: pytest.TempPathFactory) -> None:
    raw, reason = FILES[name]
    with (tmp_path_factory.mktemp("attack") / "file").open("w+b") as source:
        verdict, memory = read_apart(raw, source)
    check(verdict, reason)
    assert memory < 256 * MIB
