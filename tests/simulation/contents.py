"""Contents of the servers of a simulation: databases, topics and mails as they are stored."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from services.notify.domain.delivery import Delivery
from services.notify.store import delivery_of
from services.registration.domain.entity import Entity
from services.registration.store import KINDS, collection_of
from services.scheduler.aggregate import AgendaAggregate
from services.scheduler.domain.state import AgendaState
from shared.storage.aggregate import fold
from shared.storage.journal_entry import Entry
from shared.storage.journal_store import entry_of
from tests.simulation.smtp import MailServer
from tests.support.in_memory.kafka import InMemoryKafka
from tests.support.in_memory.mongo import Document, InMemoryMongo

JOURNALLED = ("matching", "scheduler", "notify")
_AGGREGATE = AgendaAggregate()


class ServerContents:
    """Readings of the databases, the topics and the mail server, without any service."""

    def __init__(self, mongo: InMemoryMongo, kafka: InMemoryKafka, mail_server: MailServer) -> None:
        self._mongo = mongo
        self.kafka = kafka
        self.mails = mail_server.taken
        self._folded: dict[str, tuple[int, AgendaState]] = {}

    def things(self, kind: type[Entity]) -> dict[str, Document]:
        """Return registration's documents of a kind, by id."""
        found = self._documents("registration", collection_of(kind))
        return {document[kind.ID]: document for document in found}

    def entries(self, service: str) -> list[Entry]:
        """Return the journals of a service, ordered by edition and sequence number."""
        return [entry_of(document) for document in self._entry_documents(service)]

    def deliveries(self) -> list[Delivery]:
        """Return the deliveries in the ledger."""
        return [delivery_of(document) for document in self._documents("notify", "deliveries")]

    def agenda_state(self, edition_id: str) -> AgendaState | None:
        """Return the scheduler's state as the fold of its journal, or None without entries."""
        seq, state = self._folded.get(edition_id, (0, AgendaState(edition_id=edition_id)))
        for document in self._entry_documents("scheduler"):
            if document["edition_id"] == edition_id and document["seq"] > seq:
                fold(_AGGREGATE, state, [entry_of(document)])
                seq = document["seq"]
        self._folded[edition_id] = (seq, state)
        return state if seq else None

    def unfinished(self, editions: Iterable[str]) -> Iterator[str]:
        """Yield a sentence for all work left; none once the run is quiet."""
        for name, group in self.kafka.groups.items():
            if group.lag():
                yield f"{name} has {group.lag()} records to read"
        for service in JOURNALLED:
            if any(not entry["published"] for entry in self._documents(service, "journal")):
                yield f"{service} has entries to send"
        yield from self._full_outboxes()
        if any(document["attend_at"] for document in self._documents("notify", "deliveries")):
            yield "mails are due"
        for edition_id in editions:
            state = self.agenda_state(edition_id)
            if state is None or state.edition is None or state.awaits_announcement or state.unpublished_participants:
                yield f"the agenda of {edition_id} is not settled"

    def _full_outboxes(self) -> Iterator[str]:
        waiting = [("registration", collection_of(kind)) for kind in KINDS] + [("notify", "deliveries")]
        for service, collection in waiting:
            if any(
                document["outbox"] or document["pending_since"] for document in self._documents(service, collection)
            ):
                yield f"{collection} have outboxes to send"

    def _entry_documents(self, service: str) -> list[Document]:
        return sorted(self._documents(service, "journal"), key=lambda entry: (entry["edition_id"], entry["seq"]))

    def _documents(self, service: str, collection: str) -> list[Document]:
        return list(self._mongo.tables[f"tertulia_{service}", collection].documents.values())
