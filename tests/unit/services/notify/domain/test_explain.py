from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import mail_content
from services.notify.domain.explain import DeliveryAnswer, explain
from services.notify.domain.publication import notification_of
from services.notify.domain.state import Audience
from shared.contract.events import DeliveryState, Event, NotificationRecorded, Status
from tests.support.notify_stage import NOW, agenda, audience, edition, encounter, everybody, participant

PAGE = Path(__file__).parents[5] / "docs" / "how-to" / "no-mail-came.md"
LATER, EARLIER = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
AGENDA = agenda(4, encounter(0, 1))
ALL = audience(*everybody(), AGENDA)
CONTENT = mail_content(ALL, "prt_0")
MAILING = Mailing(version=1, agenda_revision=4, message_id="<m@example.org>", content=CONTENT)
OWED = Delivery(operator_id="op_1", edition_id="edn_1", participant_id="prt_0", wanted=1, agenda_revision=4)
CLAIMED = OWED.claim_for("claim_1", NOW, timedelta(minutes=5))


def without(*events: Event) -> Audience:
    """The state after these events only."""
    return audience(*events)


def settled(state: DeliveryState, reason: str = "") -> tuple[Delivery, NotificationRecorded]:
    """A delivery after a mail ended in a state, and its notification."""
    delivery = OWED.settle(state, MAILING)
    return delivery, notification_of(delivery, state, MAILING, NOW, reason)


SENT, SENT_RECORD = settled(DeliveryState.SENT)
FAILED, FAILED_RECORD = settled(DeliveryState.FAILED, "the mail server answered 550")
SKIPPED, SKIPPED_RECORD = settled(DeliveryState.SKIPPED, "nothing new to tell")
CASES: dict[str, tuple[Audience, Delivery | None, NotificationRecorded | None, DeliveryAnswer, str]] = {
    "agenda without its participant": (
        without(edition(), AGENDA),
        None,
        None,
        DeliveryAnswer.NO_PARTICIPANT,
        "registration",
    ),
    "agenda without its edition": (without(participant(0), AGENDA), None, None, DeliveryAnswer.NO_EDITION, "time zone"),
    "provisional agenda": (
        without(*everybody(), agenda(1, encounter(0, 1), provisional=True)),
        None,
        None,
        DeliveryAnswer.NOT_ANNOUNCED,
        "published",
    ),
    "version not in the ledger": (ALL, None, None, DeliveryAnswer.NOT_IN_LEDGER, "version 1"),
    "waiting for the window": (
        ALL,
        OWED.model_copy(update={"due_at": LATER}),
        None,
        DeliveryAnswer.WAITING,
        "due at 2026-11-20 08:05:00Z",
    ),
    "superseded versions": (
        ALL,
        OWED.model_copy(update={"wanted": 3, "due_at": LATER}),
        None,
        DeliveryAnswer.WAITING,
        "version 3 (it supersedes versions 1 to 2)",
    ),
    "not accepted for now": (ALL, OWED.postpone(LATER), None, DeliveryAnswer.POSTPONED, "1 attempt:"),
    "due and not sent": (ALL, OWED.model_copy(update={"due_at": EARLIER}), None, DeliveryAnswer.OVERDUE, "07:55:00Z"),
    "claimed": (ALL, CLAIMED, None, DeliveryAnswer.CLAIMED, "prepares"),
    "handed over": (ALL, CLAIMED.start(MAILING), None, DeliveryAnswer.CLAIMED, "is being handed over"),
    "process ended within DATA": (
        ALL,
        OWED.claim_for("claim_1", EARLIER, timedelta(minutes=1)).start(MAILING),
        None,
        DeliveryAnswer.CLAIMED,
        "process ended while",
    ),
    "unconfirmed": (
        ALL,
        OWED.settle(DeliveryState.IN_DOUBT, MAILING),
        None,
        DeliveryAnswer.UNCONFIRMED,
        "tertulia deliveries resolve edn_1 prt_0 --taken",
    ),
    "refused": (ALL, FAILED, FAILED_RECORD, DeliveryAnswer.REFUSED, "the mail server answered 550"),
    "skipped": (ALL, SKIPPED, SKIPPED_RECORD, DeliveryAnswer.NOTHING_NEW, "nothing new to tell"),
    "sent": (ALL, SENT, SENT_RECORD, DeliveryAnswer.SENT, "with agenda revision 4"),
    "sent, record gone": (ALL, SENT, None, DeliveryAnswer.SENT, "newest agenda"),
    "refused, record gone": (ALL, FAILED, None, DeliveryAnswer.SETTLED, "refused or skipped"),
    "record of an earlier mail": (
        ALL,
        FAILED.model_copy(update={"recorded": 9}),
        FAILED_RECORD,
        DeliveryAnswer.SETTLED,
        "no",
    ),
    "cancelled": (
        audience(*everybody(), AGENDA, participant(0, 2, status=Status.CANCELLED)),
        SENT.model_copy(update={"wanted": 2, "settled": 2}),
        None,
        DeliveryAnswer.CANCELLED,
        "empty agenda",
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_delivery_is_explained(name: str) -> None:
    state, delivery, notification, answer, part = CASES[name]
    explanation = explain(state, "prt_0", delivery, notification, NOW)
    assert explanation.answer is answer
    assert part in explanation.text


def test_the_table_has_every_answer() -> None:
    assert {answer for _, _, _, answer, _ in CASES.values()} == set(DeliveryAnswer)


def test_no_explanation_holds_personal_data() -> None:
    for state, delivery, notification, _, _ in CASES.values():
        text = explain(state, "prt_0", delivery, notification, NOW).text
        assert "@example.org" not in text.replace(MAILING.message_id, "")
        assert "Person" not in text


def test_the_page_for_operators_has_every_answer() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [answer for answer in DeliveryAnswer if f"| `{answer}` |" not in page] == []
