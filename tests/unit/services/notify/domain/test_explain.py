from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import NamedTuple

import pytest

from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import mail_content
from services.notify.domain.explain import DeliveryAnswer, Explanation, NewestEvents, explain
from services.notify.domain.publication import notification_of
from services.notify.domain.state import Audience
from shared.contract.events import AgendaChanged, DeliveryState, Event, NotificationRecorded, ParticipantErased, Status
from tests.support.notify_stage import COMMON, NOW, agenda, audience, edition, encounter, everybody, participant

PAGE = Path(__file__).parents[5] / "docs" / "how-to" / "no-mail-came.md"
LATER, EARLIER = NOW + timedelta(minutes=5), NOW - timedelta(minutes=5)
AGENDA = agenda(4, encounter(0, 1))
ERASED = ParticipantErased(**COMMON, revision=2, participant_id="prt_0", organisation_id="org_0")
ALL = audience(*everybody(), AGENDA)
CONTENT = mail_content(ALL, "prt_0")
OWED = Delivery(operator_id="op_1", edition_id="edn_1", participant_id="prt_0", wanted=1, agenda_revision=4)
MAILING = Mailing(version=1, agenda_revision=4, message_id=OWED.message_id(1, "mail.example"), content=CONTENT)
LATER_MAILING = MAILING.model_copy(update={"version": 2, "agenda_revision": 5})
CLAIMED = OWED.claim_for("claim_1", NOW, timedelta(minutes=5))


def without(*events: Event) -> Audience:
    """The state after these events only."""
    return audience(*events)


def settled(
    state: DeliveryState, reason: str = "", before: Delivery = OWED, mailing: Mailing = MAILING
) -> tuple[Delivery, NotificationRecorded]:
    """A delivery after a mail ended in a state, and its notification."""
    delivery = before.settle(state, mailing)
    return delivery, notification_of(delivery, state, mailing, NOW, reason)


class Case(NamedTuple):
    """State of notify and of the topics, the answer that it leads to, and a part of its text."""

    audience: Audience
    delivery: Delivery | None
    notification: NotificationRecorded | None
    answer: DeliveryAnswer
    part: str
    published: AgendaChanged | None = None

    @property
    def explanation(self) -> Explanation:
        """The explanation of the case."""
        newest = NewestEvents(notification=self.notification, agenda=self.published)
        return explain(self.audience, "prt_0", self.delivery, newest, NOW)


