"""Addresses, phone numbers, websites and names of people, as lists hold them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from email.utils import parseaddr
from typing import Final

import phonenumbers

from services.registration.imports.words import WORDS, plain

_BLANKS: Final = re.compile(r"\s+")
_MAILTO: Final = re.compile(r"mailto:\s*", re.IGNORECASE)
#: An @ that is written for people, against programs that gather addresses.
_AT: Final = re.compile(r"\s*(?:\[\s*(?:at|arroba)\s*\]|\(\s*(?:at|arroba)\s*\)|\{at\})\s*", re.IGNORECASE)
_FULL_WIDTH: Final = re.compile("[\uff01-\uff5e]")
#: The name before an address, which may hold a comma: "Ruiz, Ana" <ana@acme.example>.
_QUOTED_NAME: Final = re.compile(r'"[^"]*"\s*(?=<)')
_AROUND_ADDRESSES: Final = ".,;:()[]{}<>\"'`\u00b4\u2018\u2019\u201a\u201c\u201d\u201e\u00ab\u00bb\u2039\u203a"
_PHONE_LISTS: Final = re.compile(r"[;|\n/]")
#: A number that a program has kept as a decimal: 600112233.0.
_DECIMALS: Final = re.compile(r"(?<=\d)\.0+$")
_SCIENTIFIC: Final = re.compile(r"\d[.,]\d+E\+?\d+", re.IGNORECASE)
_FEWEST_DIGITS: Final = 5
_LONGEST_PHONE: Final = 50
_SITE: Final = re.compile(r"(?:https?://)?([^\s/?#@:]+\.[^\s/?#@:.]{2,})(?::\d+)?(?:[/?#]\S*)?", re.IGNORECASE)
#: Local parts of mailboxes that several people read.
_SHARED_MAILBOXES: Final = frozenset(WORDS["shared_mailboxes"].split())
#: Words of headings for family names and for given names.
_FAMILY_NAMES: Final = frozenset(WORDS["family_name_headings"].split())
_GIVEN_NAMES: Final = frozenset(WORDS["given_name_headings"].split())
#: A word of a name, and most words of a given name.
_NAME_WORD: Final = re.compile(r"[^\W\d_]+(?:[-.'\u2019\u00b7][^\W\d_]*)*")
_MOST_GIVEN: Final = 3
#: Words behind a name that are no given names: degrees, functions, and legal forms.
_TITLES: Final = frozenset([*WORDS["titles"].split(), *WORDS["salutations"].split(), *WORDS["legal_forms"].split()])
_NUMBER: Final = re.compile(r"\d+\.0+")
#: Legal forms of companies at the end of a name.
_LEGAL_FORMS: Final = frozenset(WORDS["legal_forms"].split())


def emails_of(text: str) -> list[str]:
    """Return the addresses of a cell, such as `Ana <ana@acme.example>; mailto:eva@acme.example`.

    A text without an address is returned as it is, and so is an address whose domain is cut.
    """
    text = _AT.sub("@", unicodedata.normalize("NFKC", text) if _FULL_WIDTH.search(text) else text)
    if "@" not in text:
        return [text]
    joined = re.sub(r"\s*@\s*", "@", _MAILTO.sub(" ", _QUOTED_NAME.sub(" ", text)))
    parts = [part for part in re.split(r"[;,|/\n]", joined) if "@" in part]
    found = []
    for part in parts:
        address = parseaddr(part.strip())[1] if "<" in part else part
        words = [word for word in address.split() if "@" in word]
        found += [word.partition("?")[0].strip(_AROUND_ADDRESSES) for word in words]
    return found if found and "." in found[0].rpartition("@")[2] else [text]


def domain_of(address: str) -> str:
    """Return the domain of an e-mail or web address in lower case, without `www`; empty if there is none."""
    if "@" in address:
        return address.rpartition("@")[2].strip().lower()
    found = _SITE.fullmatch(address.strip())
    return found[1].lower().removeprefix("www.") if found else ""


def is_shared_mailbox(address: str) -> bool:
    """Tell whether the local part of an address is that of a mailbox for several people."""
    return plain(address.partition("@")[0]).replace(" ", "") in _SHARED_MAILBOXES


def phone_of(text: str, country: str | None) -> tuple[str, str]:
    """Return a phone number in international form, and the doubt about it; an invalid number as it stands.

    `country` is the ISO code of the country in which a number without its prefix is read.
    """
    if _SCIENTIFIC.fullmatch(text.strip()):
        return "", f"{text!r}: the spreadsheet has cut the number; left out. Format the cell as text"
    first = _DECIMALS.sub("", next(part.strip() for part in _PHONE_LISTS.split(text) if part.strip()))
    if sum(letter.isdigit() for letter in first) < _FEWEST_DIGITS:
        return "", f"{text[:50]!r} is no phone number; left out"
    number = _number_in(first, country)
    if number is None:
        return first[:_LONGEST_PHONE], ""
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.INTERNATIONAL), ""


def _number_in(text: str, country: str | None) -> phonenumbers.PhoneNumber | None:
    """Return the valid number that a text is, or else the first that it holds; None if there is none."""
    try:
        number = phonenumbers.parse(text, country)
        if phonenumbers.is_valid_number(number):
            return number
    except phonenumbers.NumberParseException:
        pass
    return next((match.number for match in phonenumbers.PhoneNumberMatcher(text[:_LONGEST_PHONE], country)), None)


def country_of_phone(text: str) -> str | None:
    """Return the country of a phone number with its prefix; None if it has none."""
    try:
        return phonenumbers.region_code_for_number(phonenumbers.parse(text, None)) or None
    except phonenumbers.NumberParseException:
        return None


def website_of(text: str) -> str:
    """Return a web address with its scheme; empty if the text holds none."""
    first = next(iter(text.split()), "").strip(",;<>")
    if not _SITE.fullmatch(first):
        return ""
    return first if first.lower().startswith(("http://", "https://")) else f"https://{first}"


def line_of(text: str) -> str:
    """Return a text on a single line."""
    return _BLANKS.sub(" ", text).strip()


def given_name_first(name: str, heading: str) -> str:
    """Return a name under a heading such as `Apellidos, Nombre` with the given name first, if a comma parts the two."""
    words = plain(heading).split()
    family = next((place for place, word in enumerate(words) if word in _FAMILY_NAMES), None)
    given = next((place for place, word in enumerate(words) if word in _GIVEN_NAMES), None)
    surname, comma, rest = name.partition(",")
    if family is None or given is None or family > given or not comma or "," in rest or not rest.strip():
        return name
    return line_of(f"{rest} {surname}")


def comma_removed(name: str) -> str:
    """Return a name such as `Ruiz, Ana` with the given name first; a name with a title behind its comma as it is."""
    surname, comma, given = (part.strip() for part in name.partition(","))
    words = [*surname.split(), *given.split()]
    is_name = bool(comma and surname and given) and all(map(_NAME_WORD.fullmatch, words))
    is_title = any(plain(word).replace(" ", "") in _TITLES for word in given.split()) or (
        given.isupper() and not surname.isupper()
    )
    return line_of(f"{given} {surname}") if is_name and not is_title and len(given.split()) <= _MOST_GIVEN else name


def own_id(text: str) -> tuple[str, str]:
    """Return an id of the operator's own system, and the doubt about it: `12345` for `12345.0`."""
    line = line_of(text)
    if _SCIENTIFIC.fullmatch(line):
        return "", f"{line!r}: the spreadsheet has cut the number; left out. Format the cell as text"
    return (_DECIMALS.sub("", line) if _NUMBER.fullmatch(line) else line), ""


