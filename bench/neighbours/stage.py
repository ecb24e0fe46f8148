"""The whole product on the embedded stack with two operators, and a measurement on it."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import NamedTuple

from pydantic import SecretStr

from bench.neighbours.attacker import prepared
from bench.neighbours.encounters import ScheduledEncounters
from bench.neighbours.operator_api import OperatorApi
from bench.neighbours.size import Load
from bench.neighbours.small_edition import SmallEdition
from deploy.embedded.stack import Stack
from services.registration.operators import add_operator
from services.registration.settings import Settings

SMALL, LARGE = "small", "large"
#: Mails are gathered for a moment instead of a minute, so that their delay can be measured. All else is the default.
_SETTINGS = {
    "TERTULIA_WINDOW_SECONDS": "0.15",
    "TERTULIA_DELIVER_EVERY_SECONDS": "0.1",
    "TERTULIA_QUIET_SECONDS": "0.5",
}


class Measurement(NamedTuple):
    """Samples of the small edition in seconds, by measure, and the answers to the abuse by status."""

    samples: Mapping[str, list[float]]
    answers: Mapping[str, int]


class Stage:
    """A running stack. `measure` may be called again and again."""

    def __init__(self, stack: Stack, keys: Mapping[str, str], scheduled: ScheduledEncounters, load: Load) -> None:
        self._stack, self._keys, self._scheduled, self._load = stack, keys, scheduled, load

    async def measure(self, abuse: str | None) -> Measurement:
        """Measure a new small edition beside an abuse, or alone.

        Raises:
            NotServed: an edition that nothing disturbs is not served.
            BenchmarkError: the abuse cannot be prepared.
        """
        address = self._stack.addresses["registration"]
        async with OperatorApi(address, self._keys[SMALL]) as api:
            small = SmallEdition(api, self._scheduled, self._stack.mails, self._load)
            if abuse is None:
                await small.open()
                return Measurement(await small.measure(), {})
            log = self._stack.logs / f"{abuse}.log"
            async with prepared(address, self._keys[LARGE], abuse, self._load, log) as attack:
                await small.open()
                await attack.strike()
                samples = await small.measure()
                return Measurement(samples, await attack.stop())


@contextlib.asynccontextmanager
async def stage(root: Path, driver: str, load: Load) -> AsyncIterator[Stage]:
    """Start the product with a Mongo driver, and stop it afterwards."""
    async with Stack(root, settings={**_SETTINGS, "TERTULIA_MONGO_DRIVER": driver}) as stack:
        registration = Settings(mongo_url=SecretStr(stack.addresses["mongo"]))
        keys = {operator: await add_operator(registration, operator, operator) for operator in (SMALL, LARGE)}
        async with ScheduledEncounters(stack.addresses["kafka"]) as scheduled:
            yield Stage(stack, keys, scheduled, load)
