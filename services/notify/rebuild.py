"""Rebuild notify's journal and delivery ledger from the topics.

Two things are not on the topics, so they are not rebuilt. Mails that were claimed when the database was lost are sent
again, under the same Message-ID. Mails owed for another reason than a changed agenda, such as another person at a
partner's place, are forgotten.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime
from functools import cached_property
from typing import Any

from services.notify.aggregate import AudienceAggregate
from services.notify.domain.changes import (
    AgendaRecorded,
    Change,
    ContactRecorded,
    EditionRecorded,
    MatchRecorded,
    OperatorRecorded,
    OrganisationRecorded,
    VersionRaised,
)
from services.notify.domain.delivery import Delivery, DeliveryWanted, Mailing
from services.notify.domain.digest import MailContent, mail_content
from services.notify.domain.snapshots import (
    AgendaSnapshot,
    ContactSnapshot,
    EditionSnapshot,
    MatchSnapshot,
    OrganisationSnapshot,
)
from services.notify.domain.state import Audience
from services.notify.settings import Settings
from services.notify.store import COLLECTION, MongoLedger, delivery_of
from services.notify.texts import AudienceTexts
from shared.contract.events import (
    AffinityScored,
    AgendaChanged,
    AgendaEntry,
    Consent,
    DeliveryState,
    EditionChanged,
    NotificationRecorded,
    OrganisationChanged,
    OrganisationErased,
    ParticipantChanged,
    ParticipantErased,
)
from shared.contract.ids import pair_id
from shared.contract.topics import NOTIFICATION, topics_of
from shared.messaging.topic_log import EditionEvents
from shared.runtime.clock import utc_now
from shared.runtime.settings import read_settings
from shared.storage.mongo import MongoDatabase
from shared.storage.people import newest
from shared.storage.rebuild import JournalDraft, Rebuilt, View, as_json, read_journal, side_by_side, write_journal

_AGGREGATE, _TEXTS = AudienceAggregate(), AudienceTexts()
#: Numbers and revisions of texts: a rebuild has the newest only.
_NUMBERS = {"person", "addressed", "shown", "texts", "first"}
#: Versions of one participant that are searched for the version of a Message-ID.
_MOST_VERSIONS = 1000
#: Fields of a mailed line that the agenda gives back. The other fields depend on people's names at that time.
_COMPARED_FIELDS = {"entry_id", "starts_at", "ends_at", "table", "title"}


class NotifyRebuilder:
    """Notify's part in `tertulia rebuild`: implements `shared.storage.rebuild.Rebuilder`."""

    consumed = topics_of("notify")
    published = (NOTIFICATION,)

    def __init__(self) -> None:
        self.settings: Settings = read_settings(Settings)

    async def write(
        self, database: MongoDatabase, edition_id: str, consumed: EditionEvents, published: EditionEvents
    ) -> Rebuilt:
        """Write an edition's journal and deliveries, and count the mails owed."""
        draft, deliveries = state_of(edition_id, consumed, published, self.settings, utc_now())
        await write_journal(database, _AGGREGATE, draft, consumed, _TEXTS)
        ledger = MongoLedger(database, utc_now)
        await ledger.prepare()
        await side_by_side(ledger.save(delivery) for delivery in deliveries)
        owed = sum(delivery.is_owed for delivery in deliveries)
        return Rebuilt(
            len(deliveries), [f"{owed} participants are owed a mail, and get it when notify starts"] if owed else []
        )

    async def view(self, database: MongoDatabase, edition_id: str) -> View:
        """Return the parts of an edition's state that a rebuild gives back; empty if the edition has no journal."""
        state = await read_journal(database, _AGGREGATE, edition_id, _TEXTS)
        if state is None:
            return {}
        documents = database[COLLECTION].find({"edition_id": edition_id})
        deliveries = [delivery_of(document) async for document in documents]
        return view_of(state, [delivery for delivery in deliveries if delivery.subject is None])


