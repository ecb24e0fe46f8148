"""A watch of the broker that asks by a timer: silence shows while nothing is sent or fetched, too."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Awaitable, Callable

from aiokafka.admin import AIOKafkaAdminClient

from shared.messaging.broker import client_options
from shared.runtime.health import NotReady
from shared.runtime.log import get_logger
from shared.runtime.metrics import BROKER_SILENT_SECONDS
from shared.runtime.settings import ConnectionSettings

#: Time between two questions, and the longest wait for an answer.
ASK_EVERY_SECONDS = 5.0
_ANSWER_SECONDS = 2.0
#: Silence that takes readiness away. An election of partition leaders, or one lost broker of three, is shorter.
_SILENT_SECONDS = 15.0

_log = get_logger(__name__)


class BrokerQuestion:
    """A question to the broker on a connection of its own. Clients in use retry in silence."""

    def __init__(self, settings: ConnectionSettings) -> None:
        self._settings = settings
        self._admin: AIOKafkaAdminClient | None = None

    async def __call__(self) -> None:
        """Ask for the topics. Raises an error of aiokafka if no broker answers."""
        try:
            if self._admin is None:
                self._admin = AIOKafkaAdminClient(**client_options(self._settings))
                await self._admin.start()
            await self._admin.list_topics()
        except BaseException:
            await self.close()
            raise

    async def close(self) -> None:
        """Close the connection."""
        admin, self._admin = self._admin, None
        if admin is not None:
            with contextlib.suppress(Exception):
                await admin.close()


class BrokerWatch:
    """Asks, and knows since when the broker is silent, or answers."""

    def __init__(self, ask: Callable[[], Awaitable[None]] | None, now: Callable[[], float] = time.monotonic) -> None:
        """Create a watch. Without `ask` the broker always answers: it is a stand-in in memory."""
        self._ask = ask
        self._now = now
        #: None before the first question: the process is still starting.
        self._answered: float | None = None
        self._answering_since = now()
        self._was_silent = False
        BROKER_SILENT_SECONDS.set_function(lambda: self.silent_seconds)

    @property
    def silent_seconds(self) -> float:
        """Time since the last answer; 0 within the time of a question."""
        silent = 0.0 if self._answered is None else self._now() - self._answered
        return silent if silent > ASK_EVERY_SECONDS + _ANSWER_SECONDS else 0.0

    @property
    def answering_seconds(self) -> float:
        """Time for which the broker has answered every question; 0 while it is silent."""
        return 0.0 if self.silent_seconds else self._now() - self._answering_since

    async def look(self) -> None:
        """Ask once."""
        if self._ask is None:
            return
        if self._answered is None:
            self._answered = self._answering_since = self._now()
        try:
            async with asyncio.timeout(_ANSWER_SECONDS):
                await self._ask()
        except Exception as error:  # noqa: BLE001 - after any error the broker has not answered
            if not self._was_silent:
                _log.warning("broker_silent", error=error)
            self._was_silent = True
        else:
            self._note_answer()

    def check(self) -> None:
        """Raise `NotReady` if the broker has been silent for long."""
        if self.silent_seconds > _SILENT_SECONDS:
            raise NotReady(f"no answer for {self.silent_seconds:.0f} s")

    def _note_answer(self) -> None:
        self._answered = self._now()
        if self._was_silent:
            self._was_silent = False
            self._answering_since = self._answered
            _log.info("broker_answers")