def person_name(cells: Mapping[str, str]) -> str:
    """Return the full name of a person from the columns that a list has for it.

    `name` beside a family name is a given name ("Nombre", "Apellidos"), and beside a given name a family name
    ("Vorname", "Name").
    """
    full, name, first, last, second = (
        line_of(cells.get(field, "")) for field in ("full_name", "name", "first_name", "last_name", "second_surname")
    )
    if first and last:
        return line_of(f"{first} {last} {second}")
    if full:
        return full
    if name and last:
        return line_of(f"{name} {last} {second}")
    if name and first:
        return f"{first} {name}"
    return name or first or line_of(f"{last} {second}")


def core_of(name: str) -> tuple[str, str]:
    """Return an organisation's name without accents, punctuation and legal form, and the legal form."""
    words = _join_letters(plain(name).split())
    for length in (3, 2, 1):
        form = "".join(words[-length:])
        if len(words) > length and form in _LEGAL_FORMS:
            return " ".join(words[:-length]), form
    return " ".join(words), ""


def _join_letters(words: list[str]) -> list[str]:
    """Join single letters: `s l u` is `slu`."""
    joined: list[str] = []
    was_letter = False
    for word in words:
        if len(word) == 1 and was_letter:
            joined[-1] += word
        else:
            joined.append(word)
        was_letter = len(word) == 1
    return joined


def may_be_same(name: str, other: str) -> bool:
    """Tell whether two names differ in accents, punctuation, case or a missing legal form only."""
    (core, form), (other_core, other_form) = core_of(name), core_of(other)
    return core == other_core and (form == other_form or not form or not other_form)
