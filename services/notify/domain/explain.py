"""The answer to "no mail came": why a participant was sent no mail, or why the next mail is not due."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from operator import attrgetter

from services.notify.domain.delivery import Claim, Delivery, DeliveryStep, Mailing
from services.notify.domain.digest import mail_content
from services.notify.domain.state import Audience
from shared.contract.events import AgendaChanged, DeliveryState, NotificationRecorded

_revision = attrgetter("revision")


class DeliveryAnswer(StrEnum):
    """Kind of answer. docs/how-to/no-mail-came.md gives the next step for every kind."""

    NO_PARTICIPANT = "no participant"
    NO_EDITION = "no edition"
    NOT_ANNOUNCED = "not announced"
    ERASED = "erased"
    NOT_RECEIVED = "not received"
    COUNTED_AS_MAILED = "counted as mailed"
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


@dataclass(frozen=True)
class NewestEvents:
    """A participant's newest events on the topics; `None` if there is none, or if the topic cannot be read.

    `mail` is the newest notification with a Message-ID: a mail that the mail server accepted, or may have accepted.
    """

    notification: NotificationRecorded | None = None
    mail: NotificationRecorded | None = None
    agenda: AgendaChanged | None = None

    @staticmethod
    def of(
        participant_id: str, notifications: Iterable[NotificationRecorded], agendas: Iterable[AgendaChanged]
    ) -> NewestEvents:
        """Return the participant's newest events among the events of an edition."""
        own = [event for event in notifications if event.participant_id == participant_id]
        return NewestEvents(
            notification=max(own, key=_revision, default=None),
            mail=max((event for event in own if event.message_id), key=_revision, default=None),
            agenda=max(
                (event for event in agendas if event.participant_id == participant_id), key=_revision, default=None
            ),
        )


def explain(
    audience: Audience, participant_id: str, delivery: Delivery | None, newest: NewestEvents, now: datetime
) -> Explanation:
    """Explain a participant's delivery.

    Args:
        audience: the edition's state in notify's journal.
        participant_id: a participant with an agenda or a contact in that state.
        delivery: the participant's delivery in the ledger, or `None`.
        newest: the participant's newest events on the topics.
        now: the database's time.
    """
    explanation = _missing(audience, participant_id) or _explain(
        audience, participant_id, delivery, newest.notification, now
    )
    if explanation.answer in {DeliveryAnswer.NO_PARTICIPANT, DeliveryAnswer.NO_EDITION}:
        return explanation
    return _not_received(audience, participant_id, newest.agenda, explanation) or explanation


def _not_received(
    audience: Audience, participant_id: str, published: AgendaChanged | None, explanation: Explanation
) -> Explanation | None:
    """Compare the scheduler's newest agenda with notify's. A provisional agenda is never mailed."""
    known = audience.agendas.get(participant_id)
    if published is None or published.provisional or (known and known.revision >= published.revision):
        return None
    return Explanation(
        DeliveryAnswer.NOT_RECEIVED,
        f"the scheduler published agenda revision {published.revision} at {_at(published.occurred_at)}, and notify has "
        f"{f'revision {known.revision}' if known else 'none'}: notify lags behind, or the record is a dead letter. "
        f"Apart from that: {explanation.answer}: {explanation.text}",
    )


def _explain(
    audience: Audience,
    participant_id: str,
    delivery: Delivery | None,
    notification: NotificationRecorded | None,
    now: datetime,
) -> Explanation:
    version = audience.versions.get(participant_id, 0)
    if not version and (delivery is None or not delivery.wanted):
        return Explanation(
            DeliveryAnswer.COUNTED_AS_MAILED,
            "notify's database was rebuilt, and notification.v1 had no record of a mail: an agenda older than these "
            "records counts as mailed. The next change is mailed",
        )
    if delivery is None or delivery.wanted < version:
        return Explanation(
            DeliveryAnswer.NOT_IN_LEDGER,
            f"version {version} is in the journal and not in the ledger: notify writes it there within a minute",
        )
    if delivery.claim:
        return _claimed(delivery, delivery.claim, now)
    if delivery.is_owed:
        return _owed(delivery, now)
    return _settled(audience, delivery, notification)


def _missing(audience: Audience, participant_id: str) -> Explanation | None:
    if participant_id not in audience.contacts:
        return Explanation(
            DeliveryAnswer.NO_PARTICIPANT, "notify has an agenda of the participant, and not their registration"
        )
    if audience.contacts[participant_id].erased:
        return Explanation(DeliveryAnswer.ERASED, "the participant is erased, and is mailed nothing any more")
    if participant_id not in audience.agendas:
        return Explanation(
            DeliveryAnswer.NOT_ANNOUNCED,
            "notify has no announced agenda of the participant: mails begin when the edition is published",
        )
    if audience.edition is None:
        return Explanation(DeliveryAnswer.NO_EDITION, "notify has no data of the edition itself, such as its time zone")
    return None


