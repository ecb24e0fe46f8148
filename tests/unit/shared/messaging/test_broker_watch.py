"""The watch of the broker: silence takes readiness away, an answer gives it back."""

from __future__ import annotations

import pytest
from aiokafka.errors import KafkaConnectionError

from shared.messaging.broker_watch import BrokerWatch
from shared.runtime.health import NotReady
from shared.runtime.metrics import BROKER_SILENT_SECONDS
from tests.support.metrics import metric_value


class Scene:
    """A broker that is away or there, a clock, and the watch."""

    def __init__(self) -> None:
        self.now = 100.0
        self.is_away = False
        self.watch = BrokerWatch(self._ask, lambda: self.now)

    async def _ask(self) -> None:
        if self.is_away:
            raise KafkaConnectionError("nobody answers")

    async def pass_time(self, seconds: float) -> None:
        """Let time pass, and look every five seconds."""
        for _ in range(int(seconds / 5)):
            self.now += 5
            await self.watch.look()

    def is_ready(self) -> bool:
        try:
            self.watch.check()
        except NotReady:
            return False
        return True


async def test_a_silent_broker_takes_readiness_away_within_thirty_seconds_and_gives_it_back_with_an_answer() -> None:
    scene = Scene()
    await scene.pass_time(600)
    assert scene.is_ready()
    scene.is_away = True
    await scene.pass_time(10)
    assert scene.is_ready()
    assert metric_value(BROKER_SILENT_SECONDS) == 10
    await scene.pass_time(20)
    with pytest.raises(NotReady, match="no answer for 30 s"):
        scene.watch.check()
    scene.is_away = False
    await scene.pass_time(5)
    assert scene.is_ready()
    assert metric_value(BROKER_SILENT_SECONDS) == 0


async def test_silence_counts_from_the_first_question_on() -> None:
    scene = Scene()
    scene.is_away = True
    scene.now += 60
    assert scene.watch.silent_seconds == 0
    await scene.pass_time(20)
    assert scene.watch.silent_seconds == 15


async def test_the_time_of_answers_begins_anew_after_a_silence() -> None:
    scene = Scene()
    await scene.pass_time(60)
    assert scene.watch.answering_seconds == 55
    scene.is_away = True
    await scene.pass_time(10)
    assert scene.watch.answering_seconds == 0
    scene.is_away = False
    await scene.pass_time(15)
    assert scene.watch.answering_seconds == 10


async def test_a_stand_in_always_answers() -> None:
    watch = BrokerWatch(None)
    await watch.look()
    watch.check()
    assert watch.silent_seconds == 0
