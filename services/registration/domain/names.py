"""Types of text: clean lines and texts, e-mail addresses of valid syntax, names of time zones; and keys of searches.

A search key ends with a line break. The beginning of a key finds all keys that begin so, and a whole key itself alone.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Callable, Iterable
from contextlib import suppress
from functools import cache
from importlib import resources
from typing import Annotated, Final

import idna
from email_validator import EmailNotValidError, validate_email
from pydantic import AfterValidator, BeforeValidator, StringConstraints, ValidationInfo

from shared.contract.events import registration as events
from shared.contract.spelling import same_name

#: Validation context of data from the database. It was cleaned when it was written and is not cleaned again: to check
#: an address takes half a millisecond, and a later, stricter rule must not make stored data unreadable.
STORED: Final = {"stored": True}

#: Bidirectional embeddings, overrides and isolates (Unicode UAX 9): they make a name look like a different name.
_BIDI = frozenset(chr(point) for point in (*range(0x202A, 0x202F), *range(0x2066, 0x206A)))
#: Categories that are no text: control characters, lone surrogates, line and paragraph separators.
_NO_TEXT = frozenset({"Cc", "Cs", "Zl", "Zp"})
_DECIMAL_COMMA = re.compile(r"(?<=\d),(?=\d)")
#: An encoded word (RFC 2047): a text in a mail's header that readers decode, to line breaks too.
_ENCODED_WORD = re.compile(r"=\?[^?]*\?[^?]*\?[^?]*\?=")

_WEBSITE = re.compile(r"https?://[^\s/?#@]+\.[^\s/?#@]+(?:[/?#]\S*)?", re.IGNORECASE)

#: Characters without a width that no script needs: two names that differ in them only look the same.
_ZERO_WIDTH = re.compile("[\u00ad\u180e\u200b\u2060\ufeff]")
#: Characters that join or part letters inside of a word. At its ends they do nothing.
_JOINERS = "\u200c\u200d"
#: Letters with a stroke or a ligature, which Unicode does not decompose; people type them as plain letters.
_UNDECOMPOSED: Final = str.maketrans(
    {"ø": "o", "ł": "l", "đ": "d", "ħ": "h", "\u0131": "i", "æ": "ae", "œ": "oe", "ð": "d", "þ": "th"}
)
_WORD = re.compile(r"[^\W_]+")
#: Endings of domains that name nothing on the internet (RFC 6761).
_NO_MAIL = (".invalid", ".localhost", ".local", ".test", "localhost")


def clean_line(text: str) -> str:
    """Return a line in Unicode NFC, without outer blanks.

    Raises:
        ValueError: a character is not allowed or an encoded word begins (the message names the position from 0), or
            the line is blank.
    """
    cleaned = _clean(text, allowed="")
    if found := _ENCODED_WORD.search(cleaned):
        raise ValueError(
            f"the text at position {found.start()} is encoded for a mail header (=?charset?...?=): write it decoded"
        )
    return cleaned


def clean_text(text: str) -> str:
    """Return a text cleaned as by `clean_line`; line breaks and tabs are allowed."""
    return _clean(text, allowed="\n\t\r")


def clean_email(text: str) -> str:
    """Return an e-mail address in its normal form. Only its syntax is checked.

    Raises:
        ValueError: mail cannot be sent to the address.
    """
    try:
        return validate_email(clean_line(text), check_deliverability=False, allow_smtputf8=False).normalized
    except EmailNotValidError:
        raise ValueError(_fault_of_email(text)) from None


def _fault_of_email(text: str) -> str:
    shown = repr(text.strip()[:100])
    local, at, domain = text.strip().rpartition("@")
    if not at:
        return f"{shown} is no e-mail address: it has no @"
    if not local or not domain or "@" in local or set(text.strip()) & set(" \t,;"):
        return f"{shown} is no e-mail address: write a single one, such as name@example.org"
    if not local.isascii():
        letters = "".join(sorted({letter for letter in local if not letter.isascii()}))[:20]
        return f"{shown}: few mail servers take {letters!r} before the @; write the address without such letters"
    if "." not in domain:
        return f"{shown}: its domain {domain[:100]!r} has no ending, such as .org"
    if domain.lower().endswith(_NO_MAIL):
        return f"{shown}: no mail can be sent to the reserved domain {domain[:100]!r}"
    return f"{shown} is no address to which mail can be sent: check it, letter by letter"


def clean_website(text: str) -> str:
    """Return the address of a website. Raises `ValueError` if it is none of the schemes http and https."""
    address = clean_line(text)
    if not _WEBSITE.fullmatch(address):
        raise ValueError(f"{address[:100]!r} is no web address: write it as https://www.example.org")
    return address


def known_timezone(name: str) -> str:
    """Return the name of a time zone of the IANA database, which all services have in the same release.

    Raises:
        ValueError: there is no such zone. Zones of this machine alone (`right/`, `posix/`, `localtime`) do not count,
            because a service on another machine could not read them.
    """
    if name not in _zones():
        raise ValueError(f"{name[:100]!r} is not an IANA time zone, such as Europe/Madrid")
    return name


@cache
def _zones() -> frozenset[str]:
    names = resources.files("tzdata").joinpath("zones").read_text(encoding="utf-8").split()
    return frozenset(names) - {"Factory"}


def same_address(email: str) -> str:
    """Return a key that all spellings of an address share. `ß` of a domain stays: `fass.de` is another domain."""
    local, _, domain = email.rpartition("@")
    return f"{same_name(local)}@{' '.join(unicodedata.normalize('NFKC', domain).lower().split())}"


def words_of(text: str) -> tuple[str, ...]:
    """Return the words of a text as searches compare them: lower case, without accents and punctuation."""
    decomposed = unicodedata.normalize("NFKD", text.casefold().translate(_UNDECOMPOSED))
    plain = "".join(letter for letter in decomposed if not unicodedata.combining(letter))
    return tuple(dict.fromkeys(_WORD.findall(plain.casefold())))


def name_keys(name: str) -> tuple[str, ...]:
    """Return the search keys of a name, a key for every word."""
    return tuple(f"n:{word}\n" for word in words_of(name))


def email_key(email: str) -> str:
    """Return the search key of an address, whatever its case."""
    return f"e:{same_address(email)}\n"


def external_id_keys(external_id: str | None) -> tuple[str, ...]:
    """Return the search key of an id in the operator's own system; none without an id."""
    return () if external_id is None else (f"x:{unicodedata.normalize('NFC', external_id).strip()}\n",)


