from __future__ import annotations

import json
from datetime import timedelta

import pytest
from pydantic import ValidationError

from services.notify.domain.delivery import Delivery, DeliveryStep, DeliveryWanted, Mailing, Window, new_delivery
from services.notify.domain.digest import MailContent, mail_content
from services.notify.settings import Settings
from shared.contract.events import AgendaEntry, DeliveryState
from tests.support.notify_stage import NOW, agenda, audience, encounter, everybody, participant

WINDOW = Window(quiet=timedelta(seconds=60), longest=timedelta(seconds=100))


def content(*entries: AgendaEntry, revision: int = 1, email: str = "person0@example.org") -> MailContent:
    return mail_content(audience(*everybody(), participant(0, revision, email=email), agenda(1, *entries)), "prt_0")


EMPTY, HERE, THERE = content(), content(encounter(0, 1)), content(encounter(1, 1))
OTHER_PERSON, OTHER_PERSON_EMPTY = (
    content(*entries, revision=2, email="b@c.de") for entries in ([encounter(0, 1)], [])
)


def wanted(version: int, seconds: float = 0) -> DeliveryWanted:
    return DeliveryWanted(
        operator_id="op_1",
        edition_id="edn_1",
        participant_id="prt_0",
        version=version,
        agenda_revision=version,
        wanted_at=NOW + timedelta(seconds=seconds),
    )


def delivery_of(version: int = 1) -> Delivery:
    return new_delivery(wanted(version)).want(wanted(version), WINDOW)


def mailing(version: int, content: MailContent = HERE) -> Mailing:
    return Mailing(version=version, agenda_revision=version, message_id="<m>", content=content)


def seconds_until_due(delivery: Delivery) -> float | None:
    return (delivery.due_at - NOW).total_seconds() if delivery.due_at else None


@pytest.mark.parametrize(
    ("sent", "unconfirmed", "now", "needed"),
    [
        (None, None, HERE, True),
        (None, None, EMPTY, False),
        (HERE, None, HERE, False),
        (HERE, None, THERE, True),
        (HERE, None, EMPTY, True),
        (EMPTY, None, EMPTY, False),
        (EMPTY, None, HERE, True),
        (HERE, None, OTHER_PERSON, True),
        (HERE, None, OTHER_PERSON_EMPTY, False),
        (HERE, THERE, HERE, True),
        (None, HERE, EMPTY, True),
    ],
)
def test_a_mail_is_needed_if_it_differs_from_the_last_sure_mail(
    sent: MailContent | None, unconfirmed: MailContent | None, now: MailContent, needed: bool
) -> None:
    delivery = delivery_of().model_copy(
        update={"sent_content": sent, "unconfirmed": mailing(1, unconfirmed) if unconfirmed else None}
    )
    assert delivery.needs_mail(now) is needed


def test_the_window_starts_again_with_each_change_but_not_for_ever() -> None:
    delivery = delivery_of()
    due = [
        seconds_until_due(delivery := delivery.want(wanted(n, seconds), WINDOW)) for n, seconds in ((2, 30), (3, 50))
    ]
    assert due == [90, 100]


@pytest.mark.parametrize(("minutes", "due"), [(60, 0), (61, 60), (-5, 0), (None, 60)])
def test_an_imminent_change_goes_at_once(minutes: float | None, due: float) -> None:
    window = WINDOW.model_copy(update={"imminent": timedelta(hours=1)})
    soonest = NOW + timedelta(minutes=minutes) if minutes is not None else None
    first = wanted(1).model_copy(update={"soonest": soonest})
    delivery = new_delivery(first).want(first, window)
    assert seconds_until_due(delivery) == due
    later = delivery.want(wanted(2, 30), window)
    assert seconds_until_due(later) == (90 if due else 0)


def test_a_change_does_not_cut_a_back_off_short() -> None:
    postponed = delivery_of().postpone(NOW + timedelta(seconds=500))
    assert seconds_until_due(postponed.want(wanted(2, 10), WINDOW)) == 500


def test_a_change_while_a_mail_is_claimed_opens_its_own_window() -> None:
    started = delivery_of().claim_for("me", NOW, timedelta(seconds=9)).start(mailing(1))
    assert started.step is DeliveryStep.DATA_STARTED
    settled = started.want(wanted(2, 70), WINDOW).settle(DeliveryState.SENT, mailing(1))
    assert (settled.step, settled.settled, settled.wanted, seconds_until_due(settled)) == (DeliveryStep.IDLE, 1, 2, 130)


def test_a_mail_newer_than_the_wanted_version_settles_it() -> None:
    settled = delivery_of().claim_for("me", NOW, timedelta(seconds=9)).settle(DeliveryState.SENT, mailing(3))
    assert settled.want(wanted(2), WINDOW) == settled.want(wanted(3), WINDOW) == settled
    assert settled.attend_at is None


def test_the_message_id_is_the_same_for_a_version_and_no_other() -> None:
    assert (
        delivery_of().message_id(1, "x.org")
        == delivery_of(5).message_id(1, "x.org")
        != delivery_of().message_id(2, "x.org")
    )


def test_a_lease_must_outlast_a_mail() -> None:
    with pytest.raises(ValidationError, match="at least 8"):
        Settings(lease_seconds=10, smtp_timeout_seconds=2)


def test_a_made_up_sender_is_refused_unless_the_mail_server_is_on_this_machine() -> None:
    assert Settings(smtp_host="localhost").mail_from.endswith("@tertulia.invalid>")
    assert Settings(smtp_host="relay.example.org", mail_from="Agenda <agenda@example.org>")
    with pytest.raises(ValidationError, match="TERTULIA_MAIL_FROM is an address that cannot exist"):
        Settings(smtp_host="relay.example.org")


@pytest.mark.parametrize(
    ("refused", "accepted", "expected"),
    [(None, None, False), (None, 5, False), (5, None, False), (5, 4, False), (5, 5, True), (5, 9, True)],
)
def test_a_refusal_is_believed_once_another_mail_was_accepted(
    refused: int | None, accepted: int | None, *, expected: bool
) -> None:
    refused_at, accepted_at = (NOW + timedelta(seconds=at) if at else None for at in (refused, accepted))
    delivery = delivery_of().model_copy(update={"refused_at": refused_at})
    assert delivery.believes_refusal(accepted_at) is expected


def test_a_delivery_is_written_and_read_under_its_stored_names() -> None:
    claimed = delivery_of().settle(DeliveryState.SENT, mailing(1)).claim_for("me", NOW, timedelta(seconds=9))
    delivery = claimed.start(mailing(2)).model_copy(update={"unconfirmed": mailing(1)})
    stored = json.loads(delivery.model_dump_json())
    assert stored["told"] == stored["doubt"]["said"] == stored["mailing"]["said"] == HERE.model_dump(mode="json")
    assert not {"sent_content", "unconfirmed"} & stored.keys()
    assert Delivery.model_validate_json(delivery.model_dump_json()) == delivery
