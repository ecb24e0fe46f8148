"""Matches the headings of a list to fields: by name and alias, whatever the case, accents, punctuation and units."""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import resources
from typing import Final

_BRACKETS: Final = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|\{[^{}]*\}|<[^<>]*>")
_CAMEL: Final = re.compile(r"(?<=[a-z])(?=[A-Z])")
_LANGUAGES: Final = re.compile(r"[/|\n]|\s[-\u2013\u2014]\s")
_WORD: Final = re.compile(r"[^\W_]+")
_LONGEST_HEADING: Final = 200
#: Words of headings in six languages. Their file is data: it grows with each list that somebody brings.
ALIASES: Final[Mapping[str, str]] = tomllib.loads(
    resources.files(__package__).joinpath("aliases.toml").read_text(encoding="utf-8")
)
#: A noun with a relative clause behind it.
_CLAUSE: Final = re.compile(
    r"(\w+(?: \w+)?)(?:,? (?:en|a|in|for|per|pour|f\u00fcr|zu|de|da|di))?(?: (?:la|el|lo|o|der|dem))?,?"
    r" (?:que|cual|which|that|you|qui|che|cui|das|die|den|dem|der|where|donde|onde|dove|quale|laquelle|lequel)\b",
    re.IGNORECASE,
)
#: Fields of an organisation that no heading with the qualifier of a person names.
_NAMES: Final = frozenset({"name", "full_name"})
_UNQUALIFIED: Final = frozenset({"kind", "organisation_kind"})
#: Rank of a heading that is a value itself: its cells hold marks.
RANK_OF_MARKS: Final = 1_000
#: A heading that is a time: 09:00, 9-10h, 10:00-11:00, or a part of a day.
_HOURS: Final = re.compile(
    rf"\d{{1,2}}\s*[:hH]\s*\d{{2}}|\d{{1,2}}\s*h?\s*[-\u2013]\s*\d{{1,2}}\s*h|\b(?:{'|'.join(ALIASES['parts_of_a_day'].split())})\b",
    re.IGNORECASE,
)
#: Numbers behind the heading of a further person in a row.
_FURTHER: Final = frozenset("23456789")
#: Words of group headings that say nothing: "Company details".
_GROUP_FILLERS: Final = frozenset(ALIASES["group_fillers"].split())
#: Words that say nothing of a heading.
_FILLERS: Final = frozenset(ALIASES["fillers"].split())
#: Words before a heading that tell whose field it is. They are dropped only if the whole heading matches nothing.
_QUALIFIERS: Final = frozenset(ALIASES["qualifiers"].split())


def key_of(text: str) -> str:
    """Return a key that all spellings of a heading share: letters and digits without accents, in order."""
    return "".join(_words(text))


def _words(text: str) -> list[str]:
    words = _all_words(text)
    return [word for word in words if word not in _FILLERS] or words


def _all_words(text: str) -> list[str]:
    spaced = _CAMEL.sub(" ", text[:_LONGEST_HEADING])
    plain = unicodedata.normalize("NFKD", spaced.replace("ß", "ss").replace("&", " and "))
    folded = "".join(letter for letter in plain if not unicodedata.combining(letter)).casefold()
    return _WORD.findall(folded)


def _keys(words: Sequence[str]) -> Iterator[str]:
    yield "".join(words)
    yield "".join(sorted(words))


@dataclass(frozen=True)
class FieldNames:
    """A field of a list and its names, the most specific first. Several columns of a `many` field are joined."""

    name: str
    aliases: tuple[str, ...] = ()
    many: bool = False


@dataclass(frozen=True)
class FieldVocabulary:
    """The fields that a kind of list may have. `required` holds groups: a list needs a field of every group.

    `mapping` names the field of a heading, or of a column letter, that no alias knows; an empty name ignores a column.
    `marked` is the field whose values are headings with marks below them: the times of a day, or one of `marks`.
    """

    fields: tuple[FieldNames, ...]
    required: tuple[tuple[str, ...], ...] = ()
    mapping: Mapping[str, str] = field(default_factory=dict)
    marked: str = ""
    marks: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        ranks: dict[str, tuple[int, str]] = {}
        exact: dict[str, tuple[int, str]] = {}
        for names in self.fields:
            for rank, alias in enumerate((*names.aliases, names.name)):
                exact.setdefault("".join(_all_words(alias)), (rank, names.name))
                for key in _keys(_words(alias)):
                    ranks.setdefault(key, (rank, names.name))
        object.__setattr__(self, "_ranks", ranks)
        object.__setattr__(self, "_exact", exact)
        object.__setattr__(self, "_marks", frozenset(map(key_of, self.marks)))
        object.__setattr__(self, "_mapped", {key_of(heading): name for heading, name in self.mapping.items()})

    def field_of(self, heading: str, column: int) -> tuple[int, str] | None:
        """Return the rank and the field of a heading; None if there is none. The smallest rank fits best."""
        mapped: Mapping[str, str] = getattr(self, "_mapped")  # noqa: B009 - set in a frozen class
        for key in filter(None, (key_of(heading), key_of(letter_of(column)))):
            if key in mapped:
                return (-1, mapped[key]) if mapped[key] else None
        return self._known(heading) or self._marked(heading)

    def _marked(self, heading: str) -> tuple[int, str] | None:
        marks: frozenset[str] = getattr(self, "_marks")  # noqa: B009 - set in a frozen class
        is_mark = key_of(heading) in marks if self.marks else _HOURS.search(heading) is not None
        return (RANK_OF_MARKS, self.marked) if self.marked and is_mark else None

    def of_group(self, group: str, found: tuple[int, str] | None) -> tuple[int, str] | None:
        """Return the field of a heading under a group heading: a name below "Company details" is the organisation's."""
        if not group or not found or found[1] not in _NAMES or "organisation" not in self.names:
            return found
        owner = self._known(" ".join(word for word in _words(group) if word not in _GROUP_FILLERS))
        return (found[0], "organisation") if owner and owner[1] == "organisation" else found

    @property
    def names(self) -> frozenset[str]:
        """The names of all fields."""
        return frozenset(names.name for names in self.fields)

    def is_many(self, name: str) -> bool:
        """Tell whether several columns of a field are joined."""
        return any(names.many for names in self.fields if names.name == name)

    def missing(self, found: Sequence[str]) -> list[str]:
        """List the required fields that are not among these, as their alternatives."""
        return [" or ".join(group) for group in self.required if not set(group) & set(found)]

    def _known(self, heading: str) -> tuple[int, str] | None:
        # With its fillers, "available from" is another field than "available".
        exact: Mapping[str, tuple[int, str]] = getattr(self, "_exact")  # noqa: B009 - set in a frozen class
        for spelling in _spellings(heading):
            if found := exact.get("".join(_all_words(spelling))):
                return found
            words = _words(spelling)
            counted, number = _without_number(words)
            without = [word for word in counted if word not in _QUALIFIERS]
            for known in (words, counted, without):
                found = self._ranked(known)
                # A "Participant type" says nothing of the organisation.
                if found and not (known is without and known != counted and found[1] in _UNQUALIFIED):
                    # "Email 2" is that of a second person, for whom the row has no place.
                    return None if known != words and number in _FURTHER and not self.is_many(found[1]) else found
        return None

    def _ranked(self, words: Sequence[str]) -> tuple[int, str] | None:
        ranks: Mapping[str, tuple[int, str]] = getattr(self, "_ranks")  # noqa: B009 - set in a frozen class
        return next((ranks[key] for key in filter(None, _keys(words)) if key in ranks), None)


