"""Checks calendar files with libical's restrictions of RFC 5545 and 5546. Prints each finding; exit 1 if any."""

from __future__ import annotations

import ctypes
import ctypes.util
import sys
from collections.abc import Iterator
from pathlib import Path


def findings(library: ctypes.CDLL, text: bytes) -> Iterator[str]:
    """Yield the errors that libical writes into a calendar that breaks a restriction."""
    library.icalparser_parse_string.restype = ctypes.c_void_p
    library.icalcomponent_as_ical_string.restype = ctypes.c_char_p
    calendar = ctypes.c_void_p(library.icalparser_parse_string(text))
    if not calendar:
        yield "it is no calendar"
        return
    is_valid = library.icalrestriction_check(calendar)
    written: bytes = library.icalcomponent_as_ical_string(calendar)
    errors = [line for line in written.decode().replace("\r\n ", "").splitlines() if line.startswith("X-LIC-ERROR")]
    yield from errors
    if not is_valid and not errors:
        yield "a restriction is broken"
    library.icalcomponent_free(calendar)


def main(files: list[str]) -> int:
    """Check files; return the exit status."""
    library = ctypes.CDLL(ctypes.util.find_library("ical") or "libical.so.3")
    found = [f"{file}: {finding}" for file in files for finding in findings(library, Path(file).read_bytes())]
    print("\n".join(found), end="\n" if found else "")
    return int(bool(found))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
