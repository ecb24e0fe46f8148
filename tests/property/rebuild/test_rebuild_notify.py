"""A rebuild gives back the same mails sent and owed, whatever notify consumed, mailed and lost before."""

from __future__ import annotations

import asyncio
import json
from collections import Counter

from hypothesis import given, settings

from services.notify import rebuild as notify
from services.notify.domain.changes import Change
from services.notify.domain.delivery import Delivery
from services.notify.domain.state import Audience
from shared.contract.events import Event
from shared.messaging.topic_log import EditionEvents
from shared.storage.rebuild import JournalDraft, View, differences
from tests.support.notify_script import Script, ScriptRun, scripts
from tests.support.notify_stage import Stage, agenda, encounter


def rebuilt(stage: Stage, consumed: list[Event]) -> tuple[JournalDraft[Audience, Change], list[Delivery]]:
    """The state and the deliveries that the consumed and the published events give back."""
    published = EditionEvents(stage.published)
    return notify.state_of("edn_1", EditionEvents(consumed), published, stage.settings, stage.time())


async def views(run: ScriptRun) -> tuple[View, View]:
    """The view of the rebuilt state, and of the live one."""
    stage = run.stage
    draft, deliveries = rebuilt(stage, run.consumed)
    live = [delivery for key in draft.state.agendas if (delivery := await stage.ledger.find("edn_1", key))]
    return notify.view_of(draft.state, deliveries), notify.view_of(await stage.journal.read("edn_1"), live)


@settings(max_examples=40, deadline=None)
@given(scripts)
def test_a_rebuild_gives_back_the_mails_sent_once_all_is_quiet(script: Script) -> None:
    run = ScriptRun()
    asyncio.run(run.play(script))
    after, before = asyncio.run(views(run))
    assert list(differences(after, before)) == []


@settings(max_examples=20, deadline=None)
@given(scripts)
def test_deliveries_go_on_from_a_rebuilt_ledger_without_a_repeat(script: Script) -> None:
    async def check() -> None:
        run = ScriptRun()
        await run.play(script)
        stage = run.stage
        _, deliveries = rebuilt(stage, run.consumed)
        before = Counter(mail.content for mail in stage.mailer.accepted)
        mailed = [json.loads(mail.content) for mail in stage.mailer.accepted]
        for delivery in deliveries:
            versions = [mail["version"] for mail in mailed if mail["participant"] == delivery.participant_id]
            assert delivery.settled >= max(versions, default=0)
            known = await stage.ledger.find(delivery.edition_id, delivery.participant_id)
            await stage.ledger.save(delivery.model_copy(update={"edit": known.edit if known else 0}))
        await stage.deliver_due()
        assert Counter(mail.content for mail in stage.mailer.accepted) == before
        await run.agenda(0, ((4, 1),), provisional=False)
        await run.deliver(1200, [])
        for content in (Counter(mail.content for mail in stage.mailer.accepted) - before).elements():
            assert before[content] == 0

    asyncio.run(check())


def test_a_rebuild_owes_a_mail_of_an_agenda_without_a_record() -> None:
    async def check() -> None:
        run = ScriptRun()
        await run.play([("agenda", 0, ((0, 2),), False), ("deliver", 60, [])])
        draft, deliveries = rebuilt(run.stage, [*run.consumed, agenda(2, encounter(3, 2))])
        delivery = next(delivery for delivery in deliveries if delivery.participant_id == "prt_0")
        assert delivery.is_owed
        assert draft.state.versions["prt_0"] == delivery.wanted
        live = await run.stage.ledger.find("edn_1", "prt_0")
        assert live is not None
        assert delivery.sent_content == live.sent_content

    asyncio.run(check())