def _claimed(delivery: Delivery, claim: Claim, now: datetime) -> Explanation:
    hands_over = delivery.step is DeliveryStep.DATA_STARTED
    if claim.until > now:
        text = "the text of a mail is being handed over" if hands_over else "a process prepares a mail"
        end = (
            "the mail becomes unconfirmed after that"
            if hands_over
            else "another process takes the mail over after that"
        )
        return Explanation(DeliveryAnswer.CLAIMED, f"{text}; its lease ends at {_at(claim.until)}, and {end}")
    text = "the process ended while it sent a mail" if hands_over else "the process ended before it sent a mail"
    return Explanation(
        DeliveryAnswer.CLAIMED,
        f"{text}; its lease ended at {_at(claim.until)}, and no process has taken the mail over since: see whether "
        "notify runs and the mail server is available",
    )


def _owed(delivery: Delivery, now: datetime) -> Explanation:
    versions = _versions(delivery)
    if delivery.due_at is None or delivery.due_at <= now:
        since = _at(delivery.due_at) if delivery.due_at else "now"
        causes = "notify does not run, the mail server is unavailable, or many mails are due"
        return Explanation(DeliveryAnswer.OVERDUE, f"{versions} is due since {since}: {causes}")
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
    if notification and notification.revision < delivery.recorded:
        notification = None  # The record of the last mail is missing: this is the record of an earlier mail.
    if delivery.unconfirmed:
        return _unconfirmed(delivery, delivery.unconfirmed, notification)
    content = mail_content(audience, delivery.participant_id)
    if content.lines and not audience.contacts[delivery.participant_id].active:
        return Explanation(
            DeliveryAnswer.CANCELLED,
            "the participant is cancelled, and their empty agenda has not reached notify: its mail is the last to them",
        )
    if notification:
        return _recorded(delivery, notification)
    if delivery.sent_content and delivery.sent_content.is_like(content):
        return Explanation(DeliveryAnswer.SENT, "the last mail that was sent has the content of the newest agenda")
    text = f"version {delivery.settled} was refused or skipped: notification.v1, which has the reason, has no record"
    return Explanation(DeliveryAnswer.SETTLED, text)


def _recorded(delivery: Delivery, notification: NotificationRecorded) -> Explanation:
    """Explain the last record: that of the version settled last, or of an earlier mail that an operator resolved."""
    last, at = f"version {delivery.settled}", f"at {_at(notification.occurred_at)}"
    if notification.state is DeliveryState.FAILED:
        text = f"the mail of {last} was refused for good {at}: {notification.reason}. The next change is mailed again"
        return Explanation(DeliveryAnswer.REFUSED, text)
    if notification.state is DeliveryState.SKIPPED:
        return Explanation(DeliveryAnswer.NOTHING_NEW, f"{last} was not mailed {at}: {notification.reason}")
    version = delivery.version_of(notification.message_id or "")
    text = (
        f"the mail server accepted {_mail_of(version)}, with agenda revision {notification.agenda_revision} "
        f"(Message-ID {notification.message_id}), as recorded {at}"
    )
    text += f": {notification.reason}" if notification.reason else ""
    if version is None or version >= delivery.settled:
        return Explanation(DeliveryAnswer.SENT, text)
    return Explanation(
        DeliveryAnswer.SETTLED, f"{text}. The later {last} was refused or skipped: the log of notify has the reason"
    )


def _unconfirmed(delivery: Delivery, mailing: Mailing, notification: NotificationRecorded | None) -> Explanation:
    command = f"tertulia deliveries resolve {delivery.edition_id} {delivery.participant_id}"
    text = (
        f"the mail server may have accepted the mail of version {mailing.version} (agenda revision "
        f"{mailing.agenda_revision}, Message-ID {mailing.message_id}): look for it in the mail server's log, then run "
        f"`{command} --taken` or `{command} --not-taken`"
    )
    if delivery.settled > mailing.version:
        later = (
            _recorded(delivery, notification).text
            if notification
            else f"version {delivery.settled} was refused or skipped"
        )
        text += f". Later, {later}"
    return Explanation(DeliveryAnswer.UNCONFIRMED, text)


def _mail_of(version: int | None) -> str:
    """Name the mail of a version; the version of an old record may be unknown."""
    return f"the mail of version {version}" if version else "the mail"


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
