"""The process that reads a file. It comes by standard input; packed slices of its rows leave by standard output.

It imports nothing but the standard library, the readers and a detector of encodings. Its limits hold whatever the file
makes a reader do.
"""

from __future__ import annotations

import json
import os
import resource
import signal
import sys
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from functools import partial
from typing import Final

from services.registration.import_files.delimited import read_csv
from services.registration.import_files.foreign import ZIP, is_hypertext, refuse_foreign
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.hypertext import read_hypertext
from services.registration.import_files.sheet import FileLimits, UnreadableFile
from services.registration.import_files.vocabulary import VOCABULARIES
from services.registration.import_files.workbook import read_xlsx

#: First byte of a line of the output: a slice, the place of the list, a slice with all cells, the end of the file, or
#: the reason of a refusal.
SLICE: Final = b"+"
FOUND: Final = b"#"
WHOLE: Final = b"="
END: Final = b"."
REFUSED: Final = b"!"
_NICENESS = 10


@dataclass(frozen=True)
class ReadTask:
    """A file to read: the kind of its list and its limits, and the limits of the process."""

    #: Name of a vocabulary.
    kind: str
    rows: int
    unpacked_bytes: int
    #: Of all memory of the process.
    memory_bytes: int
    #: Of processor time. On a busy machine the process may take three times as long.
    seconds: int
    #: Id of the process whose end ends this process; 0: any.
    parent: int = 0
    #: Fields by heading, before all aliases.
    mapping: Mapping[str, str] = field(default_factory=dict)
    #: Name of the sheet of a workbook; empty: the best.
    sheet: str = ""
    #: Headings of columns with marks, such as the titles of sessions.
    marks: tuple[str, ...] = ()
    #: Whether hidden rows of a workbook are read.
    hidden: bool = False
    #: Whether all cells are passed on besides, for a marked copy.
    whole: bool = False

    @property
    def longest_seconds(self) -> int:
        """Time after which the process ends in any case."""
        return 3 * self.seconds

    def packed(self) -> str:
        """Return the task as the argument of the process."""
        return json.dumps(asdict(self))


def main(argument: str) -> None:
    """Read the file of a task."""
    task = ReadTask(**json.loads(argument))
    _limit(task)
    try:
        _read(task, sys.stdin.buffer.read())
    except UnreadableFile as error:
        _write(REFUSED, str(error).encode())
    except MemoryError:
        _write(REFUSED, f"takes more than {task.memory_bytes} bytes of memory to read: split the file".encode())
    else:
        _write(END, b"")
    # Python drops the handler before it ends: a last signal of the timer would kill the process.
    signal.setitimer(signal.ITIMER_REAL, 0)


def _read(task: ReadTask, raw: bytes) -> None:
    limits = FileLimits(task.rows, task.unpacked_bytes)
    vocabulary = replace(VOCABULARIES[task.kind], mapping=task.mapping, marks=tuple(task.marks))

    def take(packed: bytes) -> None:
        _write(SLICE, packed)

    def found(table: FoundTable) -> None:
        _write(FOUND, table.packed())

    keep = partial(_write, WHOLE) if task.whole else None
    refuse_foreign(raw)
    if raw.startswith(ZIP):
        read_xlsx(raw, vocabulary, limits, take, found, sheet_name=task.sheet, with_hidden=task.hidden, keep=keep)
    elif is_hypertext(raw):
        read_hypertext(raw, vocabulary, limits, take, found, keep=keep)
    else:
        read_csv(raw, vocabulary, limits, take, found, keep=keep)


def _limit(task: ReadTask) -> None:
    """Set the limits: the kernel refuses memory beyond them, and kills the process at the end of its time."""
    os.nice(_NICENESS)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    for kind, most in (
        (resource.RLIMIT_AS, task.memory_bytes),
        (resource.RLIMIT_CPU, task.seconds),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_FSIZE, 0),
    ):
        resource.setrlimit(kind, (most, most))
    _end_with_parent(task)


def _end_with_parent(task: ReadTask) -> None:
    """End the process within a second of its parent's end, however that came, or when its time is over."""
    end = time.monotonic() + task.longest_seconds

    def check(*_: object) -> None:
        if task.parent not in (0, os.getppid()) or time.monotonic() > end:
            os._exit(1)

    signal.signal(signal.SIGALRM, check)
    signal.setitimer(signal.ITIMER_REAL, 1, 1)


def _write(kind: bytes, content: bytes) -> None:
    sys.stdout.buffer.write(kind + content + b"\n")


if __name__ == "__main__":
    main(sys.argv[1])
