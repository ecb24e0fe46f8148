"""Reader of instances in MiniZinc data (`.dzn`), the format of the paper's archive."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from bench import BenchmarkError
from bench.b2b.instance import B2bInstance, B2bMeeting

#: Tokens of MiniZinc data: comments and space (dropped), ranges, integers, names, brackets.
_TOKEN = re.compile(
    r"(?P<blank>\s+|%[^\n]*|/\*.*?\*/)|(?P<word>\.\.|-?\d+|[A-Za-z_]\w*|\[\||\|\]|[\[\]{}|,;=])", re.DOTALL
)
_COUNTS = ("nBusiness", "nMeetings", "nTables", "nTotalSlots", "nMorningSlots")
_CLOSING = {"[": "]", "{": "}"}
_MORNING, _AFTERNOON, _ANY = 1, 2, 3

Value = int | list["Value"]


class BadInstanceFile(BenchmarkError):
    """The file is no instance. The message holds the place and the reason."""


def read(path: Path) -> B2bInstance:
    """Read the instance of a file.

    Raises:
        BadInstanceFile: the file cannot be read, is no MiniZinc data, or contradicts itself.
    """
    try:
        return instance_of(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, BadInstanceFile) as error:
        raise BadInstanceFile(f"{path}: {error}") from error


def instance_of(text: str) -> B2bInstance:
    """Read the instance of a text in MiniZinc data. The pairs are read from `requested` alone.

    Raises:
        BadInstanceFile: the text is no MiniZinc data, or contradicts itself.
    """
    items = _Parser(_tokens(text)).items()
    participants, meetings, tables, slots, morning = (_count(items, name) for name in _COUNTS)
    requested = _rows(items, meetings)
    forbidden = _sets(items, "forbidden", participants)
    fixed = _list(items, "fixed", meetings)
    halves = {
        _MORNING: range(min(morning, slots)),
        _AFTERNOON: range(morning, slots),
        _ANY: range(slots),
    }
    found = []
    for number, ((first, second, half), at) in enumerate(zip(requested, fixed, strict=True), start=1):
        if not (1 <= first <= participants and 1 <= second <= participants and first != second and half in halves):
            raise BadInstanceFile(f"meeting {number}: {first}, {second}, {half} is not a pair and a half day")
        taken = forbidden[first - 1] | forbidden[second - 1]
        left = tuple(slot for slot in halves[half] if slot + 1 not in taken and at in {0, slot + 1})
        found.append(B2bMeeting(first - 1, second - 1, left))
    return B2bInstance(participants, slots, tables, tuple(found), _precedences(items, meetings))


def _count(items: Mapping[str, Value], name: str) -> int:
    value = items.get(name)
    if not isinstance(value, int) or value < 0:
        raise BadInstanceFile(f"{name} is missing, or no count")
    return value


def _entries(items: Mapping[str, Value], name: str, length: int) -> list[Value]:
    values = items.get(name)
    if not isinstance(values, list) or len(values) != length:
        raise BadInstanceFile(f"{name} needs {length} entries")
    return values


def _list(items: Mapping[str, Value], name: str, length: int) -> list[int]:
    values = _entries(items, name, length)
    numbers = [value for value in values if isinstance(value, int)]
    if len(numbers) != length:
        raise BadInstanceFile(f"{name} holds something else than numbers")
    return numbers


def _sets(items: Mapping[str, Value], name: str, length: int) -> list[set[int]]:
    values = _entries(items, name, length)
    sets = [{member for member in value if isinstance(member, int)} for value in values if isinstance(value, list)]
    if len(sets) != length:
        raise BadInstanceFile(f"{name} holds something else than sets")
    return sets


def _rows(items: Mapping[str, Value], meetings: int) -> list[tuple[int, int, int]]:
    values = items.get("requested")
    rows = [row for row in values if row] if isinstance(values, list) else []
    found = [_triple(row) for row in rows if isinstance(row, list)]
    if len(found) != meetings:
        raise BadInstanceFile(f"requested has not {meetings} rows")
    return found


def _triple(row: Sequence[Value]) -> tuple[int, int, int]:
    match row:
        case [int(first), int(second), int(half)]:
            return first, second, half
    raise BadInstanceFile("a row of requested is not three numbers")


def _precedences(items: Mapping[str, Value], meetings: int) -> tuple[tuple[int, int], ...]:
    if "precedences" not in items:
        return ()
    pairs = [
        (earlier - 1, later)
        for later, before in enumerate(_sets(items, "precedences", meetings))
        for earlier in sorted(before)
        if earlier > 0
    ]
    if any(earlier >= meetings for earlier, _ in pairs):
        raise BadInstanceFile("precedences names a meeting that is not there")
    return tuple(pairs)


def _tokens(text: str) -> list[str]:
    found, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if not match:
            raise BadInstanceFile(f"line {text.count(chr(10), 0, at) + 1}: cannot read {text[at : at + 10]!r}")
        if match["word"]:
            found.append(match["word"])
        at = match.end()
    return found


class _Parser:
    """Parser of items `name = value;`. A value is a number, a range, a set, or an array of one or two dimensions."""

    def __init__(self, tokens: Sequence[str]) -> None:
        self._tokens = tokens
        self._at = 0

    def items(self) -> dict[str, Value]:
        found: dict[str, Value] = {}
        while self._peek():
            name = self._next()
            self._expect("=")
            found[name] = self._value()
            if self._peek():
                self._expect(";")
        return found

    def _value(self) -> Value:
        opening = self._next()
        if opening == "[|":
            return self._table()
        if opening in _CLOSING:
            return self._until(_CLOSING[opening])
        number = self._number(opening)
        if self._peek() != "..":
            return number
        self._next()
        return list(range(number, self._number(self._next()) + 1))

    def _until(self, *ends: str) -> list[Value]:
        found: list[Value] = []
        while self._peek() not in ends:
            found.append(self._value())
            if self._peek() not in ends:
                self._expect(",")
        self._next()
        return found

    def _table(self) -> Value:
        rows: list[Value] = []
        while self._tokens[self._at - 1] != "|]":
            rows.append(self._until("|", "|]"))
        return rows

    def _number(self, token: str) -> int:
        try:
            return int(token)
        except ValueError:
            raise BadInstanceFile(f"{token!r} where a number should be") from None

    def _expect(self, wanted: str) -> None:
        token = self._next()
        if token != wanted:
            raise BadInstanceFile(f"{token!r} where {wanted!r} should be")

    def _peek(self) -> str:
        return self._tokens[self._at] if self._at < len(self._tokens) else ""

    def _next(self) -> str:
        token = self._peek()
        if not token:
            raise BadInstanceFile("the text ends within a value")
        self._at += 1
        return token
