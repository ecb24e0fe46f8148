"""Random scripts of agendas, replacements, repeats, restarts and failing deliveries, played on a `Stage`."""

from __future__ import annotations

import json
from collections import Counter
from contextlib import suppress
from itertools import chain
from typing import Any

from hypothesis import strategies as st

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.state import Audience
from services.notify.ports import MailServerUnavailable, NotAccepted, RenderedMail, Unconfirmed
from shared.contract.events import Event
from tests.support.notify_stage import Crash, Plan, Stage, agenda, encounter, everybody, participant

#: A step is the name of a method of `ScriptRun` and its arguments.
Script = list[tuple[Any, ...]]
#: Numbers of the participants whose agendas change.
NUMBERS = (0, 1)
#: Agendas as `(slot, partner)`.
AGENDAS = (((0, 2),), ((1, 2),), ((0, 2), (1, 3)), ((2, 3),), ())

plans = st.sampled_from(
    [
        None,
        NotAccepted("451"),
        MailServerUnavailable("gone"),
        Crash("before DATA"),
        ("accepted", Unconfirmed("lost answer")),
        ("lost", Unconfirmed("lost mail")),
        ("accepted", Crash()),
        ("lost", Crash()),
    ]
)
agendas = st.tuples(
    st.just("agenda"), st.sampled_from(NUMBERS), st.sampled_from(AGENDAS), st.sampled_from([False, False, False, True])
)
changes = st.one_of(
    agendas,
    agendas,
    st.tuples(st.just("replace"), st.sampled_from(NUMBERS)),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("restart")),
)
deliveries = st.tuples(st.just("deliver"), st.sampled_from([60, 60, 400, 30]), st.lists(plans, min_size=1, max_size=3))
#: Each change is followed by a delivery round.
scripts = st.lists(st.tuples(changes, deliveries), min_size=2, max_size=12).map(lambda rounds: [*chain(*rounds)])


def render_as_json(audience: Audience, delivery: Delivery, mailing: Mailing) -> RenderedMail:
    """Write a mail that a test reads back: its participant, its version and its content."""
    content = {
        "participant": delivery.participant_id,
        "version": mailing.version,
        "content": mailing.content.model_dump_json(),
    }
    address = audience.contacts[delivery.participant_id].email
    return RenderedMail("a@example.org", address, json.dumps(content).encode())


class ScriptRun:
    """Plays scripts on a stage, and numbers the revisions."""

    def __init__(self) -> None:
        self.stage = Stage(render=render_as_json, smtp_connections=2)
        self._revisions: Counter[str] = Counter()
        self._batches: list[list[Event]] = [everybody()]

    @property
    def consumed(self) -> list[Event]:
        """Every event of the script once, in order."""
        return [event for batch in self._batches for event in batch]

    async def play(self, script: Script) -> None:
        """Play a script, then deliver until all is quiet."""
        await self.stage.consume(*self._batches[0])
        for name, *arguments in script:
            await getattr(self, name)(*arguments)
        for _ in range(4):
            await self.deliver(1200, [])

    async def agenda(self, number: int, entries: tuple[tuple[int, int], ...], provisional: bool) -> None:
        """Give a participant another agenda."""
        self._revisions[f"agenda {number}"] += 1
        revision = self._revisions[f"agenda {number}"]
        meetings = [encounter(slot, partner) for slot, partner in entries]
        await self._consume(agenda(revision, *meetings, number=number, provisional=provisional))

    async def replace(self, number: int) -> None:
        """Put another person in a participant's place."""
        self._revisions[f"person {number}"] += 1
        revision = 1 + self._revisions[f"person {number}"]
        await self._consume(participant(number, revision, email=f"person{number}.{revision}@example.org"))

    async def repeat(self) -> None:
        """Consume all events again."""
        for batch in self._batches:
            await self.stage.consume(*batch)

    async def restart(self) -> None:
        """End the process and start another."""
        self.stage.restart()

    async def deliver(self, seconds: float, plans: list[Plan]) -> None:
        """Let time pass, then deliver with a mail server that follows the plans."""
        self.stage.mailer.plans = list(plans)
        self.stage.time.advance(seconds)
        with suppress(Crash, MailServerUnavailable):
            await self.stage.deliver_due()

    async def _consume(self, event: Event) -> None:
        self._batches.append([event])
        await self.stage.consume(event)
