"""Parts of a workbook's zip file: unpacked piece by piece within a budget, their XML passed to handlers by path."""

from __future__ import annotations

import io
import posixpath
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from xml.parsers import expat

from services.registration.import_files.sheet import UnreadableFile

Attributes = Mapping[str, str]


_MOST_PARTS = 1000
_MOST_DEPTH = 32
#: Excel's largest sheet has 1,048,576 rows; with three formatted cells in each row it has half as many elements.
_MOST_ELEMENTS = 8_000_000
#: Element and attribute names that differ. The parser keeps each of them.
_MOST_NAMES = 10_000
#: The longest tag or comment. The parser keeps it whole, and before expat 2.6 it reads it again with every piece.
_MOST_TAG_BYTES = 256 * 1024
_PIECE_BYTES = 64 * 1024
_ENCRYPTED = 0x1
_DAMAGED = (zipfile.BadZipFile, zlib.error, EOFError, OSError, ValueError, NotImplementedError, RuntimeError)


@dataclass(frozen=True)
class PartHandlers:
    """Calls for the elements of a part, by path from its root: `/sst/si` starts, ends, or holds a piece of text."""

    starts: Mapping[str, Callable[[Attributes], None]] = field(default_factory=dict)
    ends: Mapping[str, Callable[[], None]] = field(default_factory=dict)
    texts: Mapping[str, Callable[[str], None]] = field(default_factory=dict)


class Package:
    """The zip file of a workbook. Only the parts that are asked for are unpacked."""

    def __init__(self, raw: bytes, most_bytes: int) -> None:
        """Open the zip file. Nothing is unpacked yet.

        Raises:
            UnreadableFile: not a zip file, too many parts, or parts that state too many bytes.
        """
        try:
            self._zip = zipfile.ZipFile(io.BytesIO(raw))
        except _DAMAGED:
            raise UnreadableFile("not an Excel workbook (.xlsx): save the file as one, without a password") from None
        self._most_bytes = most_bytes
        # A sheet is read twice: its headings, merged cells and links first.
        self._bytes_left = 2 * most_bytes
        parts = self._zip.infolist()
        if len(parts) > _MOST_PARTS:
            raise UnreadableFile(f"a workbook of {len(parts)} parts; at most {_MOST_PARTS} are taken")
        self._parts = {part.filename: part for part in parts}
        if len(self._parts) < len(parts):
            raise UnreadableFile("not a readable Excel workbook: it holds two parts of the same name")
        if sum(part.file_size for part in parts) > most_bytes:
            raise self._too_large()

    def __contains__(self, name: str) -> bool:
        return name in self._parts

    def read(self, name: str, handlers: PartHandlers) -> None:
        """Pass the elements of a part to handlers.

        Raises:
            UnreadableFile: there is no such part, it is damaged, or it is beyond a bound; and the errors of handlers.
        """
        part = self._parts.get(name)
        if part is None:
            raise UnreadableFile(f"not a readable Excel workbook: the part {name[:100]!r} is missing")
        reader = _PartReader(name[:100], handlers)
        for piece in self._pieces(part):
            reader.feed(piece)
        reader.feed(b"", is_last=True)

    def _pieces(self, part: zipfile.ZipInfo) -> Iterator[bytes]:
        """Unpack a part. The budget counts the bytes that come, not the bytes that the part states."""
        if part.flag_bits & _ENCRYPTED or part.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise _damaged(part.filename)
        try:
            with self._zip.open(part) as unpacked:
                while piece := unpacked.read(_PIECE_BYTES):
                    self._bytes_left -= len(piece)
                    if self._bytes_left < 0:
                        raise self._too_large()
                    yield piece
        except _DAMAGED:
            raise _damaged(part.filename) from None

    def _too_large(self) -> UnreadableFile:
        return UnreadableFile(f"unpacks to more than {self._most_bytes} bytes: remove all but the list, or split it")


class _PartReader:
    """The XML parser of a part. A document type is refused, so there are no entities of the file's own."""

    def __init__(self, name: str, handlers: PartHandlers) -> None:
        self._name = name
        self._handlers = handlers
        self._paths = [""]
        self._elements = 0
        self._fed = 0
        self._parser = parser = expat.ParserCreate()
        parser.buffer_text = True
        parser.StartElementHandler = self._start
        parser.EndElementHandler = self._end
        parser.CharacterDataHandler = self._text
        parser.StartDoctypeDeclHandler = self._refuse_doctype

    def feed(self, piece: bytes, *, is_last: bool = False) -> None:
        """Parse the next piece. Raises `UnreadableFile`."""
        try:
            self._parser.Parse(piece, is_last)
        except expat.ExpatError as error:
            if error.code == expat.errors.codes[expat.errors.XML_ERROR_NO_MEMORY]:
                raise MemoryError from None
            raise _damaged(self._name) from None
        self._fed += len(piece)
        if self._fed - self._parser.CurrentByteIndex > _MOST_TAG_BYTES:
            raise self._beyond(f"a tag of more than {_MOST_TAG_BYTES} bytes")
        if len(self._parser.intern) > _MOST_NAMES:
            raise self._beyond(f"more than {_MOST_NAMES} different names of elements")

    def _start(self, name: str, attributes: Attributes) -> None:
        path = f"{self._paths[-1]}/{name.rpartition(':')[2]}"
        self._paths.append(path)
        self._elements += 1
        if self._elements > _MOST_ELEMENTS or len(self._paths) > _MOST_DEPTH:
            raise self._beyond(f"more than {_MOST_ELEMENTS} elements, or more than {_MOST_DEPTH} inside each other")
        if handle := self._handlers.starts.get(path):
            handle(attributes)

    def _end(self, _: str) -> None:
        if handle := self._handlers.ends.get(self._paths.pop()):
            handle()

    def _text(self, text: str) -> None:
        if handle := self._handlers.texts.get(self._paths[-1]):
            handle(text)

    def _refuse_doctype(self, *_: object) -> None:
        raise UnreadableFile(f"not a readable Excel workbook: {self._name!r} declares a document type (DOCTYPE)")

    def _beyond(self, what: str) -> UnreadableFile:
        return UnreadableFile(f"not a workbook that is read here: {self._name!r} in it has {what}")


def relations_of(part: str) -> str:
    """Return the name of the part that holds the relations of a part."""
    return posixpath.join(posixpath.dirname(part), "_rels", f"{posixpath.basename(part)}.rels")


def _damaged(name: str) -> UnreadableFile:
    return UnreadableFile(f"not a readable Excel workbook: the part {name[:100]!r} is damaged; save the file again")
