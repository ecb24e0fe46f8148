"""The stack of `tertulia up`: its data, secrets and ports outlast it."""

from __future__ import annotations

import contextlib
import os
import shlex
from pathlib import Path
from typing import Literal, Self

from rich.console import Console

from deploy.embedded.kept import locked, write_private
from deploy.embedded.stack import Stack
from deploy.kafka.jars import KafkaUnavailable, fetch, java
from services.notify.settings import Settings
from tertulia.output import show_line
from tertulia.restoring import restore

_TOLD = {
    "kafka": "Apache Kafka keeps its records in the folder.",
    "tansu": "Tansu keeps its records in memory: a later start tells the topics again from the database.",
}
#: Settings for somebody who waits at the terminal; the environment wins. Mails gather for a minute by default.
_TRIED_BY_HAND = {"TERTULIA_WINDOW_SECONDS": "5"}


class KeptStack(Stack):
    """A stack in a folder of its own. A broker without topics is told them again from the database."""

    def __init__(self, folder: Path, broker: Literal["tansu", "kafka"], brokers: int, console: Console) -> None:
        self._held = contextlib.ExitStack()
        self._held.enter_context(locked(folder))
        settings = {name: os.environ.get(name, value) for name, value in _TRIED_BY_HAND.items()}
        super().__init__(folder, broker, brokers, settings, keeps=True)
        self._console = console

    @classmethod
    def in_folder(cls, folder: Path, broker: Literal["auto", "tansu", "kafka"], brokers: int, console: Console) -> Self:
        """Return the stack of a folder; with `auto`, the broker is Apache Kafka if the machine can run it.

        Raises:
            FolderUnusable: see there.
        """
        if broker != "auto":
            return cls(folder, broker, brokers, console)
        try:
            java()
            fetch()
        except KafkaUnavailable as error:
            show_line(console, f"No Apache Kafka here: {error}.")
            return cls(folder, "tansu", brokers, console)
        return cls(folder, "kafka", brokers, console)

    async def stop(self) -> None:
        """Stop the servers, which write their data first, and leave the folder to the next stack."""
        try:
            await super().stop()
        finally:
            self._held.close()

    async def topics_created(self) -> None:
        """Tell the new topics all things that the database knows."""
        told = await restore(self.connections)
        if told:
            show_line(self._console, f"{told.total()} events told again from the database.")

    def announce(self) -> None:
        """Print the addresses, and how further commands join the stack. Scripts read these lines."""
        for name, address in {**self.addresses, "mails": self.mails, "logs": self.logs}.items():
            show_line(self._console, f"{name:<13}{address}")
        joined = " ".join(f"{name}={shlex.quote(value)}" for name, value in self.environment.items())
        file = write_private(self.folder / "environment", f"export {joined}\n")
        show_line(self._console, f"\n{_TOLD[self._broker]}")
        show_line(self._console, sender_told(Settings()))
        show_line(self._console, f"For other commands: export {joined}")
        show_line(self._console, f"The same from a file: . {file}")
        show_line(self._console, "Ctrl-C stops everything; the folder keeps what it holds.")


def sender_told(settings: Settings) -> str:
    """Return the sentence about the sender of mails: made up until it is set."""
    is_set = "mail_from" in settings.model_fields_set
    made_up = "" if is_set else " That is a made-up address: set TERTULIA_MAIL_FROM, and start again."
    return f"Mails stay in the folder of mails. Their sender is {settings.mail_from}.{made_up}"
