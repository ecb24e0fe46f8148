"""A participant's delivery in the ledger, and its steps. A step returns the delivery as it becomes.

`idle -claim-> claimed -start-> data_started -settle-> idle`. When the lease ends on a claimed delivery, another process
may claim it. When the lease ends after `start`, the mail is unconfirmed, and is never sent again by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal

from pydantic import Field

from services.notify.domain.digest import MailContent
from services.notify.domain.snapshots import FrozenModel
from services.notify.domain.state import MOST_FORMER, Audience
from services.notify.domain.told_calendar import ToldCalendar
from shared.contract.events import DeliveryState, Instant
from shared.contract.ids import Id, derived_id

#: The newest mail of a mailbox is that of the whole agenda: invitations are due this long before.
_BEFORE_THE_AGENDA = timedelta(seconds=1)


class ChangedLine(FrozenModel):
    """An entry of an agenda that was added, changed or removed, and its earliest start."""

    entry_id: Id
    starts_at: Instant


class DeliveryWanted(FrozenModel):
    """Message of the journal to the ledger: mail a participant `version`, with the agenda at `agenda_revision`.

    `changed` are the changed lines that are not over, and `soonest` is their earliest start.
    """

    operator_id: Id
    edition_id: Id
    participant_id: Id
    version: int = Field(ge=1)
    agenda_revision: int = Field(ge=1)
    wanted_at: Instant
    soonest: Instant | None = None
    changed: tuple[ChangedLine, ...] = ()
    entry_id: Id | None = Field(default=None, description="The only entry that the mail is about: an invitation.")
    about: Id | None = Field(default=None, description="Number of a person who left the place: their last mail.")


class DeliveryStep(StrEnum):
    """Progress of the mail that a process has claimed."""

    IDLE = "idle"
    CLAIMED = "claimed"
    DATA_STARTED = "data_started"


class Window(FrozenModel):
    """Time for which changes are gathered into a mail: `quiet` after the last change, `longest` after the first.

    A change of a line that begins within `imminent` is not held back.
    """

    quiet: timedelta
    longest: timedelta
    imminent: timedelta = timedelta(0)

    def holds_back(self, wanted: DeliveryWanted) -> bool:
        """Return whether the mail may wait for more changes."""
        return wanted.soonest is None or wanted.soonest - wanted.wanted_at > self.imminent


class Claim(FrozenModel):
    """The process that has claimed a delivery, as a random `token`, and the end of its lease."""

    token: str
    until: Instant


class Mailing(FrozenModel):
    """A mail of a version, from the moment before its text is handed to the mail server.

    `calendar` is the calendar that the mail tells; the ledger keeps it in the delivery.
    """

    version: int
    agenda_revision: int
    message_id: str
    content: MailContent = Field(validation_alias="said", serialization_alias="said")
    calendar: ToldCalendar = ToldCalendar()

    def without_calendar(self) -> Mailing:
        """Return the mailing as the ledger keeps it."""
        return self.model_copy(update={"calendar": ToldCalendar()})


class Delivery(FrozenModel):
    """The ledger's document of a participant: the version to mail, and the mails sent.

    `wanted` is the newest version to mail. `settled` is the newest version that was sent, skipped, refused or left
    unconfirmed. `sent_content` is the content of the last mail that the mail server surely accepted, and `unconfirmed`
    a mail that it may have accepted. `edit` counts the writes: a write is refused unless it builds on the newest.
    `calendar` is the calendar of every mail that may have been accepted, `former_calendars` the calendars of earlier
    persons in the participant's place, the last first.
    """

    operator_id: Id
    edition_id: Id
    participant_id: Id
    wanted: int = Field(default=0, ge=0)
    agenda_revision: int = Field(default=0, ge=0)
    settled: int = Field(default=0, ge=0)
    first_at: Instant | None = None
    due_at: Instant | None = None
    not_before: Instant | None = None
    attempts: int = 0
    claim: Claim | None = None
    mailing: Mailing | None = None
    sent_content: MailContent | None = Field(default=None, validation_alias="told", serialization_alias="told")
    unconfirmed: Mailing | None = Field(default=None, validation_alias="doubt", serialization_alias="doubt")
    recorded: int = 0
    edit: int = 0
    calendar: ToldCalendar | None = None
    former_calendars: tuple[ToldCalendar, ...] = ()
    about: Id | None = Field(default=None, description="Number of a person who left the place: their last mail.")
    entry_id: Id | None = Field(default=None, description="The only entry that the mails are about: invitations.")
    outcome: DeliveryState | None = Field(default=None, description="Of the version that was settled last.")
    reason: str = Field(default="", description="Of that outcome, or of the last postponement.")
    refused_at: Instant | None = Field(default=None, description="Time of a refusal that is not believed yet.")
    refused_addressee: str = Field(default="", description="The addressee whose address was refused for good.")

    @property
    def key(self) -> str:
        """The ledger's key."""
        return delivery_key(self.edition_id, self.participant_id, self.subject)

    @property
    def subject(self) -> str | None:
        """The person or the entry of a delivery beside the participant's agenda; `None` for the agenda itself."""
        return self.about or self.entry_id

    @property
    def step(self) -> DeliveryStep:
        """Progress of the claimed mail."""
        if self.claim is None:
            return DeliveryStep.IDLE
        return DeliveryStep.DATA_STARTED if self.mailing else DeliveryStep.CLAIMED

    @property
    def attend_at(self) -> datetime | None:
        """The time to look at the delivery again: the end of the lease, else the due time."""
        return self.claim.until if self.claim else self.due_at

    @property
    def is_owed(self) -> bool:
        """True if a version is wanted that is not settled."""
        return self.wanted > self.settled

    @property
    def told_calendar(self) -> ToldCalendar:
        """The calendar told so far. A ledger written before calendars were kept has the contents of its mails."""
        if self.calendar is not None:
            return self.calendar
        return ToldCalendar.of_mails(self.sent_content, self.unconfirmed.content if self.unconfirmed else None)

    def told_to(self, person: str, now: datetime) -> ToldCalendar:
        """Return the calendar that a person was told. A person who returns to the place was told its cancellation."""
        if self.told_calendar.person in {None, person}:
            return self.told_calendar
        left = next((calendar for calendar in self.former_calendars if calendar.person == person), ToldCalendar())
        return left.cancelled(now)

    def needs_mail(self, content: MailContent, person: str | None = None) -> bool:
        """Return whether a mail of this content is worth sending.

        A repetition of the last mail is not, nor is an empty agenda as the first mail to a person. `person` is the
        number of the person to be written to: under a corrected name, they are still told that their agenda is empty.
        """
        sent = self.sent_content
        if self.unconfirmed:
            return bool(content.lines or self.unconfirmed.content.lines or (sent and sent.lines))
        if sent is None or not sent.lines:
            return bool(content.lines)
        is_same_person = person is not None and person == self.told_calendar.person
        return not content.is_like(sent) and bool(content.lines or content.has_addressee_of(sent) or is_same_person)

    def message_id(self, version: int, domain: str) -> str:
        """Return the `Message-ID` of a version: always the same for the same version."""
        parts = (self.edition_id, self.participant_id, str(version), *([self.subject] if self.subject else []))
        return f"<{derived_id('mail', *parts)}@{domain}>"

    def version_of(self, message_id: str) -> int | None:
        """Return the version of a recorded `Message-ID`, or `None` if it is of no version so far."""
        domain = message_id.strip("<>").rpartition("@")[2]
        versions = range(self.wanted, 0, -1)
        return next((version for version in versions if self.message_id(version, domain) == message_id), None)

    def want(self, wanted: DeliveryWanted, window: Window) -> Delivery:
        """Want a newer version mailed, due when the window ends. An older version changes nothing."""
        if wanted.version <= self.wanted:
            return self
        first_at = self.first_at if self.first_at and self.wanted > self._version_in_progress else wanted.wanted_at
        if not window.holds_back(wanted):
            # Date the first change back by the longest wait, so that a later change cannot hold the mail back either.
            first_at = min(first_at, wanted.wanted_at - window.longest)
        due_at = min(wanted.wanted_at + window.quiet, first_at + window.longest)
        return self._with(
            wanted=wanted.version,
            agenda_revision=wanted.agenda_revision,
            first_at=first_at,
            due_at=max(due_at, self.not_before) if self.not_before else due_at,
        )

    def claim_for(self, token: str, now: datetime, lease: timedelta) -> Delivery:
        """Claim the delivery for the process with this token, until the lease ends."""
        return self._with(claim=Claim(token=token, until=now + lease), mailing=None)

    def start(self, mailing: Mailing, lease_until: datetime | None = None) -> Delivery:
        """Begin to hand the text over: from here until `settle`, the mail may have been accepted.

        The claim lasts until `lease_until` at least: a server may answer to the text only after minutes.
        """
        claim = self.claim
        if claim and lease_until:
            claim = claim.model_copy(update={"until": max(claim.until, lease_until)})
        former, told, person = self.former_calendars, self.told_calendar, mailing.calendar.person
        if told.person not in {None, person}:
            former = (told, *(calendar for calendar in former if calendar.person != person))[:MOST_FORMER]
        return self._with(
            claim=claim,
            mailing=mailing.without_calendar(),
            wanted=max(self.wanted, mailing.version),
            calendar=mailing.calendar,
            former_calendars=former,
        )

    def believes_refusal(self, accepted_at: datetime | None) -> bool:
        """Return whether a further refusal is the address's fault: the server accepted a mail since the refusal before.

        A server that refuses everybody accepts no other mail, so its refusals are never believed.
        """
        return self.refused_at is not None and accepted_at is not None and accepted_at >= self.refused_at

    def is_refused(self, content: MailContent) -> bool:
        """Return whether the address of a mail's addressee was refused for good."""
        return bool(self.refused_addressee) and self.refused_addressee == content.addressee

    def postpone(self, until: datetime, reason: str = "", refused_at: datetime | None = None) -> Delivery:
        """Release a mail that was surely not accepted, to be tried again later."""
        aside: dict[str, object] = {"claim": None, "mailing": None, "not_before": until, "due_at": until}
        aside |= {"refused_at": refused_at}
        return self._with(attempts=self.attempts + 1, reason=reason, **aside)

    def settle(self, state: DeliveryState, mailing: Mailing, reason: str = "") -> Delivery:
        """Finish a version for good. A newer version wanted meanwhile stays due."""
        settled = max(self.settled, mailing.version)
        wanted = max(self.wanted, settled)
        fields: dict[str, object] = {"wanted": wanted, "settled": settled, "attempts": 0, "not_before": None}
        fields |= {"outcome": state, "reason": reason, "refused_at": None}
        if wanted == settled:
            fields |= {"first_at": None, "due_at": None}
        if state is DeliveryState.SENT:
            fields |= {"sent_content": mailing.content, "unconfirmed": None}
        elif state is DeliveryState.IN_DOUBT and self.subject is None:
            fields |= {"unconfirmed": mailing}
        return self._with(claim=None, mailing=None, recorded=self.recorded + 1, **fields)

    def refuse_address(self, mailing: Mailing, reason: str) -> Delivery:
        """Fail a version whose address was refused for good, as further versions will until the address changes."""
        return self._with(refused_addressee=mailing.content.addressee).settle(DeliveryState.FAILED, mailing, reason)

    def resend(self, now: datetime) -> Delivery:
        """Want the newest version mailed now, to a refused address too. An unconfirmed mail is not resent."""
        if self.unconfirmed or not self.wanted or self.claim:
            return self
        settled = min(self.settled, self.wanted - 1)
        due = {"first_at": self.first_at or now, "due_at": now, "not_before": None, "attempts": 0}
        return self._with(settled=settled, refused_at=None, refused_addressee="", **due)

    def resolve(self, *, accepted: bool, now: datetime) -> Delivery:
        """Settle an unconfirmed mail: it was accepted and so sent, or it was not and a new mail is due now."""
        unconfirmed = self.unconfirmed
        if unconfirmed is None:
            return self
        if accepted:
            sent = {"sent_content": unconfirmed.content, "outcome": DeliveryState.SENT, "reason": ""}
            return self._with(unconfirmed=None, recorded=self.recorded + 1, **sent)
        settled = min(self.settled, self.wanted - 1)
        return self._with(unconfirmed=None, settled=settled, first_at=self.first_at or now, due_at=self.due_at or now)

    @property
    def _version_in_progress(self) -> int:
        return self.mailing.version if self.mailing else self.settled

    def _with(self, **fields: object) -> Delivery:
        return self.model_copy(update=fields)