def external_id_claims(edition_id: str, external_id: str | None) -> tuple[str, ...]:
    """Return the unique key of an id in the operator's own system; none without an id."""
    return () if external_id is None else (f"x:{edition_id}/{external_id}",)


def member_key(organisation_id: str) -> str:
    """Return the search key of the participants of an organisation."""
    return f"o:{organisation_id}\n"


def domain_key(address: str) -> str:
    """Return the search key of a web domain: its labels in reverse, so that a domain finds its subdomains too."""
    host = re.sub(r"^[a-z]+://", "", address.strip(), flags=re.IGNORECASE)
    host = re.split(r"[/?#:]", host.rpartition("@")[2], maxsplit=1)[0].strip(".").lower().removeprefix("www.")
    with suppress(idna.IDNAError):
        host = idna.decode(host, uts46=True)
    return f"d:{'.'.join(reversed(host.split('.')))}.\n"


def must_differ(what: str, values: Iterable[str]) -> None:
    """Raise ValueError if a value appears twice; the message calls the values `what`."""
    seen: set[str] = set()
    for value in values:
        if value in seen:
            raise ValueError(f"{what} {value!r} appears twice")
        seen.add(value)


def _clean(text: str, allowed: str) -> str:
    for position, character in enumerate(text):
        if character not in allowed and (character in _BIDI or unicodedata.category(character) in _NO_TEXT):
            raise ValueError(f"the character U+{ord(character):04X} at position {position} is not allowed here")
    cleaned = _ZERO_WIDTH.sub("", unicodedata.normalize("NFC", text)).strip().strip(_JOINERS)
    if not same_name(cleaned):
        raise ValueError("must not be blank")
    return cleaned


def _without_comma(code: object) -> object:
    """Return a code. Raises ValueError, which shows the right spelling, if a comma stands between two digits."""
    if isinstance(code, str) and (written := _DECIMAL_COMMA.sub(".", code[:100])) != code[:100]:
        raise ValueError(f"{code[:100]!r} has a comma between digits: write {written!r}, or two codes")
    return code


def _unless_stored(clean: Callable[[str], str]) -> AfterValidator:
    def validate(text: str, info: ValidationInfo) -> str:
        return text if info.context is STORED else clean(text)

    return AfterValidator(validate)


# The lengths are those of shared.contract.events.registration. They are checked before the text is cleaned and again
# afterwards: NFC can lengthen a text.
Line = Annotated[
    str, StringConstraints(min_length=1, max_length=200), _unless_stored(clean_line), StringConstraints(max_length=200)
]
Text = Annotated[
    str,
    StringConstraints(min_length=1, max_length=1000),
    _unless_stored(clean_text),
    StringConstraints(max_length=1000),
]
Description = Annotated[
    str,
    StringConstraints(min_length=1, max_length=5000),
    _unless_stored(clean_text),
    StringConstraints(max_length=5000),
]
ShortLine = Annotated[
    str, StringConstraints(min_length=1, max_length=50), _unless_stored(clean_line), StringConstraints(max_length=50)
]
Website = Annotated[str, StringConstraints(min_length=1, max_length=500), _unless_stored(clean_website)]
ZoneName = Annotated[str, _unless_stored(known_timezone)]
Code = Annotated[events.Code, BeforeValidator(_without_comma)]
Email = Annotated[str, StringConstraints(min_length=3, max_length=254), _unless_stored(clean_email)]
