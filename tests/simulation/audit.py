"""Audit at the end of a run: rules worked out from the inputs alone, which are acknowledged writes and planted records.

No service is asked. The contents of the servers are read as they are, and the encounters to be held are worked out
again. Only the fold of the scheduler's journal is the scheduler's own.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import datetime
from itertools import pairwise
from typing import Any

import orjson

from services.notify.domain.delivery import Mailing
from services.registration.domain.edition import Edition
from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequest
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import COUNTERS, Participant
from services.registration.store import KINDS
from shared.contract.ids import derived_id, encounter_id, pair_of
from tests.simulation.audit_logs import LogAudit, PlantedRecord
from tests.simulation.client import AcknowledgedWrites
from tests.simulation.contents import ServerContents
from tests.support.in_memory.mongo import Document

#: A line of an agenda: its subject, start, end and table.
AgendaLine = tuple[str, datetime, datetime, str | None]


class Audit:
    """Rules about the final state of a run, given the writes acknowledged to clients and the planted records."""

    def __init__(self, contents: ServerContents, written: AcknowledgedWrites, planted: set[PlantedRecord]) -> None:
        self._contents, self._written = contents, written
        self._log_audit = LogAudit(contents, planted)
        self._things = {kind: contents.things(kind) for kind in KINDS}
        self._agenda_of = self._newest_agendas()

    def violations(self) -> list[str]:
        """Return a sentence for each violation."""
        return [
            *self._written.defects,
            *(f"a handler raised {error!r}" for error in self._contents.kafka.escaped),
            *self._contents.unfinished(self._written.editions),
            *self._accepted_writes(),
            *self._log_audit.violations(),
            *self._agendas(),
            *self._mails(),
        ]

    def _accepted_writes(self) -> Iterator[str]:
        written = self._written
        for thing_id, kind in written.made.items():
            document = self._things[kind].get(thing_id)
            if document is None:
                yield f"{thing_id} was accepted, and is not there"
            elif thing_id not in written.unsure:
                yield from self._as_accepted(kind, document, written.fields[thing_id])
        stored = {thing_id for things in self._things.values() for thing_id in things}
        unknown = stored - written.made.keys() - written.unsure
        yield from (f"{thing_id} was refused, and is there" for thing_id in written.refused & stored)
        yield from (f"{thing_id} is there, and nobody made it" for thing_id in unknown)

    def _as_accepted(self, kind: type[Entity], document: Document, fields: dict[str, Any]) -> Iterator[str]:
        thing_id = document[kind.ID]
        changed_by_others = {"revision", "changed_at", "status", "state", "cancelled_with_organisation"} | COUNTERS
        for name, value in fields.items():
            if name not in changed_by_others and document[name] != value:
                yield f"{thing_id}: {name} was accepted as {value!r}, and is {document[name]!r}"
        for name, first in (("status", "active"), ("state", "requested")):
            if fields.get(name, first) != first and document[name] != fields[name]:
                yield f"{thing_id}: {name} was accepted as {fields[name]!r}, and is {document[name]!r}"
        expected = 1 + self._written.changes[thing_id] + _steps(kind, document)
        if document["revision"] != expected:
            yield f"{thing_id} is at revision {document['revision']} after {expected - 1} changes"

    def _agendas(self) -> Iterator[str]:
        wanted = self._wanted()
        for participant_id, document in self._things[Participant].items():
            agenda = self._agenda_of.get(participant_id)
            lines = agenda["entries"] if agenda else []
            met = {line["entry_id"]: line for line in lines if line["kind"] == "encounter"}
            if met.keys() != wanted[participant_id].keys():
                yield f"{participant_id} meets {sorted(met)} and should meet {sorted(wanted[participant_id])}"
            yield from self._partners_agree(participant_id, met, wanted[participant_id])
            times = sorted((line["starts_at"], line["ends_at"]) for line in lines)
            if any(after[0] < before[1] for before, after in pairwise(times)):
                yield f"{participant_id} is to be at two places at a time"
            is_published = document["edition_id"] in self._written.published
            if agenda and lines and agenda["provisional"] is is_published:
                yield f"the agenda of {participant_id} is provisional: {agenda['provisional']}"

    def _partners_agree(self, participant_id: str, met: dict[str, Document], wanted: dict[str, str]) -> Iterator[str]:
        for encounter, partner in wanted.items():
            theirs = {line["entry_id"]: line for line in self._agenda_of.get(partner, {}).get("entries", [])}
            if encounter in met and encounter in theirs and _where(met[encounter]) != _where(theirs[encounter]):
                yield f"{participant_id} and {partner} have different places in their agendas"

    def _wanted(self) -> defaultdict[str, dict[str, str]]:
        """Return the encounters to be held by participant, with the partner: worked out from consent and attendance."""
        wanted: defaultdict[str, dict[str, str]] = defaultdict(dict)
        for request in self._things[MatchRequest].values():
            edition = self._things[Edition][request["edition_id"]]
            agreed = {"accepted"} if edition["consent_policy"] == "mutual" else {"accepted", "requested"}
            pair = pair_of(request["requester_id"], request["target_id"])
            if request["state"] in agreed and all(map(self._takes_part, pair)):
                encounter = encounter_id(request["edition_id"], *pair)
                wanted[pair[0]][encounter], wanted[pair[1]][encounter] = pair[1], pair[0]
        return wanted

    def _takes_part(self, participant_id: str) -> bool:
        participant = self._things[Participant][participant_id]
        organisation = self._things[Organisation][participant["organisation_id"]]
        return bool(participant["status"] == organisation["status"] == "active")

    def _newest_agendas(self) -> dict[str, Document]:
        newest: dict[str, Document] = {}
        for record in self._contents.kafka.records("agenda.v1"):
            body = orjson.loads(record.value)
            if body["revision"] > newest.get(body["participant_id"], {"revision": 0})["revision"]:
                newest[body["participant_id"]] = body
        return newest

    def _mails(self) -> Iterator[str]:
        times = Counter(mailing.message_id for _, mailing in self._contents.mails)
        yield from (f"{message_id} is mailed {count} times" for message_id, count in times.items() if count > 1)
        last: dict[str, Mailing] = {}
        for participant_id, mailing in self._contents.mails:
            known = last.get(participant_id)
            last[participant_id] = mailing if known is None or mailing.version > known.version else known
            if known is not None and mailing.version < known.version:
                yield f"{participant_id} is mailed version {mailing.version} after {known.version}"
        for participant_id, document in self._things[Participant].items():
            final = self._final(participant_id) if document["edition_id"] in self._written.published else []
            newest = last.get(participant_id)
            lines = newest.content.lines if newest else ()
            mailed = [(line.entry_id, line.starts_at, line.ends_at, line.table) for line in lines]
            is_successor = newest is not None and newest.content.addressee != _addressee(document)
            if is_successor and final:
                yield f"the last mail of {participant_id} did not go to the present holder of the seat"
            # A successor with an empty agenda gets no mail, and a cancelled participant gets no sessions.
            if (
                mailed != final
                and not (is_successor and not final)
                and not (document["status"] == "cancelled" and final)
            ):
                yield f"the last mail of {participant_id} says {mailed}, and the agenda is {final}"
        for delivery in self._contents.deliveries():
            if delivery.unconfirmed or delivery.claim:
                yield f"the mail of {delivery.participant_id} is unconfirmed or claimed"

    def _final(self, participant_id: str) -> list[AgendaLine]:
        lines = self._agenda_of.get(participant_id, {}).get("entries", [])
        read = [
            (
                line["entry_id"],
                datetime.fromisoformat(line["starts_at"]),
                datetime.fromisoformat(line["ends_at"]),
                line["table"],
            )
            for line in lines
        ]
        return sorted(read, key=lambda line: (line[1], line[0]))


def _steps(kind: type[Entity], document: Document) -> int:
    """Return the number of changes of the state or status, which the load does not count."""
    if kind is MatchRequest:
        return {"requested": 0, "accepted": 1, "declined": 1, "withdrawn": 2}[document["state"]]
    return int(document.get("status", "active") != "active")


def _addressee(participant: Document) -> str:
    return derived_id("addressee", participant["email"], participant["name"], participant["languages"][0])


def _where(line: Document) -> tuple[Any, ...]:
    return line["starts_at"], line["zone_id"], line["table"]