def kind_of(delivery: Delivery) -> Literal["agenda", "invitation", "last"]:
    """Return the kind of the mails: the whole agenda, an invitation to an entry, the last mail to a person who left."""
    if delivery.about:
        return "last"
    return "invitation" if delivery.entry_id else "agenda"


def delivery_key(edition_id: str, participant_id: str, subject: str | None = None) -> str:
    """Return the ledger's key of a delivery: `<edition>/<participant>`.

    The key of a last mail has `/<person>` behind it, the key of invitations `/<entry>`.
    """
    return "/".join(filter(None, (edition_id, participant_id, subject)))


def invitations_of(wanted: DeliveryWanted, window: Window) -> list[DeliveryWanted]:
    """Return the wanted invitations, for changed entries that begin soon. They go just before the agenda's own mail."""
    before = wanted.wanted_at - _BEFORE_THE_AGENDA
    return [
        wanted.model_copy(
            update={"entry_id": line.entry_id, "soonest": line.starts_at, "changed": (), "wanted_at": before}
        )
        for line in wanted.changed
        if line.starts_at - wanted.wanted_at <= window.imminent
    ]


def new_delivery(wanted: DeliveryWanted) -> Delivery:
    """Return the first delivery of a participant."""
    return Delivery(
        operator_id=wanted.operator_id,
        edition_id=wanted.edition_id,
        participant_id=wanted.participant_id,
        about=wanted.about,
        entry_id=wanted.entry_id,
    )


def reason_to_skip(delivery: Delivery, audience: Audience, content: MailContent, person: str | None = None) -> str:
    """Return why a participant needs no mail of this content, or an empty text if they need it."""
    if audience.contacts[delivery.participant_id].erased:
        return "the participant is erased"
    if content.lines and not audience.contacts[delivery.participant_id].active:
        return "the participant is cancelled"
    return "" if delivery.needs_mail(content, person) else "nothing new to tell"
