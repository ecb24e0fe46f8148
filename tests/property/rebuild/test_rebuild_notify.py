"""Whatever notify heard, mailed and lost on the way, who is told what is made of the topics again."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from hypothesis import given, settings

from services.notify import rebuild as notify
from shared.contract.events import Event
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import View, differences
from tests.property.notify.test_ledger import Play, scripts
from tests.support.notify_stage import agenda, encounter


async def views(play: Play, heard: list[Event]) -> tuple[View, View]:
    """Of the state rebuilt from what was heard and said, and of the live one."""
    stage = play.stage
    made, lines = notify.state_of(
        "edn_1", EditionEvents(heard), EditionEvents(stage.ledger.sent), stage.settings, stage.time()
    )
    live = [line for key in made.state.agendas if (line := await stage.ledger.find("edn_1", key))]
    return notify.view_of(made.state, lines), notify.view_of(await stage.journal.read("edn_1"), live)


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_once_all_is_quiet_who_was_told_what_is_what_was_recorded(script: list) -> None:  # type: ignore[type-arg]
    play = Play()
    asyncio.run(play.run(script))
    rebuilt, live = asyncio.run(views(play, [event for events in play._heard for event in events]))
    assert list(differences(rebuilt, live)) == []


@settings(max_examples=20, deadline=None)
@given(scripts)
def test_who_goes_on_from_the_rebuilt_ledger_mails_no_version_twice(script: list) -> None:  # type: ignore[type-arg]
    async def run() -> None:
        play = Play()
        await play.run(script)
        heard = [event for events in play._heard for event in events]
        stage = play.stage
        _, lines = notify.state_of(
            "edn_1", EditionEvents(heard), EditionEvents(stage.ledger.sent), stage.settings, stage.time()
        )
        before = Counter(letter.content for letter in stage.mailer.taken)
        mailed = [json.loads(letter.content) for letter in stage.mailer.taken]
        for line in lines:
            assert line.settled >= max(
                (m["version"] for m in mailed if m["participant"] == line.participant_id), default=0
            )
            known = await stage.ledger.find(line.edition_id, line.participant_id)
            await stage.ledger.save(line.model_copy(update={"edit": known.edit if known else 0}))
        await stage.notify.deliver_due()
        assert Counter(letter.content for letter in stage.mailer.taken) == before
        await play.agenda(0, ((4, 1),), provisional=False)
        await play.deliver(1200, [])
        for letter in (Counter(letter.content for letter in stage.mailer.taken) - before).elements():
            assert before[letter] == 0

    asyncio.run(run())


def test_news_that_nobody_was_mailed_is_owed_and_what_was_mailed_is_what_it_is_news_to() -> None:
    async def run() -> None:
        play = Play()
        await play.run([("agenda", 0, ((0, 2),), False), ("deliver", 60, [])])
        late = agenda(2, encounter(3, 2))
        heard = [*(event for events in play._heard for event in events), late]
        stage = play.stage
        made, lines = notify.state_of(
            "edn_1", EditionEvents(heard), EditionEvents(stage.ledger.sent), stage.settings, stage.time()
        )
        line = next(one for one in lines if one.participant_id == "prt_0")
        assert line.wanted > line.settled
        assert made.state.versions["prt_0"] == line.wanted
        told = await stage.ledger.find("edn_1", "prt_0")
        assert told is not None
        assert line.told == told.told

    asyncio.run(run())
