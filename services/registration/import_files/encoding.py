"""Detection of the character encoding of a text file. The answer to an import says it."""

from __future__ import annotations

import codecs
from typing import Final

from charset_normalizer import from_bytes

from services.registration.import_files.sheet import UnreadableFile

_BYTE_ORDER_MARKS: Final = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: Encodings of spreadsheets in Western Europe without a mark: of Windows, of older Macs, of DOS. The first wins a tie.
_WESTERN: Final = ("cp1252", "mac_roman", "cp850")
_LETTERS: Final = frozenset("áéíóúàèìòùâêîôûäëïöüãõñçßœæåøýÿªº")
_MARKS: Final = frozenset("“”„…€«»¡¿°·®™©§£½¼²³•\xa0\u2018\u2019\u201a\u2013\u2014\xb4")
#: Share of fitting characters below which a text is in none of them, and the library is asked.
_FEW: Final = 0.7
_SAMPLE_BYTES: Final = 64 * 1024
_UTF16_SAMPLE_BYTES: Final = 4096
_MANY: Final = 0.3
#: Characters beyond ASCII that are UTF-8 for each that is not, in a damaged file.
_MANY_RIGHT: Final = 3


def encoding_of(raw: bytes) -> str:
    """Return the encoding of a file, by its Python name.

    Raises:
        UnreadableFile: the bytes are no text in the encoding of their byte order mark.
    """
    for mark, name in _BYTE_ORDER_MARKS:
        if raw.startswith(mark):
            return _checked(raw, name)
    if name := _utf16_without_mark(raw):
        return _checked(raw, name)
    try:
        raw.decode()
    except UnicodeDecodeError as error:
        _refuse_damaged(raw, error.start)
        return _single_byte(raw, error.start)
    return "utf-8"


def _refuse_damaged(raw: bytes, first: int) -> None:
    """Refuse a file that is UTF-8 but for a few bytes: read in a further encoding, all its accents would be wrong."""
    read = raw.decode("utf-8", "replace")
    wrong = read.count("\ufffd")
    right = sum(not letter.isascii() for letter in read) - wrong
    if right > _MANY_RIGHT * wrong:
        raise UnreadableFile(
            f"UTF-8 but for {wrong} characters, the first at byte {first}: save the file as CSV UTF-8 again"
        )


def _checked(raw: bytes, name: str) -> str:
    try:
        raw.decode(name)
    except UnicodeDecodeError as error:
        raise UnreadableFile(
            f"begins as {name} text, but byte {error.start} is not: save the file as CSV UTF-8"
        ) from None
    return name


def _utf16_without_mark(raw: bytes) -> str:
    """Return the byte order of a text whose every second byte is mostly null; empty if it is no such text."""
    sample = raw[:_UTF16_SAMPLE_BYTES]
    half = len(sample) // 2
    for name, nulls, letters in (("utf-16-le", sample[1::2], sample[::2]), ("utf-16-be", sample[::2], sample[1::2])):
        if half and nulls.count(0) > _MANY * half and not letters.count(0):
            return name
    return ""


def _single_byte(raw: bytes, first: int) -> str:
    """Return the encoding of the text around the first byte that is no UTF-8.

    Short names tell a statistical detector too little: the Western encodings are told apart by their letters first.
    """
    start = max(0, first - _SAMPLE_BYTES // 2)
    lines = raw[start : start + _SAMPLE_BYTES].splitlines()
    sample = b"\n".join(line for line in lines if not line.isascii())
    fits = {name: _fit(sample.decode(name, "replace")) for name in _WESTERN}
    best = max(_WESTERN, key=lambda name: fits[name])
    if fits[best] < _FEW and (found := from_bytes(sample).best()) is not None:
        best = found.encoding
    return best if _decodes(raw, best) else "latin-1"


def _fit(text: str) -> float:
    """Return the share of a text's letters beyond ASCII that stand in words, and of its marks that do not."""
    places = [place for place, letter in enumerate(text) if not letter.isascii()]
    return sum(_fits(text, place) for place in places) / max(1, len(places))


def _fits(text: str, place: int) -> bool:
    letter = text[place]
    around = (text[place - 1 : place], text[place + 1 : place + 2])
    if letter.lower() in _LETTERS:
        is_capital_inside = letter.isupper() and around[0].islower()
        is_in_a_run = all(neighbour.isalpha() and not neighbour.isascii() for neighbour in around)
        return any(neighbour.isalpha() for neighbour in around) and not is_capital_inside and not is_in_a_run
    return letter in _MARKS and (letter == "\u2019" or not all(neighbour.isalpha() for neighbour in around))


def _decodes(raw: bytes, name: str) -> bool:
    try:
        raw.decode(name)
    except (UnicodeDecodeError, LookupError):
        return False
    return True
