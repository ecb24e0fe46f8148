from __future__ import annotations

import asyncio
import json
from collections import Counter
from contextlib import suppress
from itertools import chain

from hypothesis import given, settings
from hypothesis import strategies as st

from services.notify.domain.audience import Audience
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import say
from services.notify.ports import InDoubt, Letter, MailerAway, NotTaken
from tests.support.notify_stage import Crash, Stage, agenda, encounter, everybody, participant

PEOPLE = (0, 1)
AGENDAS = (((0, 2),), ((1, 2),), ((0, 2), (1, 3)), ((2, 3),), ())

plans = st.sampled_from(
    [
        None,
        NotTaken("451"),
        MailerAway("gone"),
        Crash("before DATA"),
        ("taken", InDoubt("lost answer")),
        ("lost", InDoubt("lost letter")),
        ("taken", Crash()),
        ("lost", Crash()),
    ]
)
agendas = st.tuples(
    st.just("agenda"), st.sampled_from(PEOPLE), st.sampled_from(AGENDAS), st.sampled_from([False, False, False, True])
)
changes = st.one_of(
    agendas,
    agendas,
    st.tuples(st.just("swap"), st.sampled_from(PEOPLE)),
    st.tuples(st.just("repeat")),
    st.tuples(st.just("restart")),
)
deliveries = st.tuples(st.just("deliver"), st.sampled_from([60, 60, 400, 30]), st.lists(plans, min_size=1, max_size=3))
scripts = st.lists(st.tuples(changes, deliveries), min_size=2, max_size=12).map(lambda rounds: [*chain(*rounds)])


def _render(audience: Audience, delivery: Delivery, mailing: Mailing) -> Letter:
    content = {
        "participant": delivery.participant_id,
        "version": mailing.version,
        "said": mailing.said.model_dump_json(),
    }
    return Letter("a@example.org", audience.contacts[delivery.participant_id].email, json.dumps(content).encode())


class Play:
    """Plays steps on a stage, and knows the revisions it has given out."""

    def __init__(self) -> None:
        self.stage = Stage(render=_render, smtp_connections=2)
        self._revisions: Counter[str] = Counter()
        self._heard = [everybody()]

    async def run(self, script: list[tuple]) -> None:  # type: ignore[type-arg]
        await self.stage.hear(*self._heard[0])
        for name, *arguments in script:
            await getattr(self, name)(*arguments)
        for _ in range(4):
            await self.deliver(1200, [])

    async def agenda(self, number: int, entries: tuple[tuple[int, int], ...], provisional: bool) -> None:
        self._revisions[f"agenda {number}"] += 1
        lines = [encounter(slot, other) for slot, other in entries]
        change = agenda(self._revisions[f"agenda {number}"], *lines, number=number, provisional=provisional)
        self._heard.append([change])
        await self.stage.hear(change)

    async def swap(self, number: int) -> None:
        self._revisions[f"person {number}"] += 1
        revision = 1 + self._revisions[f"person {number}"]
        change = participant(number, revision, email=f"person{number}.{revision}@example.org")
        self._heard.append([change])
        await self.stage.hear(change)

    async def repeat(self) -> None:
        for events in self._heard:
            await self.stage.hear(*events)

    async def restart(self) -> None:
        self.stage.restart()

    async def deliver(self, seconds: float, plans: list) -> None:  # type: ignore[type-arg]
        self.stage.mailer.plans = list(plans)
        self.stage.time.pass_(seconds)
        with suppress(Crash, MailerAway):
            await self.stage.notify.deliver_due()


@settings(max_examples=150, deadline=None)
@given(scripts)
def test_no_version_is_mailed_twice_and_once_quiet_the_last_mail_says_what_is_true(script: list) -> None:  # type: ignore[type-arg]
    play = Play()
    asyncio.run(play.run(script))
    mails = [json.loads(letter.content) for letter in play.stage.mailer.taken]
    versions = Counter((mail["participant"], mail["version"]) for mail in mails)
    assert all(times == 1 for times in versions.values())
    asyncio.run(_check_end(play.stage, mails))


@settings(max_examples=50, deadline=None)
@given(scripts)
def test_what_is_recorded_has_every_revision_once(script: list) -> None:  # type: ignore[type-arg]
    play = Play()
    asyncio.run(play.run(script))
    for number in PEOPLE:
        recorded = [e.revision for e in play.stage.ledger.sent if e.participant_id == f"prt_{number}"]
        assert sorted(set(recorded)) == list(range(1, len(set(recorded)) + 1))


async def _check_end(stage: Stage, mails: list[dict[str, str]]) -> None:
    state = await stage.journal.read("edn_1")
    assert await stage.journal.replay("edn_1") == state
    for number in PEOPLE:
        participant_id = f"prt_{number}"
        line = await stage.ledger.find("edn_1", participant_id)
        if line is None or line.doubt:
            continue
        assert line.wanted == line.settled == state.versions[participant_id]
        told = [mail["said"] for mail in mails if mail["participant"] == participant_id]
        if line.told:
            assert told[-1] == line.told.model_dump_json()
        heard = line.told.lines if line.told else ()
        assert heard == say(state, participant_id).lines
