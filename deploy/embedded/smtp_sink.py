"""A mail server without delivery: it writes an `.eml` file per mail and recipient.

A recipient's mails are in a folder, and their file names sort by arrival. Run as
`python -m deploy.embedded.smtp_sink --port PORT --directory DIRECTORY`.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import os
import re
import time
from pathlib import Path

from aiosmtpd.smtp import SMTP, Envelope, Session

from deploy.embedded.probes import HOST

_MAX_MAIL_BYTES = 10_000_000
_PLAIN_ADDRESS = re.compile(r"[a-z0-9_+-][a-z0-9_+.-]{0,99}@[a-z0-9-][a-z0-9.-]{0,99}")


def mailbox(directory: Path, address: str) -> Path:
    """Return the folder of a recipient's mails: the address, or its hash where it is no plain folder name."""
    address = address.lower()
    if _PLAIN_ADDRESS.fullmatch(address):
        return directory / address
    return directory / hashlib.sha256(address.encode(errors="backslashreplace")).hexdigest()


def mails(directory: Path, address: str) -> list[Path]:
    """Return the files of a recipient's mails, earliest first."""
    return sorted(mailbox(directory, address).glob("*.eml"))


class Sink:
    """Stores mails unchanged. A file appears whole or not at all."""

    def __init__(self, directory: Path) -> None:
        self._directory = directory
        self._last = 0

    def store(self, recipient: str, content: bytes) -> Path:
        """Write a mail to the recipient's folder. Return its path."""
        # Nanoseconds since 1970, and always later than the name before.
        self._last = max(time.time_ns(), self._last + 1)
        folder = mailbox(self._directory, recipient)
        folder.mkdir(parents=True, exist_ok=True)
        unfinished = folder / f"{self._last:020d}.part"
        unfinished.write_bytes(content)
        return unfinished.rename(unfinished.with_suffix(".eml"))

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - aiosmtpd's
        """Store the mail for every recipient, then accept it."""
        content = envelope.original_content or b""
        try:
            for recipient in dict.fromkeys(envelope.rcpt_tos):
                self.store(recipient, content)
        except OSError as error:
            return f"452 4.3.1 cannot keep it: {os.strerror(error.errno or 0)}"
        return "250 2.0.0 kept"


async def serve(port: int, directory: Path) -> None:
    """Accept mails until cancelled."""
    sink = Sink(directory)

    def connection() -> SMTP:
        return SMTP(sink, hostname="localhost", enable_SMTPUTF8=True, data_size_limit=_MAX_MAIL_BYTES)

    server = await asyncio.get_running_loop().create_server(connection, HOST, port)
    async with server:
        await server.serve_forever()


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="python -m deploy.embedded.smtp_sink", description=__doc__)
    parser.add_argument("--port", type=int, required=True, help="port to listen on, on the loopback interface")
    parser.add_argument("--directory", type=Path, required=True, help="folder for the mails")
    arguments = parser.parse_args()
    arguments.directory.mkdir(parents=True, exist_ok=True)
    asyncio.run(serve(arguments.port, arguments.directory))


if __name__ == "__main__":
    main()
