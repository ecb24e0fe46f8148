from __future__ import annotations

import asyncio
import json
from collections import Counter

from hypothesis import example, given, settings

from services.notify.domain.digest import mail_content
from tests.support.notify_script import NUMBERS, Script, ScriptRun, scripts
from tests.support.notify_stage import Stage


@settings(max_examples=150, deadline=None)
@given(scripts)
@example([("agenda", 0, ((0, 2),), False), ("deliver", 60, [None]), ("replace", 0), ("agenda", 0, (), False)])
def test_no_version_is_mailed_twice_and_the_last_mail_is_up_to_date(script: Script) -> None:
    run = ScriptRun()
    asyncio.run(run.play(script))
    mails = [json.loads(mail.content) for mail in run.stage.mailer.accepted]
    versions = Counter((mail["participant"], mail["version"]) for mail in mails)
    assert all(times == 1 for times in versions.values())
    asyncio.run(_check_end(run.stage, mails))


@settings(max_examples=50, deadline=None)
@given(scripts)
def test_published_notifications_leave_no_revision_out(script: Script) -> None:
    run = ScriptRun()
    asyncio.run(run.play(script))
    for number in NUMBERS:
        revisions = {event.revision for event in run.stage.published if event.participant_id == f"prt_{number}"}
        assert sorted(revisions) == list(range(1, len(revisions) + 1))


async def _check_end(stage: Stage, mails: list[dict[str, str]]) -> None:
    state = await stage.journal.read("edn_1")
    assert await stage.journal.replay("edn_1") == state
    for number in NUMBERS:
        participant_id = f"prt_{number}"
        delivery = await stage.ledger.find("edn_1", participant_id)
        if delivery is None or delivery.unconfirmed:
            continue
        assert delivery.wanted == delivery.settled == state.versions[participant_id]
        sent = delivery.sent_content
        if sent:
            contents = [mail["content"] for mail in mails if mail["participant"] == participant_id]
            assert contents[-1] == sent.model_dump_json()
        present = mail_content(state, participant_id)
        if sent and sent.addressee != present.addressee and not present.lines:
            continue  # the predecessor got the last mail; an empty agenda is no first mail to the successor
        assert (sent.lines if sent else ()) == present.lines
