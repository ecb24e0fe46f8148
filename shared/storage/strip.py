"""Rewriting of a journal that an earlier version began: its texts move into `people` (ADR 0072).

The rewritten changes hold the numbers that a replay gives them. Entries are therefore written last to first: after an
interruption the old entries still precede the new ones, and the next run counts as the first did.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from shared.storage.aggregate import Aggregate, fold
from shared.storage.journal_entry import Entry, StateSnapshot, whole_decisions
from shared.storage.journal_store import MongoJournalStore, document_of, entry_of
from shared.storage.mongo import MongoDatabase
from shared.storage.people import PEOPLE, EditionTexts, MongoPeople, TextJoin, Texts, merged
from shared.storage.state_json import dump_in_pieces, load_in_pieces

State = TypeVar("State", bound=BaseModel)
Change = TypeVar("Change", bound=BaseModel)
#: Returns an applied change with the numbers that the state has given it.
Numbered = Callable[[State, Change], Change]

_INSTEAD = "Nothing of it was written; `tertulia rebuild` writes such a journal anew"


class CannotStrip(Exception):
    """The rewritten journal would not give the state of the old journal. Nothing was written."""


@dataclass
class Stripped:
    """The entries to rewrite, last to first, the snapshot to rewrite, and the texts to keep in `people`."""

    edition_id: str
    entries: list[Entry] = field(default_factory=list)
    snapshot: StateSnapshot | None = None
    texts: dict[str, Texts] = field(default_factory=dict)

    def counts(self) -> dict[str, int]:
        """Return the numbers of documents to write, by collection."""
        return {"journal": len(self.entries), "snapshots": int(self.snapshot is not None), PEOPLE: len(self.texts)}


class Stripper(Generic[State, Change]):
    """Moves the texts of a service's journals into `people`."""

    def __init__(
        self,
        database: MongoDatabase,
        aggregate: Aggregate[State, Change, Any],
        texts: TextJoin[State, Change],
        numbered: Numbered[State, Change],
    ) -> None:
        self._journal = database["journal"]
        self._store = MongoJournalStore(database)
        self._people = MongoPeople(database)
        self._aggregate, self._texts, self._numbered = aggregate, texts, numbered

    async def plan(self, edition_id: str) -> Stripped:
        """Return what a strip of an edition would write; nothing if its journal holds no texts.

        Raises:
            CannotStrip: the rewritten journal would not give the same state and texts.
        """
        found = self._journal.find({"edition_id": edition_id}).sort("seq", 1)
        entries = [entry_of(document) async for document in found]
        plan, brought = Stripped(edition_id), list[tuple[str, Texts]]()
        state, rewritten = self._aggregate.empty(edition_id), list[Entry]()
        for parts, counts in _decisions(entries):
            for entry in parts:
                changes = [self._rewritten(state, change, brought, counts=counts) for change in entry.changes]
                rewritten.append(replace(entry, changes=changes))
        kept = await self._people.load(edition_id)
        snapshot = await self._store.snapshot(edition_id)
        if snapshot:
            known = load_in_pieces(self._aggregate.state_type, snapshot.state)
            dumped = dump_in_pieces(known)
            if dumped != snapshot.state:
                plan.snapshot = replace(snapshot, state=dumped)
                brought += self._texts.texts_of(known).items()
                self._verify(
                    edition_id, known, load_in_pieces(self._aggregate.state_type, dumped), kept, merged(brought)
                )
        replayed = fold(self._aggregate, self._aggregate.empty(edition_id), list(whole_decisions(rewritten)))
        plan.entries = [new for old, new in zip(entries, rewritten, strict=True) if new.changes != old.changes][::-1]
        plan.texts = dict(_missing(merged(brought), kept))
        self._verify(edition_id, state, replayed, kept, plan.texts)
        return plan

    async def write(self, plan: Stripped) -> None:
        """Write a plan: the texts first, then the snapshot, then the entries, last to first."""
        await self._people.prepare()
        if plan.texts:
            await self._people.save(plan.edition_id, plan.texts)
        if plan.snapshot:
            await self._store.save_snapshot(plan.snapshot)
        for entry in plan.entries:
            document = document_of(entry)
            await self._journal.update_one({"_id": document["_id"]}, {"$set": {"changes": document["changes"]}})

    def _rewritten(
        self, state: State, stored: dict[str, Any], brought: list[tuple[str, Texts]], *, counts: bool
    ) -> dict[str, Any]:
        change = self._aggregate.change_type.validate_python(stored)
        if counts:
            self._aggregate.evolve(state, change)
            change = self._numbered(state, change)
            brought += self._texts.texts_of(state, [change]).items()
        written: dict[str, Any] = self._aggregate.change_type.dump_python(change, mode="json")
        return written

    def _verify(self, edition_id: str, old: State, new: State, kept: EditionTexts, texts: dict[str, Texts]) -> None:
        """Compare the states without texts, and find all texts of the old state among the kept ones."""
        if dump_in_pieces(old) != dump_in_pieces(new):
            raise CannotStrip(f"edition {edition_id}: the rewritten journal gives another state. {_INSTEAD}")
        held = merged([*kept.items(), *texts.items()])
        for key, own in self._texts.texts_of(old).items():
            for revision, text in (own or {}).items():
                known = held.get(key, {})
                if known is not None and any(text.values()) and known.get(revision) != text:
                    raise CannotStrip(
                        f"edition {edition_id}: texts of {key}, revision {revision}, would be lost. {_INSTEAD}"
                    )


def _missing(texts: dict[str, Texts], kept: EditionTexts) -> Iterator[tuple[str, Texts]]:
    """Yield texts that `people` does not hold. Entries of this version bring empty texts: these replace nothing."""
    for key, found in texts.items():
        known = kept.get(key, {})
        if known is None:
            continue
        new = found and {
            revision: text for revision, text in found.items() if any(text.values()) and revision not in known
        }
        if new or new is None:
            yield key, new


def _decisions(entries: Sequence[Entry]) -> Iterator[tuple[list[Entry], bool]]:
    """Yield the entries of every decision, and whether they have an effect."""
    rest = list(entries)
    for decision in whole_decisions(entries):
        parts = [entry for entry in rest if entry.seq <= decision.seq]
        rest = rest[len(parts) :]
        yield parts, bool(decision.changes)
