"""The answer to "no mail came": why a participant was sent no mail, or why the next mail is not due."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from services.notify.domain.delivery import Delivery, DeliveryStep, Mailing
from services.notify.domain.digest import mail_content
from services.notify.domain.state import Audience
from shared.contract.events import DeliveryState, NotificationRecorded


class DeliveryAnswer(StrEnum):
    """Kind of answer. docs/how-to/no-mail-came.md gives the next step for every kind."""

    NO_PARTICIPANT = "no participant"
    NO_EDITION = "no edition"
    NOT_ANNOUNCED = "not announced"
    NOT_IN_LEDGER = "not in the ledger"
    CLAIMED = "claimed"
    WAITING = "waiting"
    POSTPONED = "postponed"
    OVERDUE = "overdue"
    UNCONFIRMED = "unconfirmed"
    REFUSED = "refused"
    CANCELLED = "cancelled"
    NOTHING_NEW = "nothing new"
    SENT = "sent"
    SETTLED = "settled"


@dataclass(frozen=True)
class Explanation:
    """An answer and its details. Neither holds personal data."""

    answer: DeliveryAnswer
    text: str

    @property
    def uses_notification(self) -> bool:
        """True if the participant's newest `notification.v1` gives a better answer."""
        return self.answer in {DeliveryAnswer.SENT, DeliveryAnswer.SETTLED}


def explain(
    audience: Audience,
    participant_id: str,
    delivery: Delivery | None,
    notification: NotificationRecorded | None,
    now: datetime,
) -> Explanation:
    """Explain a participant's delivery.

    Args:
        audience: the edition's state in notify's journal.
        participant_id: a participant with an agenda or a contact in that state.
        delivery: the participant's delivery in the ledger, or `None`.
        notification: the participant's newest `notification.v1`, or `None`.
        now: the database's time.
    """
    if missing := _missing(audience, participant_id):
        return missing
    version = audience.versions.get(participant_id, 0)
    if delivery is None or delivery.wanted < version:
        return Explanation(
            DeliveryAnswer.NOT_IN_LEDGER,
            f"version {version} is in the journal and not in the ledger: notify writes it there within a minute"
            if version
            else "no version was wanted yet: a rebuild counts an agenda of more than 90 days as mailed",
        )
    if delivery.claim:
        return _claimed(delivery, now)
    if delivery.is_owed:
        return _owed(delivery, now)
    return _settled(audience, delivery, notification)


def _missing(audience: Audience, participant_id: str) -> Explanation | None:
    if participant_id not in audience.contacts:
        return Explanation(
            DeliveryAnswer.NO_PARTICIPANT, "notify has an agenda of the participant, and not their registration"
        )
    if participant_id not in audience.agendas:
        return Explanation(
            DeliveryAnswer.NOT_ANNOUNCED,
            "notify has no announced agenda of the participant: mails begin when the edition is published",
        )
    if audience.edition is None:
        return Explanation(DeliveryAnswer.NO_EDITION, "notify has no data of the edition itself, such as its time zone")
    return None


def _claimed(delivery: Delivery, now: datetime) -> Explanation:
    assert delivery.claim is not None  # noqa: S101 - the caller has looked
    is_over = delivery.claim.until <= now
    if delivery.step is DeliveryStep.DATA_STARTED:
        text = "the text of a mail is being handed over" if not is_over else "the process ended while it sent a mail"
        end = "the mail becomes unconfirmed after that"
    else:
        text = "a process prepares a mail" if not is_over else "the process ended before it sent a mail"
        end = "another process takes the mail over after that"
    return Explanation(DeliveryAnswer.CLAIMED, f"{text}; its lease ends at {_at(delivery.claim.until)}, and {end}")


def _owed(delivery: Delivery, now: datetime) -> Explanation:
    versions = _versions(delivery)
    if delivery.due_at is None or delivery.due_at <= now:
        since = _at(delivery.due_at) if delivery.due_at else "now"
        text = f"{versions} is due since {since}: notify does not run, or the mail server is unavailable"
        return Explanation(DeliveryAnswer.OVERDUE, text)
    if delivery.attempts:
        return Explanation(
            DeliveryAnswer.POSTPONED,
            f"{versions} was not accepted by the mail server in {_attempts(delivery.attempts)}: the next is at "
            f"{_at(delivery.due_at)}",
        )
    return Explanation(
        DeliveryAnswer.WAITING, f"{versions} waits for more changes, and is due at {_at(delivery.due_at)}"
    )


def _settled(audience: Audience, delivery: Delivery, notification: NotificationRecorded | None) -> Explanation:
    if delivery.unconfirmed:
        return _unconfirmed(delivery, delivery.unconfirmed)
    content = mail_content(audience, delivery.participant_id)
    if content.lines and not audience.contacts[delivery.participant_id].active:
        return Explanation(
            DeliveryAnswer.CANCELLED, "the participant is cancelled: their last mail is that of an empty agenda"
        )
    if notification is None or notification.revision < delivery.recorded:
        if delivery.sent_content == content:
            return Explanation(DeliveryAnswer.SENT, "the last mail that was sent has the content of the newest agenda")
        text = (
            f"version {delivery.settled} was refused or skipped: notification.v1, which has the reason, has no record"
        )
        return Explanation(DeliveryAnswer.SETTLED, text)
    return _recorded(delivery, notification)


def _recorded(delivery: Delivery, notification: NotificationRecorded) -> Explanation:
    version, at = f"version {delivery.settled}", f"at {_at(notification.occurred_at)}"
    if notification.state is DeliveryState.FAILED:
        text = (
            f"the mail of {version} was refused for good {at}: {notification.reason}. The next change is mailed again"
        )
        return Explanation(DeliveryAnswer.REFUSED, text)
    if notification.state is DeliveryState.SKIPPED:
        return Explanation(DeliveryAnswer.NOTHING_NEW, f"{version} was not mailed {at}: {notification.reason}")
    revision = f"with agenda revision {notification.agenda_revision}"
    return Explanation(DeliveryAnswer.SENT, f"the mail server accepted the mail of {version} {at}, {revision}")


def _unconfirmed(delivery: Delivery, mailing: Mailing) -> Explanation:
    command = f"tertulia deliveries resolve {delivery.edition_id} {delivery.participant_id}"
    return Explanation(
        DeliveryAnswer.UNCONFIRMED,
        f"the mail server may have accepted the mail of version {mailing.version} (agenda revision "
        f"{mailing.agenda_revision}, Message-ID {mailing.message_id}): look for it in the mail server's log, then run "
        f"`{command} --taken` or `{command} --not-taken`",
    )


def _versions(delivery: Delivery) -> str:
    """Name the owed version, and the superseded versions before it that get no mail of their own."""
    superseded = range(delivery.settled + 1, delivery.wanted)
    if not superseded:
        return f"version {delivery.wanted}"
    first, last = superseded[0], superseded[-1]
    which = f"version {first}" if first == last else f"versions {first} to {last}"
    return f"version {delivery.wanted} (it supersedes {which})"


def _attempts(number: int) -> str:
    return f"{number} attempt{'s' if number > 1 else ''}"


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M:%S}Z"
