"""The texts of people and organisations: names, addresses and profiles, apart from the journal, which holds ids only.

The collection `people` has a document for every thing, `<edition>/<kind>/<id>`, with its texts by the revision that
brought them. A journal writes the texts before the entry that names their revision, and joins them to a state that it
loads. The texts of a revision never change, so that a process behind the journal writes nothing wrong. `evolve` never
reads the collection: a replayed journal gives the same state without the texts. An erased thing keeps a mark, and takes
no text again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from typing import Any, Generic, Protocol, TypeVar

import orjson
from pymongo import ASCENDING

from shared.storage.mongo import DuplicateKeyError, MongoDatabase, insert_new

State = TypeVar("State")
Change = TypeVar("Change")
State_contra = TypeVar("State_contra", contravariant=True)
Change_contra = TypeVar("Change_contra", contravariant=True)

#: Collection of the texts.
PEOPLE = "people"
_WRITES_AT_ONCE = 16


#: Texts of a thing by revision; `None` once the thing is erased.
Texts = Mapping[int, dict[str, Any]] | None
#: Texts by `<kind>/<id>`.
EditionTexts = Mapping[str, Texts]


class PeopleStore(Protocol):
    """Stores texts. `MongoPeople` and `InMemoryPeople` pass the same contract tests."""

    async def load(self, edition_id: str) -> EditionTexts:
        """Return all texts of an edition."""

    async def save(self, edition_id: str, texts: EditionTexts) -> None:
        """Add texts of further revisions, or erase. An erased thing takes no text."""


class TextJoin(Protocol[State_contra, Change_contra]):
    """A service's rules for its texts: the texts of a state, and a loaded state with its texts."""

    def texts_of(self, state: State_contra, changes: Sequence[Change_contra] | None = None) -> dict[str, Texts]:
        """Return the texts of the things that these changes are about, or of all things of the state."""

    def join(self, state: State_contra, texts: EditionTexts) -> None:
        """Fill the texts into a state that was read without them."""


class People(Generic[State, Change]):
    """The texts beside a journal."""

    def __init__(self, store: PeopleStore, texts: TextJoin[State, Change]) -> None:
        self._store = store
        self._texts = texts

    async def record(self, edition_id: str, state: State, changes: Sequence[Change]) -> None:
        """Write the texts of changes that are applied to the state."""
        if texts := self._texts.texts_of(state, changes):
            await self._store.save(edition_id, texts)

    async def load(self, edition_id: str) -> EditionTexts:
        """Return the stored texts of an edition."""
        return await self._store.load(edition_id)

    def join(self, state: State, texts: EditionTexts) -> dict[str, Texts]:
        """Fill texts into a loaded state, and return the texts that only the state has: older entries hold them."""
        own = self._texts.texts_of(state)
        self._texts.join(state, texts)
        return {key: text for key, text in own.items() if text and key not in texts}

    async def carry_over(self, edition_id: str, texts: EditionTexts) -> None:
        """Write texts that only older journal entries have."""
        if texts:
            await self._store.save(edition_id, texts)


class MongoPeople:
    """A store in the collection `people`."""

    def __init__(self, database: MongoDatabase) -> None:
        self._documents = database[PEOPLE]

    async def prepare(self) -> None:
        """Create the index."""
        await self._documents.create_index([("edition_id", ASCENDING)])

    async def load(self, edition_id: str) -> EditionTexts:
        """Return all texts of an edition."""
        start = len(edition_id) + 1
        found = self._documents.find({"edition_id": edition_id})
        return {document["_id"][start:]: _texts_of(document) async for document in found}

    async def save(self, edition_id: str, texts: EditionTexts) -> None:
        """Add texts of further revisions, or erase. The texts of many new things take a single call."""
        documents = [_document_of(edition_id, key, text) for key, text in texts.items()]
        limit = asyncio.Semaphore(_WRITES_AT_ONCE)

        async def write(document: dict[str, Any]) -> None:
            async with limit:
                await self._change(document)

        known = await insert_new(self._documents, documents) if len(documents) > 1 else documents
        await asyncio.gather(*map(write, known))

    async def _change(self, document: dict[str, Any]) -> None:
        if document["erased"]:
            fields, kept = {"erased": True, "texts": {}}, {"_id": document["_id"]}
        else:
            fields = {f"texts.{revision}": text for revision, text in document["texts"].items()} | {"erased": False}
            kept = {"_id": document["_id"], "erased": {"$ne": True}}
        with suppress(DuplicateKeyError):  # the thing is erased
            await self._documents.update_one(
                kept, {"$set": {"edition_id": document["edition_id"], **fields}}, upsert=True
            )


class InMemoryPeople:
    """Texts in the memory of a process, lost when it ends."""

    def __init__(self) -> None:
        self._texts: dict[str, dict[str, Texts]] = {}

    async def load(self, edition_id: str) -> EditionTexts:
        """Return all texts of an edition."""
        return dict(self._texts.get(edition_id, {}))

    async def save(self, edition_id: str, texts: EditionTexts) -> None:
        """Add texts of further revisions, or erase. An erased thing takes no text."""
        stored = self._texts.setdefault(edition_id, {})
        for key, text in texts.items():
            known = stored.get(key, {})
            stored[key] = None if text is None or known is None else {**known, **text}


def merged(brought: Iterable[tuple[str, Texts]]) -> dict[str, Texts]:
    """Join the texts of several revisions of a thing. An erasure removes them all."""
    texts: dict[str, Texts] = {}
    for key, text in brought:
        before = texts.get(key, {})
        texts[key] = None if text is None or before is None else {**before, **text}
    return texts


def newest(texts: EditionTexts) -> dict[str, dict[str, Any] | None]:
    """Return the texts of the last revision of a thing, by thing, without earlier revisions and people who left.

    An erased thing has none.
    """
    return {key: text[max(text)] if text else None for key, text in texts.items()}


def _document_of(edition_id: str, key: str, texts: Texts) -> dict[str, Any]:
    """Return the document of a thing. No query reads inside the texts of a revision: they are JSON text."""
    return {
        "_id": f"{edition_id}/{key}",
        "edition_id": edition_id,
        "erased": texts is None,
        "texts": {str(revision): orjson.dumps(text).decode() for revision, text in (texts or {}).items()},
    }


def _texts_of(document: dict[str, Any]) -> Texts:
    if document["erased"]:
        return None
    return {int(revision): orjson.loads(text) for revision, text in document["texts"].items()}
