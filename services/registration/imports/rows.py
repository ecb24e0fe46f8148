"""Rows of lists read as the fields of organisations and participants."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final

from services.registration.domain.edition import Edition
from services.registration.domain.errors import FieldError, Invalid
from services.registration.exports.cells import without_repeats
from services.registration.import_files.found_table import FoundTable
from services.registration.import_files.headings import key_of
from services.registration.import_files.sheet import DateCell, SheetRow
from services.registration.imports.codes import UncertainCode, codes_of, may_be_cut
from services.registration.imports.contacts import (
    comma_removed,
    country_of_phone,
    domain_of,
    emails_of,
    given_name_first,
    line_of,
    own_id,
    person_name,
    phone_of,
    website_of,
)
from services.registration.imports.countries import country_of, country_of_domain, suggested
from services.registration.imports.sessions import sessions_of
from services.registration.imports.words import (
    NOTHING,
    WORDS,
    is_gone,
    kind_by_name,
    kind_of,
    languages_of,
    mailed,
    plain,
    yes_or_no,
)
from shared.contract.events import OrganisationKind

_MOST_LANGUAGES: Final = 3
_MOST_ITEMS: Final = 10
_MOST_CODES: Final = 30
_LONGEST_ITEM: Final = 1000
_LONGEST_DESCRIPTION: Final = 5000
_ITEMS: Final = re.compile(r"[;|\n•]")
#: A list inside of a cell: "1. CNC 2. EDM", "a) CNC b) EDM".
_FIRST_NUMBER: Final = re.compile(r"\s*(?:1[.)-]|a\))\s*[^\W\d]")
_NUMBERED: Final = re.compile(r"(?:^|[\s,;])(?:\d{1,2}[.)-]|[a-j]\))\s+(?=[^\W\d])|^\s*1[.)-]")
_SEVERAL: Final = re.compile(r"[^\W\d]{2}\s[/&]\s[^\W\d]{2}")
_SALUTATIONS: Final = frozenset(WORDS["salutations"].split())


@dataclass(frozen=True)
class ListDefaults:
    """Values of fields that a list leaves out: given with the request, or told by the edition's time zone.

    `headings` are the headings of the list by field.
    """

    language: str
    country: str | None = None
    kind: OrganisationKind | None = None
    headings: dict[str, str] = field(default_factory=dict)
    family_first: bool = False

    def of_table(self, found: FoundTable) -> ListDefaults:
        """Return the defaults for a list with these columns."""
        known = [column for column in reversed(found.columns) if column.field]
        headings = {column.field: column.heading for column in known}
        return replace(self, headings=headings, family_first=found.family_first)


@dataclass
class ReadRow:
    """The merge patch of a row, values that a new entity takes besides, and doubts about the row by field.

    `assumed` names the fields whose values the list does not hold. Participants have the `organisation` of their row.
    """

    row: SheetRow
    patch: dict[str, Any] = field(default_factory=dict)
    assumed: dict[str, Any] = field(default_factory=dict)
    doubts: list[FieldError] = field(default_factory=list)
    faults: list[FieldError] = field(default_factory=list)
    organisation: ReadRow | None = None

    def cell(self, name: str) -> str:
        """Return a cell; empty for a missing cell, and for a cell that says that there is nothing."""
        text = self.row.cells.get(name, "")
        return "" if text.casefold() in NOTHING else text

    def has(self, name: str) -> bool:
        """Tell whether the list has a column of a field."""
        return name in self.row.cells

    def doubt(self, name: str, reason: str) -> None:
        """Add a doubt about a field."""
        self.doubts.append(FieldError(f"/{name}", reason))

    def refuse(self, name: str, reason: str) -> None:
        """Add a fault of a field."""
        self.faults.append(FieldError(f"/{name}", reason))

    def check(self) -> None:
        """Raise `Invalid` if the row has a fault."""
        if self.faults:
            raise Invalid(*self.faults)

    def without_repeats(self, patch: Mapping[str, Any], written: Mapping[str, str]) -> dict[str, Any]:
        """Return a patch without the fields that repeat what an export has `written`, and drop their doubts."""
        kept, repeated = without_repeats(patch, self.row.cells, written)
        self.doubts = [doubt for doubt in self.doubts if doubt.pointer.strip("/") not in repeated]
        return kept

    def new(self) -> dict[str, Any]:
        """Return the fields of a new entity."""
        return {name: value for name, value in (self.assumed | self.patch).items() if value is not None}


def read_organisation(row: SheetRow, defaults: ListDefaults) -> ReadRow:
    """Read a row of a list of organisations. Raises `Invalid`."""
    read = ReadRow(row)
    _refuse_gone(read, defaults)
    _put_line(read, "name", required="the organisation has no name")
    _put_organisation(read, defaults, "", (read.cell("website"), read.cell("phone")))
    if read.has("interchangeable"):
        answer = yes_or_no(row.cells["interchangeable"])
        read.patch["interchangeable"] = answer
        if answer is None:
            read.refuse("interchangeable", f"{row.cells['interchangeable'][:50]!r}: write yes or no")
    _put_codes(read, read.patch, defaults)
    _put_phone(read, read.patch.get("country") or read.assumed.get("country"))
    _put_own_id(read)
    read.check()
    return read


def read_participant(row: SheetRow, defaults: ListDefaults, edition: Edition) -> ReadRow:
    """Read a row of a list of participants, with the organisation that it names. Raises `Invalid`."""
    read = ReadRow(row)
    _refuse_gone(read, defaults)
    names = {name: read.cell(name) for name in row.cells}
    _put_person(read, names, defaults)
    _put_email(read)
    _put_languages(read, defaults)
    profile: dict[str, Any] = {}
    for name in ("offers", "needs"):
        if read.has(name):
            profile[name] = _items(read, name)
    _put_codes(read, profile, defaults)
    if profile:
        read.patch["profile"] = profile
    if read.has("sessions"):
        read.patch["session_ids"] = sessions_of(read.cell("sessions"), edition)
    _put_line(read, "job_title")
    _put_own_id(read)
    if plain(read.patch.get("job_title") or "").replace(" ", "") in _SALUTATIONS:
        del read.patch["job_title"]
    read.organisation = organisation = ReadRow(row)
    organisation.patch["name"] = line_of(read.cell("organisation"))
    _refuse_date(read, "organisation")
    if not organisation.patch["name"]:
        read.refuse("organisation", "no organisation: write its name; merged cells of a CSV file hold their first only")
    hints = (read.cell("organisation_website"), read.patch.get("email", ""), read.cell("phone"))
    _put_organisation(organisation, defaults, "organisation_", hints)
    _put_phone(read, organisation.patch.get("country") or organisation.assumed.get("country"))
    read.check()
    return read


def _put_person(read: ReadRow, names: dict[str, str], defaults: ListDefaults) -> None:
    """Read the name of a person from all columns that hold a part of it."""
    if "full_name" in names:
        names["full_name"] = given_name_first(names["full_name"], defaults.headings.get("full_name", ""))
    written = person_name(names)
    name = read.patch["name"] = comma_removed(written) if defaults.family_first else written
    _refuse_date(read, "name", "full_name", "first_name", "last_name")
    if not name:
        read.refuse("name", "the person has no name")
    elif name != written:
        read.doubt("name", f"{written[:100]!r} is read as {name[:100]!r}")
    elif _SEVERAL.search(name):
        read.doubt("name", f"{name[:100]!r}: several people? Write a row for each")


def _refuse_date(read: ReadRow, name: str, *fields: str) -> None:
    if dated := next((field for field in (name, *fields) if read.row.kinds.get(field) == DateCell.KIND), None):
        cell = read.row.cells[dated][:10]
        read.refuse(name, f"{cell!r}, a date that the spreadsheet has made of a name: format the cell as text")


def _put_organisation(read: ReadRow, defaults: ListDefaults, prefix: str, hints: Sequence[str]) -> None:
    """Read the fields of an organisation, in columns whose fields begin with the prefix."""
    _put_kind(read, defaults, prefix)
    _put_country(read, defaults, prefix, hints)
    for name in ("region", "delegation", "booth"):
        _put_line(read, name, prefix=prefix)
    if read.has(f"{prefix}website"):
        text = read.cell(f"{prefix}website")
        site = website_of(text)
        if text and not site:
            read.doubt(f"{prefix}website", f"{text[:100]!r} is no web address; left out")
        elif site or not prefix:
            read.patch["website"] = site or None
    if read.has(f"{prefix}description"):
        text = _cut(read, f"{prefix}description", read.cell(f"{prefix}description"), _LONGEST_DESCRIPTION)
        read.patch["description"] = text or None


def _refuse_gone(read: ReadRow, defaults: ListDefaults) -> None:
    status = read.cell("status")
    if status and is_gone(status, defaults.headings.get("status", "")):
        read.refuse(
            "status", f"{status[:50]!r}: not registered; a registration that exists is kept: cancel it if you want to"
        )


def _put_line(read: ReadRow, name: str, *, prefix: str = "", required: str = "") -> None:
    if not read.has(prefix + name) and not required:
        return
    text = line_of(read.cell(prefix + name))
    read.patch[name] = text or None
    if required and not text:
        read.refuse(name, required)
    if required:
        _refuse_date(read, name)


def _put_own_id(read: ReadRow) -> None:
    if not read.has("external_id"):
        return
    text, doubt = own_id(read.cell("external_id"))
    if doubt:
        read.doubt("external_id", doubt)
    else:
        read.patch["external_id"] = text or None


def _put_kind(read: ReadRow, defaults: ListDefaults, prefix: str) -> None:
    text = line_of(read.cell(f"{prefix}kind"))
    kind = kind_of(text) if text else None
    if kind:
        read.patch["kind"] = kind.value
        return
    assumed = defaults.kind or kind_by_name(read.patch.get("name") or "")
    read.assumed["kind"] = assumed.value
    if text and key_of(defaults.headings.get(f"{prefix}kind", "")) == "kind":
        read.refuse(f"{prefix}kind", f"{text[:50]!r} is no kind: write one of {', '.join(OrganisationKind)}")
    elif text:
        read.doubt(f"{prefix}kind", f"{text[:50]!r} tells no kind of organisation: taken for {assumed.value} if new")


def _put_country(read: ReadRow, defaults: ListDefaults, prefix: str, hints: Sequence[str]) -> None:
    text = read.cell(f"{prefix}country")
    if text:
        code = country_of(text)
        if code:
            read.patch["country"] = code
        else:
            name = suggested(text)
            read.refuse(
                f"{prefix}country",
                f"{text[:50]!r} is no country{f'; is {name} meant?' if name else ''}: write its name or its ISO code,"
                " such as ES",
            )
        return
    code = next((code for hint in hints if hint and (code := _country_by(hint))), None) or defaults.country
    if code:
        read.assumed["country"] = code


def _country_by(hint: str) -> str | None:
    domain = domain_of(hint)
    return country_of_domain(domain) if domain else country_of_phone(hint)


def _put_email(read: ReadRow) -> None:
    found = emails_of(read.cell("email"))
    read.patch["email"] = found[0]
    if not found[0].strip():
        read.refuse("email", "no e-mail address: agendas and links are mailed")
    elif len(found) > 1:
        read.doubt("email", f"several addresses: mails go to {found[0]} only")


def _put_languages(read: ReadRow, defaults: ListDefaults) -> None:
    text = read.cell("languages")
    codes, unknown = languages_of(text)
    known, others = mailed(codes)
    if unknown:
        read.doubt("languages", f"{', '.join(map(repr, unknown))[:100]}: no language of this name; left out")
    if others:
        read.doubt("languages", f"{', '.join(others)}: no mails are written in it; left out")
    if len(known) > _MOST_LANGUAGES:
        read.doubt("languages", f"{len(known)} languages; the first {_MOST_LANGUAGES} are kept")
    if known:
        read.patch["languages"] = known[:_MOST_LANGUAGES]
    else:
        read.assumed["languages"] = [defaults.language]


def _put_codes(read: ReadRow, target: dict[str, Any], defaults: ListDefaults) -> None:
    if not read.has("codes"):
        return
    try:
        codes = codes_of(read.cell("codes"), read.row.kinds.get("codes", "")) if read.cell("codes") else []
    except UncertainCode as error:
        is_ours = key_of(defaults.headings.get("codes", "")) == "codes"
        (read.refuse if is_ours or read.row.kinds.get("codes") else read.doubt)("codes", str(error))
        return
    if may_be_cut(read.cell("codes")):
        read.doubt("codes", f"{read.cell('codes')[:50]!r}: write nace:25.10 if a spreadsheet has dropped a zero of it")
    if len(codes) > _MOST_CODES:
        read.doubt("codes", f"{len(codes)} codes; the first {_MOST_CODES} are kept")
    target["codes"] = codes[:_MOST_CODES]


def _put_phone(read: ReadRow, country: str | None) -> None:
    if not read.has("phone"):
        return
    text = read.cell("phone")
    number, doubt = phone_of(text, country) if text else ("", "")
    if doubt:
        read.doubt("phone", doubt)
    else:
        read.patch["phone"] = number or None


def _items(read: ReadRow, name: str) -> list[str]:
    text = read.cell(name)
    numbered = _NUMBERED.split(text) if _FIRST_NUMBER.match(text) else [text]
    items = [item.strip(" \t-*·,") for part in numbered for item in _ITEMS.split(part)]
    items = list(dict.fromkeys(_cut(read, name, item, _LONGEST_ITEM) for item in items if item))
    if len(items) > _MOST_ITEMS:
        read.doubt(name, f"{len(items)} items; the first {_MOST_ITEMS} are kept")
    return items[:_MOST_ITEMS]


def _cut(read: ReadRow, name: str, text: str, most: int) -> str:
    if len(text) > most:
        read.doubt(name, f"{len(text)} characters; cut after {most}")
    return text[:most].strip()
