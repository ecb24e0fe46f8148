"""Parts of a zip file, unpacked within a budget, and the bounds of their XML."""

from __future__ import annotations

import io
import warnings
import zipfile
from typing import Any

import pytest

from services.registration.import_files import package as module
from services.registration.import_files.package import Package, PartHandlers
from services.registration.import_files.sheet import UnreadableFile
from tests.support.workbooks import zipped


def read(part: str | bytes, most_bytes: int = 1_000_000, handlers: PartHandlers | None = None) -> None:
    Package(zipped({"p": part}), most_bytes).read("p", handlers or PartHandlers())


def test_handlers_are_called_by_path() -> None:
    calls: list[Any] = []
    handlers = PartHandlers(
        starts={"/a/b": lambda attributes: calls.append(dict(attributes))},
        ends={"/a": lambda: calls.append("end")},
        texts={"/a/b": calls.append},
    )
    read('<a><b x="1">one<c>no</c></b><c><b>no</b></c></a>', handlers=handlers)
    assert calls == [{"x": "1"}, "one", "end"]


@pytest.mark.parametrize(
    ("part", "reason"),
    [
        ("<a>", "damaged"),
        ("text", "damaged"),
        (b"<a>\xff</a>", "damaged"),
        ("<a>&b;</a>", "damaged"),
        ("<!DOCTYPE a><a/>", "declares a document type"),
        ('<!DOCTYPE a [<!ENTITY b "b"><!ENTITY c "&b;&b;">]><a>&c;</a>', "declares a document type"),
        ('<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "declares a document type"),
        ("<a>" * 32 + "</a>" * 32, "more than 32 inside each other"),
        (f'<a b="{"x" * 400_000}"/>', "a tag of more than 262144 bytes"),
        (f"<a><!--{'x' * 400_000}--></a>", "a tag of more than 262144 bytes"),
        ("<a>" + "".join(f"<b{number}/>" for number in range(10_001)) + "</a>", "more than 10000 different names"),
    ],
)
def test_a_part_beyond_a_bound_is_refused(part: str | bytes, reason: str) -> None:
    with pytest.raises(UnreadableFile, match=reason):
        read(part)


def test_the_elements_of_a_part_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_MOST_ELEMENTS", 10)
    with pytest.raises(UnreadableFile, match="more than 10 elements"):
        read(f"<a>{'<b/>' * 10}</a>")


def test_a_long_text_is_no_long_tag() -> None:
    pieces: list[str] = []
    read(f"<a>{'x' * 400_000}</a>", handlers=PartHandlers(texts={"/a": pieces.append}))
    assert sum(map(len, pieces)) == 400_000


def test_stated_sizes_beyond_the_budget_are_refused_unread() -> None:
    with pytest.raises(UnreadableFile, match="unpacks to more than 1000 bytes"):
        Package(zipped({"p": b"0" * 2000}), 1000)


def test_a_part_that_states_too_little_is_counted_by_what_comes() -> None:
    raw = bytearray(zipped({"p": b"<a>" + b"0" * 200_000 + b"</a>", "q": b"<a>" + b"0" * 200_000 + b"</a>"}))
    package = Package(bytes(raw), 1_000_000)
    package._bytes_left = 300_000
    package.read("p", PartHandlers())
    with pytest.raises(UnreadableFile, match="unpacks to more"):
        package.read("q", PartHandlers())


def test_two_parts_of_the_same_name_are_refused() -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as packed, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        packed.writestr("p", "<a/>")
        packed.writestr("p", "<b/>")
    with pytest.raises(UnreadableFile, match="two parts of the same name"):
        Package(out.getvalue(), 1000)


def test_many_parts_are_refused() -> None:
    with pytest.raises(UnreadableFile, match="1001 parts; at most 1000"):
        Package(zipped({f"p{number}": b"" for number in range(1001)}), 1000)


@pytest.mark.parametrize("method", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_only_the_compression_of_workbooks_is_unpacked(method: int) -> None:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as packed:
        packed.writestr("p", "<a/>")
    with pytest.raises(UnreadableFile, match="damaged"):
        Package(out.getvalue(), 1000).read("p", PartHandlers())


def test_an_encrypted_part_is_refused() -> None:
    package = Package(zipped({"p": "<a/>"}), 1000)
    package._parts["p"].flag_bits |= 1
    with pytest.raises(UnreadableFile, match="damaged"):
        package.read("p", PartHandlers())


def test_a_missing_part_is_named() -> None:
    with pytest.raises(UnreadableFile, match="the part 'q' is missing"):
        Package(zipped({"p": "<a/>"}), 1000).read("q", PartHandlers())