def _without_number(words: Sequence[str]) -> tuple[Sequence[str], str]:
    """Return words without the numbers at their end, and the first of these; empty if there is none."""
    end = len(words)
    while end > 1 and words[end - 1].isdigit():
        end -= 1
    return words[:end], words[end] if end < len(words) else ""


def _spellings(heading: str) -> Iterator[str]:
    """Yield a heading without its brackets, and its parts if it is written in several languages."""
    plain = _BRACKETS.sub(" ", heading[:_LONGEST_HEADING])
    if not _WORD.search(plain):
        plain = heading
    yield plain
    # "Attendee name: Given name", as ticket shops write parts of a name.
    if ":" in plain:
        yield plain.rpartition(":")[2]
    yield from _LANGUAGES.split(plain)
    # "Entidad a la que representa": the noun before the clause.
    if found := _CLAUSE.match(plain.strip(" \u00bf?")):
        yield found[1]


def letter_of(column: int) -> str:
    """Return the letters of a column that is counted from 0: A, B, ... Z, AA."""
    letters = ""
    column += 1
    while column:
        column, rest = divmod(column - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


@dataclass(frozen=True)
class ListColumn:
    """A column of a list: its number from 0, its heading, and its field; empty if it is ignored."""

    number: int
    heading: str
    field: str
    rank: int = 0

    @property
    def letter(self) -> str:
        """The letters of the column in a spreadsheet."""
        return letter_of(self.number)


@dataclass(frozen=True)
class ListHeader:
    """The row that holds the headings: its line, its columns, and its width in cells."""

    line: int
    columns: tuple[ListColumn, ...]
    width: int
    missing: tuple[str, ...] = ()

    @property
    def known(self) -> tuple[ListColumn, ...]:
        """The columns that set a field."""
        return tuple(column for column in self.columns if column.field)

    @property
    def score(self) -> tuple[bool, int]:
        """Order of headers: complete first, then with most fields."""
        return not self.missing, len({column.field for column in self.known})


def header_of(line: int, cells: Sequence[str], above: Sequence[str], vocabulary: FieldVocabulary) -> ListHeader:
    """Read a row as headings. `above` is the row of group headings over them; empty if there is none."""
    columns = []
    groups = _spread(above, len(cells))
    for number, (cell, group) in enumerate(zip(cells, groups, strict=True)):
        heading = " ".join(f"{group} {cell}".split())
        if heading:
            found = vocabulary.field_of(heading, number) or (vocabulary.field_of(cell, number) if cell else None)
            rank, name = vocabulary.of_group(group, found) or (0, "")
            columns.append(ListColumn(number, heading[:_LONGEST_HEADING], name, rank))
    missing = vocabulary.missing([column.field for column in columns])
    return ListHeader(line, tuple(columns), len(cells), tuple(missing))


def _spread(above: Sequence[str], width: int) -> list[str]:
    """Repeat group headings over the columns to their right."""
    groups, group = [], ""
    for number in range(width):
        group = (above[number].strip() if number < len(above) else "") or group
        groups.append(group)
    return groups


def find_header(rows: Sequence[tuple[int, Sequence[str]]], vocabulary: FieldVocabulary) -> ListHeader | None:
    """Find the headings among the first rows of a list: the row that names most fields; None if no row names any."""
    best: ListHeader | None = None
    above: Sequence[str] = ()
    line_above = 0
    for line, cells in rows:
        headers = [header_of(line, cells, (), vocabulary)]
        if line_above == line - 1 and sum(map(bool, above)) > 1:
            wide = [*cells, *[""] * (len(above) - len(cells))]
            headers.append(header_of(line, wide, above, vocabulary))
        for header in headers:
            if header.known and (best is None or header.score > best.score):
                best = header
        above, line_above = cells, line
    return best
