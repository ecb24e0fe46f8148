from __future__ import annotations

from email.message import EmailMessage
from pathlib import Path

import pytest
from aiosmtpd.smtp import Envelope

from deploy.embedded.smtp_sink import Sink, mailbox, mails


@pytest.mark.parametrize(
    "address",
    [
        "../../etc/passwd",
        "../a@x.example",
        "a/b@x.example",
        "..",
        ".",
        "",
        ".hidden@x.example",
        "a\x00b@x.example",
        "josé@ejemplo.example",
        "\N{RIGHT-TO-LEFT OVERRIDE}moc@x.example",
        "\ud800@x.example",
        "a" * 10_000 + "@x.example",
        "a@" + "b" * 10_000,
        "C:\\x@x.example",
        "a@x.example\n",
    ],
)
def test_a_hostile_address_gets_a_folder_inside_the_directory(tmp_path: Path, address: str) -> None:
    kept = Sink(tmp_path).store(address, b"content")

    assert kept.parent.parent == tmp_path
    assert kept.parent.name == kept.parent.resolve().name
    assert mails(tmp_path, address) == [kept]
    assert mailbox(tmp_path, address) != mailbox(tmp_path, "a@x.example")


def test_a_plain_address_is_the_name_of_its_folder(tmp_path: Path) -> None:
    assert mailbox(tmp_path, "Ana.Ruiz+crm@Metal.Example") == tmp_path / "ana.ruiz+crm@metal.example"


def test_file_names_follow_the_order_of_arrival(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("time.time_ns", iter([7, 7, 3, 9]).__next__)
    sink = Sink(tmp_path)

    kept = [sink.store("a@x.example", str(number).encode()) for number in range(4)]

    assert mails(tmp_path, "a@x.example") == kept
    assert [path.read_bytes() for path in kept] == [b"0", b"1", b"2", b"3"]


def test_no_unfinished_file_is_left(tmp_path: Path) -> None:
    Sink(tmp_path).store("a@x.example", b"content")

    assert [path.suffix for path in tmp_path.rglob("*") if path.is_file()] == [".eml"]


async def test_each_recipient_gets_one_unchanged_copy(tmp_path: Path) -> None:
    mail = EmailMessage()
    mail["Subject"] = "Agenda"
    envelope = Envelope()
    envelope.rcpt_tos = ["a@x.example", "b@x.example", "a@x.example"]
    envelope.original_content = mail.as_bytes()

    answer = await Sink(tmp_path).handle_DATA(None, None, envelope)  # type: ignore[arg-type] # it uses neither

    assert answer.startswith("250 ")
    assert [path.read_bytes() for path in mails(tmp_path, "a@x.example")] == [mail.as_bytes()]
    assert len(mails(tmp_path, "b@x.example")) == 1


async def test_a_mail_that_cannot_be_stored_is_refused_temporarily(tmp_path: Path) -> None:
    (tmp_path / "a@x.example").write_text("in the way")
    envelope = Envelope()
    envelope.rcpt_tos = ["a@x.example"]
    envelope.original_content = b"content"

    answer = await Sink(tmp_path).handle_DATA(None, None, envelope)  # type: ignore[arg-type] # it uses neither

    assert answer.startswith("452 ")