def view_of(state: Audience, deliveries: Iterable[Delivery]) -> View:
    """Return all that mails are made of, and the content of the mails sent.

    Left out are the numbers of versions, the reasons of pairs without an encounter, the causes of changes, and
    corrected names, addresses and names of zones.
    """
    met = {
        pair
        for participant_id, agenda in state.agendas.items()
        for entry in agenda.entries
        if entry.with_participant_id and (pair := _pair(state, participant_id, entry.with_participant_id))
    }
    return {
        "edition": as_json({state.edition_id: state.edition} if state.edition else {}),
        "organisations": as_json(state.organisations, exclude=_NUMBERS),
        "contacts": as_json(state.contacts, exclude=_NUMBERS),
        "texts": newest(_TEXTS.texts_of(state)),
        "agendas": as_json(state.agendas, exclude={"causes"}),
        "reasons": as_json({pair: state.matches[pair] for pair in met}, exclude={"revision"}),
        "told": {delivery.participant_id: _mailed(delivery) for delivery in deliveries},
    }


def _pair(state: Audience, participant_id: str, partner_id: str) -> str | None:
    identity = pair_id(state.edition_id, participant_id, partner_id)
    return identity if identity in state.matches else None


def _mailed(delivery: Delivery) -> dict[str, Any]:
    content = delivery.sent_content
    compared = content.model_dump(mode="json", include={"lines": {"__all__": _COMPARED_FIELDS}}) if content else None
    return {
        "lines": compared["lines"] if compared else [],
        "is_owed": delivery.is_owed,
        "in_doubt": delivery.unconfirmed.message_id if delivery.unconfirmed else None,
    }


def state_of(
    edition_id: str, consumed: EditionEvents, published: EditionEvents, settings: Settings, now: datetime
) -> tuple[JournalDraft[Audience, Change], list[Delivery]]:
    """Return an edition's state with the changes that make it, and the deliveries that the published events show."""
    draft = JournalDraft[Audience, Change](_AGGREGATE, edition_id)
    _record_snapshots(draft, consumed)
    agendas: dict[str, list[AgendaChanged]] = {participant_id: [] for participant_id in draft.state.agendas}
    records: dict[str, list[NotificationRecorded]] = {}
    for agenda in _announced(consumed).every(AgendaChanged):
        agendas[agenda.participant_id].append(agenda)
    for record in published.every(NotificationRecorded):
        records.setdefault(record.participant_id, []).append(record)
    deliveries = []
    for participant_id, revisions in agendas.items():
        in_order = sorted(records.get(participant_id, ()), key=lambda record: record.revision)
        deliveries.append(_DeliveryDraft(draft.state, revisions, in_order, settings).delivery(now))
    for delivery in deliveries:
        if delivery.wanted:
            draft.record(VersionRaised(participant_id=delivery.participant_id, version=delivery.wanted))
    return draft, deliveries


def _record_snapshots(draft: JournalDraft[Audience, Change], consumed: EditionEvents) -> None:
    if consumed.operator_id is not None:
        draft.record(OperatorRecorded(operator_id=consumed.operator_id))
    for edition in consumed.newest(EditionChanged):
        draft.record(EditionRecorded(edition=EditionSnapshot.of(edition)))
    for event in consumed.newest(OrganisationChanged):
        organisation = OrganisationSnapshot.of(event)
        draft.record(OrganisationRecorded(organisation_id=event.organisation_id, organisation=organisation))
    for participant in consumed.newest(ParticipantChanged):
        contact = ContactSnapshot.of(participant)
        draft.record(ContactRecorded(participant_id=participant.participant_id, contact=contact))
    for gone in consumed.newest(OrganisationErased):
        erased = OrganisationSnapshot.erased_by(gone, None)
        draft.record(OrganisationRecorded(organisation_id=gone.organisation_id, organisation=erased))
    for left in consumed.newest(ParticipantErased):
        contact = ContactSnapshot.erased_by(left, None)
        draft.record(ContactRecorded(participant_id=left.participant_id, contact=contact))
    for agenda in _announced(consumed).newest(AgendaChanged):
        draft.record(AgendaRecorded(participant_id=agenda.participant_id, agenda=AgendaSnapshot.of(agenda)))
    for affinity in consumed.newest(AffinityScored):
        if affinity.consent is Consent.GRANTED:
            draft.record(MatchRecorded(pair_id=affinity.pair_id, match=MatchSnapshot.of(affinity)))


