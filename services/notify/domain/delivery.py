"""A participant's line in the delivery ledger, and every step it can take. Steps return the line as it becomes.

`idle -take-> claimed -start-> data_started -settle-> idle`. Out of time while claimed: another may take it. Out of
time once data has started: in doubt, and never sent again by itself.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from enum import StrEnum

from pydantic import Field

from services.notify.domain.audience import Audience, DeliveryWanted, Snapshot
from services.notify.domain.digest import Said
from shared.contract.events import Channel, DeliveryState, Instant, NotificationRecorded
from shared.contract.ids import Id, derived_id


class Step(StrEnum):
    """How far the mail in hand is."""

    IDLE = "idle"
    CLAIMED = "claimed"
    DATA_STARTED = "data_started"


class Window(Snapshot):
    """How long changes are gathered: `quiet` after each, but at most `longest` after the first not yet told.

    A change of what begins within `imminent` is not held back at all.
    """

    quiet: timedelta
    longest: timedelta
    imminent: timedelta = timedelta(0)

    def holds_back(self, wanted: DeliveryWanted) -> bool:
        """Whether there is time to wait for more changes."""
        return wanted.soonest is None or wanted.soonest - wanted.wanted_at > self.imminent


class Claim(Snapshot):
    """Who has the mail in hand, and until when."""

    token: str
    until: Instant


class Mailing(Snapshot):
    """A mail whose text the server has begun to take."""

    version: int
    agenda_revision: int
    message_id: str
    said: Said


class Delivery(Snapshot):
    """What one participant shall hear of and has heard of.

    `wanted` is the newest version to tell, `settled` the newest dealt with in whatever way; `told` is what the last
    mail certainly taken said, `doubt` a mail that may have been taken. `edit` counts the writes of this line: a
    write is refused unless it builds on the newest.
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
    told: Said | None = None
    doubt: Mailing | None = None
    recorded: int = 0
    edit: int = 0

    @property
    def key(self) -> str:
        """The ledger's key."""
        return line_key(self.edition_id, self.participant_id)

    @property
    def step(self) -> Step:
        """How far the mail in hand is."""
        if self.claim is None:
            return Step.IDLE
        return Step.DATA_STARTED if self.mailing else Step.CLAIMED

    @property
    def attend_at(self) -> datetime | None:
        """When to look at this line again: when it is due, or when whoever has it in hand is out of time."""
        return self.claim.until if self.claim else self.due_at

    def has_news(self, said: Said) -> bool:
        """Whether a mail saying this is worth sending: not what the last said, and not a first, empty agenda."""
        if self.doubt:
            return bool(said.lines or self.doubt.said.lines or (self.told and self.told.lines))
        if self.told is None or not self.told.lines:
            return bool(said.lines)
        return said != self.told and bool(said.lines or said.addressee == self.told.addressee)

    def message_id(self, version: int, domain: str) -> str:
        """The `Message-ID` of a version: the same however often it is made."""
        return f"<{derived_id('mail', self.edition_id, self.participant_id, str(version))}@{domain}>"

    def want(self, wanted: DeliveryWanted, window: Window) -> Delivery:
        """Have a newer version told; an older one changes nothing."""
        if wanted.version <= self.wanted:
            return self
        first_at = self.first_at if self.first_at and self.wanted > self._in_hand else wanted.wanted_at
        if not window.holds_back(wanted):
            # As if it had waited its longest: then what comes after it does not hold it back either.
            first_at = min(first_at, wanted.wanted_at - window.longest)
        due_at = min(wanted.wanted_at + window.quiet, first_at + window.longest)
        return self._with(
            wanted=wanted.version,
            agenda_revision=wanted.agenda_revision,
            first_at=first_at,
            due_at=max(due_at, self.not_before) if self.not_before else due_at,
        )

    def take(self, token: str, now: datetime, lease: timedelta) -> Delivery:
        """Take the mail in hand, for a time."""
        return self._with(claim=Claim(token=token, until=now + lease), mailing=None)

    def start(self, mailing: Mailing) -> Delivery:
        """Begin to hand the text over: from here until `settle`, the mail may have been taken."""
        return self._with(mailing=mailing, wanted=max(self.wanted, mailing.version))

    def postpone(self, until: datetime) -> Delivery:
        """Put the mail back, nothing of it having been taken."""
        return self._with(claim=None, mailing=None, attempts=self.attempts + 1, not_before=until, due_at=until)

    def settle(self, state: DeliveryState, mailing: Mailing) -> Delivery:
        """Deal with a version for good. A newer one wanted meanwhile stays due."""
        settled = max(self.settled, mailing.version)
        wanted = max(self.wanted, settled)
        fields: dict[str, object] = {"wanted": wanted, "settled": settled, "attempts": 0, "not_before": None}
        if wanted == settled:
            fields |= {"first_at": None, "due_at": None}
        if state is DeliveryState.SENT:
            fields |= {"told": mailing.said, "doubt": None}
        elif state is DeliveryState.IN_DOUBT:
            fields |= {"doubt": mailing}
        return self._with(claim=None, mailing=None, recorded=self.recorded + 1, **fields)

    def resolve(self, *, taken: bool, now: datetime) -> Delivery:
        """End a doubt as an operator found it: the mail was taken, or it was not and its participant is told again."""
        doubt = self.doubt
        if doubt is None:
            return self
        if taken:
            return self._with(doubt=None, told=doubt.said, recorded=self.recorded + 1)
        settled = min(self.settled, self.wanted - 1)
        return self._with(doubt=None, settled=settled, first_at=self.first_at or now, due_at=self.due_at or now)

    def record(self, state: DeliveryState, mailing: Mailing, now: datetime, reason: str = "") -> NotificationRecorded:
        """What `notification.v1` says of the step just taken."""
        return NotificationRecorded(
            operator_id=self.operator_id,
            edition_id=self.edition_id,
            revision=self.recorded,
            occurred_at=now,
            participant_id=self.participant_id,
            channel=Channel.EMAIL,
            agenda_revision=mailing.agenda_revision,
            state=state,
            reason=reason[:300],
            message_id=mailing.message_id if state in {DeliveryState.SENT, DeliveryState.IN_DOUBT} else None,
        )

    @property
    def _in_hand(self) -> int:
        return self.mailing.version if self.mailing else self.settled

    def _with(self, **fields: object) -> Delivery:
        return self.model_copy(update=fields)


def line_key(edition_id: str, participant_id: str) -> str:
    """The ledger's key of a participant's line, `<edition>/<participant>`."""
    return f"{edition_id}/{participant_id}"


def first_wanted(wanted: DeliveryWanted) -> Delivery:
    """The line of a participant of whom the ledger has none yet."""
    return Delivery(operator_id=wanted.operator_id, edition_id=wanted.edition_id, participant_id=wanted.participant_id)


def reason_to_skip(delivery: Delivery, audience: Audience, said: Said) -> str:
    """Why a participant needs no mail that says this, or nothing if they do."""
    if said.lines and not audience.contacts[delivery.participant_id].active:
        return "the participant is cancelled"
    return "" if delivery.has_news(said) else "nothing new to tell"
