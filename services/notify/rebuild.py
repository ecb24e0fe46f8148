"""Notify's state: whom it writes to, what it knows to tell them, and what it has told them.

Not on the bus, so not rebuilt: mails in hand when the database was lost (they are sent again, under the same
Message-ID), and news that was no news of an agenda, such as another person in a partner's seat.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from services.notify.domain.audience import (
    Agenda,
    AgendaRecorded,
    Audience,
    Change,
    Contact,
    ContactRecorded,
    DeliveryWanted,
    Edition,
    EditionRecorded,
    Match,
    MatchRecorded,
    Organisation,
    OrganisationRecorded,
    VersionRaised,
)
from services.notify.domain.delivery import Delivery, Mailing
from services.notify.domain.digest import Said as Told
from services.notify.domain.digest import say
from services.notify.service import AudienceAggregate
from services.notify.settings import Settings
from services.notify.store import COLLECTION, MongoLedger, line_of
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    Consent,
    DeliveryState,
    EditionChanged,
    NotificationRecorded,
    OrganisationChanged,
    ParticipantChanged,
)
from shared.contract.ids import pair_id
from shared.contract.topics import AFFINITY, AGENDA, NOTIFICATION, REGISTRATION
from shared.messaging.topic_log import EditionEvents
from shared.runtime.clock import utc_now
from shared.storage.mongo import MongoDatabase
from shared.storage.rebuild import JournalDraft, Rebuilt, View, as_json, read_journal, side_by_side, write_journal

_AGGREGATE = AudienceAggregate()
#: Versions of one participant among which the one of a Message-ID is looked for.
_MOST_VERSIONS = 1000
#: What of a line told is as the agenda has it; the rest stands for people's names of then.
_TOLD_OF_A_LINE = {"entry_id", "starts_at", "ends_at", "zone", "table", "title"}


class NotifyRebuilder:
    """See `core.Rebuilder`."""

    consumed = (REGISTRATION, AGENDA, AFFINITY)
    published = (NOTIFICATION,)

    def __init__(self) -> None:
        self.settings: Settings = Settings()

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's journal and its lines of the delivery ledger, and say how many are owed a mail."""
        draft, lines = state_of(edition_id, consumed, published, self.settings, utc_now())
        await write_journal(database, _AGGREGATE, draft, consumed)
        ledger = MongoLedger(database, utc_now)
        await ledger.prepare()
        await side_by_side(ledger.save(line) for line in lines)
        owed = sum(line.wanted > line.settled for line in lines)
        return Rebuilt(
            len(lines), [f"{owed} participants are owed a mail, and get it when notify starts"] if owed else []
        )

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Whom it writes to, what it knows, and what it has told each."""
        state = await read_journal(database, _AGGREGATE, edition_id)
        if state is None:
            return {}
        lines = [line_of(one) async for one in database[COLLECTION].find({"edition_id": edition_id})]
        return view_of(state, lines)


def view_of(state: Audience, lines: Iterable[Delivery]) -> View:
    """All that mails are made of, and what was told: not the counts of versions, nor reasons of who does not meet."""
    met = {
        pair
        for one, agenda in state.agendas.items()
        for entry in agenda.entries
        if entry.with_participant_id and (pair := _pair(state, one, entry.with_participant_id))
    }
    return {
        "edition": as_json({state.edition_id: state.edition} if state.edition else {}),
        "organisations": as_json(state.organisations),
        "contacts": as_json(state.contacts),
        "agendas": as_json(state.agendas),
        "reasons": as_json({pair: state.matches[pair] for pair in met}, exclude={"revision"}),
        "told": {line.participant_id: _told(line) for line in lines},
    }


def _pair(state: Audience, one: str, other: str) -> str | None:
    identity = pair_id(state.edition_id, one, other)
    return identity if identity in state.matches else None


def _told(line: Delivery) -> dict[str, Any]:
    lines = line.told.model_dump(mode="json", include={"lines": {"__all__": _TOLD_OF_A_LINE}}) if line.told else None
    return {
        "lines": lines["lines"] if lines else [],
        "is_owed": line.wanted > line.settled,
        "in_doubt": line.doubt.message_id if line.doubt else None,
    }


def state_of(
    edition_id: str, consumed: EditionEvents, published: EditionEvents, settings: Settings, now: datetime
) -> tuple[JournalDraft[Audience, Change], list[Delivery]]:
    """The audience that heard this, with the changes that make it; and the ledger of who said that."""
    draft = JournalDraft[Audience, Change](_AGGREGATE, edition_id)
    _learn(draft, consumed)
    history: dict[str, list[AgendaChanged]] = {one: [] for one in draft.state.agendas}
    records: dict[str, list[NotificationRecorded]] = {}
    for agenda in _announced(consumed).every(AgendaChanged):
        history[agenda.participant_id].append(agenda)
    for record in published.every(NotificationRecorded):
        records.setdefault(record.participant_id, []).append(record)
    lines = [
        _Line(draft.state, agendas, sorted(records.get(one, ()), key=lambda record: record.revision), settings).made(
            now
        )
        for one, agendas in history.items()
    ]
    for line in lines:
        if line.wanted:
            draft.record(VersionRaised(participant_id=line.participant_id, version=line.wanted))
    return draft, lines


def _learn(draft: JournalDraft[Audience, Change], consumed: EditionEvents) -> None:
    for edition in consumed.newest(EditionChanged):
        draft.record(EditionRecorded(edition=Edition.of(edition)))
    for organisation in consumed.newest(OrganisationChanged):
        draft.record(
            OrganisationRecorded(
                organisation_id=organisation.organisation_id, organisation=Organisation.of(organisation)
            )
        )
    for participant in consumed.newest(ParticipantChanged):
        draft.record(ContactRecorded(participant_id=participant.participant_id, contact=Contact.of(participant)))
    for agenda in _announced(consumed).newest(AgendaChanged):
        draft.record(AgendaRecorded(participant_id=agenda.participant_id, agenda=Agenda.of(agenda)))
    for affinity in consumed.newest(AffinityScored):
        if affinity.consent is Consent.GRANTED:
            draft.record(MatchRecorded(pair_id=affinity.pair_id, match=Match.of(affinity)))


def _announced(consumed: EditionEvents) -> EditionEvents:
    """The agendas that anybody is mailed."""
    return EditionEvents(agenda for agenda in consumed.every(AgendaChanged) if not agenda.provisional)


class _Line:
    """One participant's line of the ledger, from their agendas and from what was recorded of their mails, in order."""

    def __init__(
        self,
        audience: Audience,
        agendas: Sequence[AgendaChanged],
        records: Sequence[NotificationRecorded],
        settings: Settings,
    ) -> None:
        self._audience = audience
        self._settings = settings
        self._records = records
        self._by_revision = {one.revision: one for one in agendas}
        self._newest = self._by_revision[max(self._by_revision)]
        self._line = Delivery(
            operator_id=self._newest.operator_id,
            edition_id=self._newest.edition_id,
            participant_id=self._newest.participant_id,
        )

    def made(self, now: datetime) -> Delivery:
        """The line as it is now: settled, owed or in doubt."""
        version = self._version
        sent = max((at for at, one in enumerate(self._records) if one.state is DeliveryState.SENT), default=-1)
        doubts = [one for one in self._records[sent + 1 :] if one.state is DeliveryState.IN_DOUBT]
        line = self._line.model_copy(
            update={
                "wanted": version,
                "settled": version,
                "agenda_revision": self._records[-1].agenda_revision if self._records else 0,
                "told": self._say(self._records[sent].agenda_revision) if sent >= 0 else None,
                "doubt": self._mailing(doubts[-1]) if doubts else None,
                "recorded": self._records[-1].revision if self._records else 0,
            }
        )
        return line.want(self._wanted(version + 1, now), self._settings.window) if self._is_owed(now) else line

    def _is_owed(self, now: datetime) -> bool:
        """Whether the newest agenda was not dealt with. Of what is older than any record nobody knows: it was."""
        if not self._audience.can_tell(self._line.participant_id):
            return False
        if not self._records:
            return NOTIFICATION.retention is None or now - self._newest.occurred_at < NOTIFICATION.retention
        return self._records[-1].agenda_revision < self._newest.revision

    def _wanted(self, version: int, now: datetime) -> DeliveryWanted:
        return DeliveryWanted(
            operator_id=self._line.operator_id,
            edition_id=self._line.edition_id,
            participant_id=self._line.participant_id,
            version=version,
            agenda_revision=self._newest.revision,
            wanted_at=now,
        )

    @cached_property
    def _version(self) -> int:
        """The newest version mailed: the one whose Message-ID was recorded. Every record is of another version."""
        ids = [one.message_id for one in self._records if one.message_id]
        newest = next((one for one in range(1, _MOST_VERSIONS) if ids and self._message_id(one) == ids[-1]), 0)
        return max(len(self._records), newest)

    def _message_id(self, version: int) -> str:
        return self._line.message_id(version, self._settings.mail_domain)

    def _mailing(self, record: NotificationRecorded) -> Mailing:
        return Mailing(
            version=max(1, self._version),
            agenda_revision=record.agenda_revision,
            message_id=record.message_id or self._message_id(max(1, self._version)),
            said=self._say(record.agenda_revision),
        )

    def _say(self, revision: int) -> Told:
        """What a mail of a revision said, in today's names."""
        agenda = Agenda.of(self._newest).model_copy(update={"entries": self._entries(revision)})
        audience = self._audience.model_copy(update={"agendas": {self._line.participant_id: agenda}})
        return say(audience, self._line.participant_id)

    def _entries(self, revision: int) -> tuple[AgendaEntry, ...]:
        """The lines of a revision. Where compaction took it out: those of the one before the newest."""
        if revision in self._by_revision:
            return self._by_revision[revision].entries
        if self._records[-1].agenda_revision == self._newest.revision:
            return self._newest.entries
        entries = {entry.entry_id: entry for entry in self._newest.entries}
        for change in self._newest.changes:
            entries.pop(change.entry_id, None)
            if change.before is not None:
                entries[change.entry_id] = change.before
        return tuple(entries.values())