def _announced(consumed: EditionEvents) -> EditionEvents:
    """Keep the announced agendas: a provisional agenda is never mailed."""
    return EditionEvents(agenda for agenda in consumed.every(AgendaChanged) if not agenda.provisional)


class _DeliveryDraft:
    """Makes a participant's delivery from the revisions of their agenda and the records of their mails, in order."""

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
        self._by_revision = {agenda.revision: agenda for agenda in agendas}
        self._newest = self._by_revision[max(self._by_revision)]
        self._blank = Delivery(
            operator_id=self._newest.operator_id,
            edition_id=self._newest.edition_id,
            participant_id=self._newest.participant_id,
        )

    def delivery(self, now: datetime) -> Delivery:
        """Return the delivery as of now: settled, owed or unconfirmed."""
        version = self._version
        states = [record.state for record in self._records]
        sent = max((index for index, state in enumerate(states) if state is DeliveryState.SENT), default=-1)
        unconfirmed = [record for record in self._records[sent + 1 :] if record.state is DeliveryState.IN_DOUBT]
        delivery = self._blank.model_copy(
            update={
                "wanted": version,
                "settled": version,
                "agenda_revision": self._records[-1].agenda_revision if self._records else 0,
                "sent_content": self._content(self._records[sent].agenda_revision) if sent >= 0 else None,
                "unconfirmed": self._mailing(unconfirmed[-1]) if unconfirmed else None,
                "recorded": self._records[-1].revision if self._records else 0,
            }
        )
        if not self._is_owed(now):
            return delivery
        return delivery.want(self._wanted(version + 1, now), self._settings.window)

    def _is_owed(self, now: datetime) -> bool:
        """Return whether the newest agenda has no record yet.

        An agenda older than the retention of the records counts as mailed.
        """
        if not self._audience.can_write_to(self._blank.participant_id):
            return False
        if not self._records:
            return NOTIFICATION.retention is None or now - self._newest.occurred_at < NOTIFICATION.retention
        return self._records[-1].agenda_revision < self._newest.revision

    def _wanted(self, version: int, now: datetime) -> DeliveryWanted:
        return DeliveryWanted(
            operator_id=self._blank.operator_id,
            edition_id=self._blank.edition_id,
            participant_id=self._blank.participant_id,
            version=version,
            agenda_revision=self._newest.revision,
            wanted_at=now,
        )

    @cached_property
    def _version(self) -> int:
        """The newest version mailed, found by its recorded Message-ID; at least the number of records.

        No two records are of the same version.
        """
        ids = [record.message_id for record in self._records if record.message_id]
        versions = range(1, _MOST_VERSIONS) if ids else ()
        newest = next((version for version in versions if self._message_id(version) == ids[-1]), 0)
        return max(len(self._records), newest)

    def _message_id(self, version: int) -> str:
        return self._blank.message_id(version, self._settings.mail_domain)

    def _mailing(self, record: NotificationRecorded) -> Mailing:
        return Mailing(
            version=max(1, self._version),
            agenda_revision=record.agenda_revision,
            message_id=record.message_id or self._message_id(max(1, self._version)),
            content=self._content(record.agenda_revision),
        )

    def _content(self, revision: int) -> MailContent:
        """Return the content of the mail of an agenda's revision, with the names of today."""
        agenda = AgendaSnapshot.of(self._newest).model_copy(update={"entries": self._entries(revision)})
        audience = self._audience.model_copy(update={"agendas": {self._blank.participant_id: agenda}})
        return mail_content(audience, self._blank.participant_id)

    def _entries(self, revision: int) -> tuple[AgendaEntry, ...]:
        """Return the entries of a revision. If it was compacted away, undo the newest changes of the agenda."""
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
