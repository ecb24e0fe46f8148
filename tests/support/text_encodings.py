"""Search for a text in bytes, in the encodings in which stores and messages may hold it."""

from __future__ import annotations

import base64
import hashlib
import html
import json
import quopri
import unicodedata
from collections.abc import Iterable, Iterator
from urllib.parse import quote, quote_plus

_FEWEST_BYTES = 4


def _plain(text: str) -> str:
    """Return a text without accents."""
    return "".join(letter for letter in unicodedata.normalize("NFKD", text) if not unicodedata.combining(letter))


def _spellings(text: str) -> set[str]:
    forms = {text, _plain(text), *(unicodedata.normalize(form, text) for form in ("NFC", "NFD"))}
    return {spelling for form in forms for spelling in (form, form.casefold(), form.upper())}


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """Yield the part of the base64 text that does not depend on the bytes around, for each alignment."""
    for shift in range(3):
        for encode in (base64.b64encode, base64.urlsafe_b64encode):
            yield encode(b"\0" * shift + raw)[4 if shift else 0 : -4]


def encodings_of(text: str) -> set[bytes]:
    """Return the bytes that tell a text: spellings in several encodings, and hashes of it."""
    found: set[bytes] = set()
    for spelling in _spellings(text):
        raw = spelling.encode()
        found |= {raw, spelling.encode("utf-16-le"), spelling.encode("utf-16-be"), spelling.encode("utf-7")}
        found |= {json.dumps(spelling)[1:-1].encode(), quopri.encodestring(raw), quopri.encodestring(raw, header=True)}
        found |= {quote(spelling).encode(), quote_plus(spelling).encode()}
        found |= {spelling.encode("ascii", "xmlcharrefreplace"), html.escape(spelling).encode()}
        found |= {*_in_base64(raw)}
        for name in ("md5", "sha1", "sha256", "blake2b"):
            digest = hashlib.new(name, raw)
            found |= {digest.hexdigest().encode(), digest.digest(), base64.b64encode(digest.digest()).rstrip(b"=")}
    return {encoded.rstrip(b"\n") for encoded in found if len(encoded) >= _FEWEST_BYTES}


def texts_in(haystack: Iterable[tuple[str, bytes]], texts: Iterable[str]) -> list[str]:
    """Return `<place>: <text>` for every place whose bytes tell one of the texts."""
    needles = {text: encodings_of(text) for text in texts}
    return sorted(
        {
            f"{place}: {text}"
            for place, content in haystack
            for text, encodings in needles.items()
            if any(encoding in content for encoding in encodings)
        }
    )
