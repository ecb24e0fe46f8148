"""Search of the services' logs for personal data, profile texts and secrets of the load, and for overlong lines."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

#: Container runtimes split lines at this size in bytes.
LONGEST_LINE = 16_384
_SHORTEST = 8
_SHOWN = 5


@dataclass
class LogSearch:
    """Result of a search: number of lines, bytes of the longest line, and findings as sentences."""

    lines: int = 0
    longest: int = 0
    found: list[str] = field(default_factory=list)


def personal_texts(body: Any) -> Iterator[str]:
    """Yield the names, addresses and profile texts in the body of an organisation or a participant.

    Short texts and texts of one word, such as ids, times and country codes, would be found in any log.
    """
    if isinstance(body, dict):
        for value in body.values():
            yield from personal_texts(value)
    elif isinstance(body, list | tuple):
        for value in body:
            yield from personal_texts(value)
    elif isinstance(body, str) and len(body) >= _SHORTEST and (" " in body or "@" in body):
        yield body


def search(logs: Path, canaries: Iterable[str]) -> LogSearch:
    """Search all logs of a folder for canaries, as they are and as JSON escapes them."""
    forms = {form: canary for canary in canaries for form in (canary, json.dumps(canary)[1:-1])}
    result = LogSearch()
    for log in sorted(logs.glob("*.log")):
        written = log.read_text(encoding="utf-8", errors="replace")
        sizes = [len(line.encode()) for line in written.splitlines()]
        result.lines += len(sizes)
        result.longest = max([result.longest, *sizes])
        result.found += [f"{log.name} has a line of {size} bytes" for size in sizes if size > LONGEST_LINE]
        found = sorted({canary for form, canary in forms.items() if form in written})
        result.found += [f"{log.name} holds {canary!r}" for canary in found[:_SHOWN]]
        result.found += [f"{log.name} holds {len(found)} canaries in all"] if len(found) > _SHOWN else []
    return result
