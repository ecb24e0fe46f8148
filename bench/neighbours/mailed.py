"""The times at which encounters were mailed, by the calendars in the mails of the sink."""

from __future__ import annotations

import email
from collections.abc import Iterable
from pathlib import Path

from demo.mails import calendar_lines
from deploy.embedded.smtp_sink import mails


class MailedEncounters:
    """Reads the sink's folder. A mail is read once."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._read: set[Path] = set()
        self._at: dict[tuple[str, str], float] = {}

    def at(self, addresses: Iterable[str]) -> dict[tuple[str, str], float]:
        """Return the arrival of the first mail with an encounter, in seconds since 1970, by address and encounter."""
        for address in addresses:
            for file in mails(self._folder, address):
                if file not in self._read:
                    self._read.add(file)
                    for _, _, encounter in calendar_lines(_calendar(file)):
                        self._at.setdefault((address, encounter), int(file.stem) / 1e9)
        return self._at


def _calendar(file: Path) -> bytes:
    for part in email.message_from_bytes(file.read_bytes()).walk():
        if part.get_content_type() == "text/calendar":
            content = part.get_payload(decode=True)
            return content if isinstance(content, bytes) else b""
    return b""