SENT, SENT_RECORD = settled(DeliveryState.SENT)
FAILED, FAILED_RECORD = settled(DeliveryState.FAILED, "the mail server answered 550")
SKIPPED, SKIPPED_RECORD = settled(DeliveryState.SKIPPED, "nothing new to tell")
UNCONFIRMED = OWED.settle(DeliveryState.IN_DOUBT, MAILING)
REFUSED_LATER, REFUSED_LATER_RECORD = settled(
    DeliveryState.FAILED, "the mail server answered 554", UNCONFIRMED, LATER_MAILING
)
RESOLVED = UNCONFIRMED.resolve(accepted=True, now=NOW)
RESOLVED_RECORD = notification_of(RESOLVED, DeliveryState.SENT, MAILING, NOW, "resolved by an operator")
RESOLVED_EARLIER = REFUSED_LATER.resolve(accepted=True, now=NOW)
RESOLVED_EARLIER_RECORD = notification_of(RESOLVED_EARLIER, DeliveryState.SENT, MAILING, NOW, "resolved by an operator")
REBUILT = OWED.model_copy(update={"wanted": 0, "agenda_revision": 0})
WITHOUT_VERSION = ALL.model_copy(update={"versions": {}})
GONE = audience(*everybody(), AGENDA, participant(0, 2, status=Status.CANCELLED), agenda(5))
GONE_SENT, GONE_RECORD = settled(
    DeliveryState.SENT,
    before=SENT.model_copy(update={"wanted": 3}),
    mailing=Mailing(
        version=3,
        agenda_revision=5,
        message_id=OWED.message_id(3, "mail.example"),
        content=mail_content(GONE, "prt_0"),
    ),
)
CASES: dict[str, Case] = {
    "agenda without its participant": Case(
        without(edition(), AGENDA),
        None,
        None,
        DeliveryAnswer.NO_PARTICIPANT,
        "registration",
    ),
    "agenda without its edition": Case(
        without(participant(0), AGENDA), None, None, DeliveryAnswer.NO_EDITION, "time zone"
    ),
    "provisional agenda": Case(
        without(*everybody(), agenda(1, encounter(0, 1), provisional=True)),
        None,
        None,
        DeliveryAnswer.NOT_ANNOUNCED,
        "published",
    ),
    "erased participant": Case(
        audience(*everybody(), AGENDA, ERASED),
        None,
        None,
        DeliveryAnswer.ERASED,
        "nothing any more",
    ),
    "version not in the ledger": Case(ALL, None, None, DeliveryAnswer.NOT_IN_LEDGER, "version 1"),
    "waiting for the window": Case(
        ALL,
        OWED.model_copy(update={"due_at": LATER}),
        None,
        DeliveryAnswer.WAITING,
        "due at 2026-11-20 08:05:00Z",
    ),
    "superseded versions": Case(
        ALL,
        OWED.model_copy(update={"wanted": 3, "due_at": LATER}),
        None,
        DeliveryAnswer.WAITING,
        "version 3 (it supersedes versions 1 to 2)",
    ),
    "not accepted for now": Case(ALL, OWED.postpone(LATER), None, DeliveryAnswer.POSTPONED, "1 attempt:"),
    "due and not sent": Case(
        ALL,
        OWED.model_copy(update={"due_at": EARLIER}),
        None,
        DeliveryAnswer.OVERDUE,
        "since 2026-11-20 07:55:00Z: notify does not run, the mail server is unavailable, or many mails",
    ),
    "claimed": Case(ALL, CLAIMED, None, DeliveryAnswer.CLAIMED, "prepares"),
    "handed over": Case(ALL, CLAIMED.start(MAILING), None, DeliveryAnswer.CLAIMED, "is being handed over"),
    "process ended within DATA, not taken over": Case(
        ALL,
        OWED.claim_for("claim_1", EARLIER, timedelta(minutes=1)).start(MAILING),
        None,
        DeliveryAnswer.CLAIMED,
        "its lease ended at 2026-11-20 07:56:00Z, and no process has taken the mail over since",
    ),
    "process ended before DATA": Case(
        ALL,
        OWED.claim_for("claim_1", EARLIER, timedelta(minutes=1)),
        None,
        DeliveryAnswer.CLAIMED,
        "ended before it sent",
    ),
    "unconfirmed": Case(
        ALL,
        OWED.settle(DeliveryState.IN_DOUBT, MAILING),
        None,
        DeliveryAnswer.UNCONFIRMED,
        "tertulia deliveries resolve edn_1 prt_0 --taken",
    ),
    "refused": Case(ALL, FAILED, FAILED_RECORD, DeliveryAnswer.REFUSED, "the mail server answered 550"),
    "skipped": Case(ALL, SKIPPED, SKIPPED_RECORD, DeliveryAnswer.NOTHING_NEW, "nothing new to tell"),
    "sent": Case(ALL, SENT, SENT_RECORD, DeliveryAnswer.SENT, "with agenda revision 4"),
    "sent, record gone": Case(ALL, SENT, None, DeliveryAnswer.SENT, "newest agenda"),
    "refused, record gone": Case(ALL, FAILED, None, DeliveryAnswer.SETTLED, "refused or skipped"),
    "record of an earlier mail": Case(
        ALL,
        FAILED.model_copy(update={"recorded": 9}),
        FAILED_RECORD,
        DeliveryAnswer.SETTLED,
        "no",
    ),
    "unconfirmed, and a later version refused": Case(
        ALL,
        REFUSED_LATER,
        REFUSED_LATER_RECORD,
        DeliveryAnswer.UNCONFIRMED,
        "Later, the mail of version 2 was refused for good at 2026-11-20 08:00:00Z: the mail server answered 554",
    ),
    "unconfirmed, and the record of a later refusal gone": Case(
        ALL, REFUSED_LATER, None, DeliveryAnswer.UNCONFIRMED, "Later, version 2 was refused or skipped"
    ),
    "resolved as taken": Case(ALL, RESOLVED, RESOLVED_RECORD, DeliveryAnswer.SENT, "version 1, with agenda revision 4"),
    "earlier mail resolved as taken": Case(
        ALL,
        RESOLVED_EARLIER,
        RESOLVED_EARLIER_RECORD,
        DeliveryAnswer.SETTLED,
        "resolved by an operator. The later version 2 was refused or skipped",
    ),
    "Message-ID of the last mail": Case(ALL, SENT, SENT_RECORD, DeliveryAnswer.SENT, MAILING.message_id),
    "rebuilt from an old agenda": Case(
        WITHOUT_VERSION, REBUILT, None, DeliveryAnswer.COUNTED_AS_MAILED, "counts as mailed"
    ),
    "rebuilt without a ledger": Case(WITHOUT_VERSION, None, None, DeliveryAnswer.COUNTED_AS_MAILED, "rebuilt"),
    "move that notify has not received": Case(
        ALL,
        SENT,
        SENT_RECORD,
        DeliveryAnswer.NOT_RECEIVED,
        "published agenda revision 5 at 2026-11-20 08:00:00Z, and notify has revision 4",
        published=agenda(5, encounter(1, 1)),
    ),
    "mail due without the newest move": Case(
        ALL,
        OWED,
        None,
        DeliveryAnswer.NOT_RECEIVED,
        "Apart from that: overdue: version 1",
        published=agenda(5, encounter(1, 1)),
    ),
    "first agenda that notify has not received": Case(
        without(*everybody()),
        None,
        None,
        DeliveryAnswer.NOT_RECEIVED,
        "and notify has none",
        published=agenda(5, encounter(1, 1)),
    ),
    "all that the scheduler published": Case(ALL, SENT, SENT_RECORD, DeliveryAnswer.SENT, "accepted", published=AGENDA),
    "provisional agenda of the scheduler": Case(
        without(*everybody()),
        None,
        None,
        DeliveryAnswer.NOT_ANNOUNCED,
        "published",
        published=agenda(5, encounter(1, 1), provisional=True),
    ),
    "cancelled": Case(
        audience(*everybody(), AGENDA, participant(0, 2, status=Status.CANCELLED)),
        SENT.model_copy(update={"wanted": 2, "settled": 2}),
        None,
        DeliveryAnswer.CANCELLED,
        "empty agenda has not reached notify",
    ),
    "cancelled, and the empty agenda mailed": Case(
        GONE, GONE_SENT, GONE_RECORD, DeliveryAnswer.SENT, "version 3, with agenda revision 5"
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_a_delivery_is_explained(name: str) -> None:
    explanation = CASES[name].explanation
    assert explanation.answer is CASES[name].answer
    assert CASES[name].part in explanation.text


def test_the_table_has_every_answer() -> None:
    assert {case.answer for case in CASES.values()} == set(DeliveryAnswer)


def test_no_explanation_holds_personal_data() -> None:
    for case in CASES.values():
        text = case.explanation.text
        assert "@example.org" not in text
        assert "Person" not in text


def test_the_newest_mail_is_that_with_a_message_id() -> None:
    """After a refusal, the newest notification has none. Events of further participants are left out."""
    foreign = SENT_RECORD.model_copy(update={"participant_id": "prt_1", "revision": 9})
    newest = NewestEvents.of(
        "prt_0", [REFUSED_LATER_RECORD, SENT_RECORD, foreign], [agenda(5), AGENDA, agenda(9, number=1)]
    )
    assert newest == NewestEvents(notification=REFUSED_LATER_RECORD, mail=SENT_RECORD, agenda=agenda(5))


def test_the_version_of_a_message_id_is_found() -> None:
    delivery = OWED.model_copy(update={"wanted": 7})
    assert delivery.version_of(delivery.message_id(3, "mail.example")) == 3
    assert delivery.version_of(delivery.message_id(8, "mail.example")) is None


def test_the_page_for_operators_has_every_answer() -> None:
    page = PAGE.read_text(encoding="utf-8")
    assert [answer for answer in DeliveryAnswer if f"| `{answer}` |" not in page] == []
