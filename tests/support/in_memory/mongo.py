"""MongoDB in memory: the part of a driver that the stores use, so that the stores run unchanged.

Writes of a document are atomic and unique indexes hold; nothing else is promised, as in MongoDB without transactions.
`tests/integration/shared/test_stores.py` and the like run their contract on it as on the real drivers.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice, product
from operator import ge, gt, le, lt
from typing import Any, Protocol, TypeVar

from pymongo.errors import AutoReconnect, BulkWriteError, DuplicateKeyError

from shared.runtime.clock import Clock

Document = dict[str, Any]
Result = TypeVar("Result")
_ORDER: dict[str, Callable[[Any, Any], bool]] = {"$gt": gt, "$gte": ge, "$lt": lt, "$lte": le}


class Stepper(Protocol):
    """Caller of the driver: a process, or a caller without faults."""

    async def step(self, name: str, effect: Callable[[], Result], away: Callable[[str], Exception]) -> Result:
        """Call `effect` and return its result; raise `away` if a fault takes the answer."""


class Undisturbed:
    """Caller without faults and without delays."""

    async def step(self, name: str, effect: Callable[[], Result], away: Callable[[str], Exception]) -> Result:
        return effect()


@dataclass(frozen=True)
class Call:
    """A call of a driver. `query` is the document of an insert; `before` is the queried document before the call."""

    collection: str
    name: str
    query: Document
    update: Document
    projection: Mapping[str, int]
    before: Document | None


#: Names the step of a call.
Naming = Callable[[Call], str]


def unnamed(call: Call) -> str:
    return f"{call.collection}.{call.name}"


@dataclass(frozen=True)
class UpdateResult:
    """Answer to an update."""

    matched_count: int


class Table:
    """Documents of a collection, on the server."""

    def __init__(self) -> None:
        self.documents: dict[Any, Document] = {}
        #: Unique indexes: the `_id` of the document that holds a key, by the names of the fields.
        self._unique: dict[tuple[str, ...], dict[tuple[Any, ...], Any]] = {}

    def index(self, keys: str | Sequence[tuple[str, int]], *, unique: bool) -> None:
        names = (keys,) if isinstance(keys, str) else tuple(name for name, _ in keys)
        if unique and names not in self._unique:
            self._unique[names] = {}
            for document in self.documents.values():
                self._check(document)
                self._hold(document)

    def insert(self, document: Document) -> None:
        if document["_id"] in self.documents:
            raise DuplicateKeyError(f"_id: {document['_id']}")
        self._check(document)
        self.documents[document["_id"]] = dict(document)
        self._hold(document)

    def insert_all(self, documents: Iterable[Document]) -> Iterator[Document]:
        """Insert documents, and yield the errors."""
        for number, document in enumerate(documents):
            try:
                self.insert(document)
            except DuplicateKeyError:
                yield {"index": number, "code": 11000}

    def find(self, query: Document) -> Iterator[Document]:
        wanted = query.get("_id")
        if isinstance(wanted, str):
            documents: Iterable[Document] = filter(None, [self.documents.get(wanted)])
        else:
            documents = self.documents.values()
        return (document for document in documents if matches(document, query))

    def update(self, query: Document, update: Document, *, many: bool, upsert: bool = False) -> UpdateResult:
        found = list(self.find(query))[: None if many else 1]
        if not found and upsert:
            self.insert(_updated({"_id": query["_id"]}, update))
        for document in found:
            changed = _updated(document, update)
            self._check(changed)
            self._release(document)
            self.documents[document["_id"]] = changed
            self._hold(changed)
        return UpdateResult(len(found))

    def delete(self, query: Document) -> None:
        for document in list(self.find(query)):
            self._release(document)
            del self.documents[document["_id"]]

    def _check(self, document: Document) -> None:
        for names, holders in self._unique.items():
            for key in _keys(document, names):
                if holders.get(key, document["_id"]) != document["_id"]:
                    raise DuplicateKeyError(f"{names}: {key}")

    def _hold(self, document: Document) -> None:
        for names, holders in self._unique.items():
            holders.update(dict.fromkeys(_keys(document, names), document["_id"]))

    def _release(self, document: Document) -> None:
        for names, holders in self._unique.items():
            for key in _keys(document, names):
                holders.pop(key, None)


def _keys(document: Document, names: Sequence[str]) -> set[tuple[Any, ...]]:
    """Return the keys of a document in an index: all combinations of values, with arrays taken item by item."""
    values = [document.get(name) for name in names]
    return set(product(*(value if isinstance(value, list) else [value] for value in values)))


class InMemoryMongo:
    """The server, which outlives its clients."""

    def __init__(self) -> None:
        self.tables: defaultdict[tuple[str, str], Table] = defaultdict(Table)

    def database(self, name: str, by: Stepper | None = None, naming: Naming = unnamed) -> Database:
        """Return a database for a client; `naming` names the steps of its calls."""
        return Database(self, name, by or Undisturbed(), naming)


class MongoClient:
    """Access of one process to the server: a `shared.app.DatabaseServer`."""

    def __init__(
        self, server: InMemoryMongo, clock: Clock, by: Stepper | None = None, naming: Naming = unnamed
    ) -> None:
        self._server, self._clock, self._by, self._naming = server, clock, by, naming

    def database(self, name: str) -> Database:
        """Return a database by name."""
        return self._server.database(name, self._by, self._naming)

    def now(self) -> datetime:
        """Return the time of the server's clock."""
        return self._clock()

    async def ping(self) -> None:
        """Do nothing: outages are faults of single calls."""

    async def close(self) -> None:
        """Do nothing: there is no connection."""


class Database:
    """Database of a client, with collections by name."""

    def __init__(self, server: InMemoryMongo, name: str, by: Stepper, naming: Naming) -> None:
        self._server, self.name, self._by, self._naming = server, name, by, naming

    def __getitem__(self, collection: str) -> Collection:
        return Collection(self._server.tables[self.name, collection], collection, self._by, self._naming)


class Collection:
    """Collection of a client, with the calls of Motor and PyMongo that the stores use."""

    def __init__(self, table: Table, name: str, by: Stepper, naming: Naming) -> None:
        self.name = name
        self._table, self._by, self._naming = table, by, naming

    async def create_index(
        self,
        keys: str | Sequence[tuple[str, int]],
        *,
        unique: bool = False,
        expireAfterSeconds: int | None = None,  # noqa: N803 - the driver's name; nothing expires here
    ) -> None:
        self._table.index(keys, unique=unique)

    async def insert_one(self, document: Document) -> None:
        await self._step("insert_one", document, {}, lambda: self._table.insert(document))

    async def insert_many(self, documents: Sequence[Document], *, ordered: bool) -> None:
        def insert() -> list[Document]:
            errors = self._table.insert_all(documents)
            return list(islice(errors, 1) if ordered else errors)  # in order, the documents behind an error are left

        errors = await self._step("insert_many", {}, {}, insert)
        if errors:
            raise BulkWriteError({"writeErrors": errors, "writeConcernErrors": []})

    async def find_one(self, query: Document, projection: Mapping[str, int] | None = None) -> Document | None:
        found = await self._step("find_one", query, {}, lambda: next(self._table.find(query), None), projection)
        return None if found is None else _shown(found, projection)

    def find(self, query: Document, projection: Mapping[str, int] | None = None) -> Cursor:
        return Cursor(self, query, projection)

    async def update_one(self, query: Document, update: Document, *, upsert: bool = False) -> UpdateResult:
        return await self._step(
            "update_one", query, update, lambda: self._table.update(query, update, many=False, upsert=upsert)
        )

    async def update_many(self, query: Document, update: Document) -> UpdateResult:
        return await self._step("update_many", query, update, lambda: self._table.update(query, update, many=True))

    async def delete_many(self, query: Document) -> None:
        await self._step("delete", query, {}, lambda: self._table.delete(query))

    async def count_documents(self, query: Document) -> int:
        return await self._step("count_documents", query, {}, lambda: sum(1 for _ in self._table.find(query)))

    async def read(
        self,
        query: Document,
        projection: Mapping[str, int] | None,
        order: Sequence[tuple[str, int]],
        limit: int,
    ) -> list[Document]:
        def read() -> list[Document]:
            found = list(self._table.find(query))
            for name, direction in reversed(order):
                found.sort(key=lambda document: document[name], reverse=direction < 0)
            return found[: limit or None]

        return await self._step("find", query, {}, read, projection)

    async def _step(
        self,
        call: str,
        query: Document,
        update: Document,
        effect: Callable[[], Result],
        projection: Mapping[str, int] | None = None,
    ) -> Result:
        before = self._table.documents.get(query["_id"]) if isinstance(query.get("_id"), str) else None
        name = self._naming(Call(self.name, call, query, update, projection or {}, before))
        return await self._by.step(name, effect, AutoReconnect)


class Cursor:
    """A query that runs when it is iterated over."""

    def __init__(self, collection: Collection, query: Document, projection: Mapping[str, int] | None) -> None:
        self._collection, self._query, self._projection = collection, query, projection
        self._order: list[tuple[str, int]] = []
        self._limit = 0

    def sort(self, keys: str | Sequence[tuple[str, int]], direction: int = 1) -> Cursor:
        self._order = [(keys, direction)] if isinstance(keys, str) else list(keys)
        return self

    def limit(self, most: int) -> Cursor:
        self._limit = most
        return self

    async def __aiter__(self) -> AsyncIterator[Document]:
        for document in await self._collection.read(self._query, self._projection, self._order, self._limit):
            yield _shown(document, self._projection)


def matches(document: Document, query: Document) -> bool:
    """Return whether a document matches a query."""
    return all(_is_as(_at(document, path), wanted) for path, wanted in query.items())


def _is_as(value: Any, wanted: Any) -> bool:
    if not isinstance(wanted, dict):
        return bool(value == wanted) or (isinstance(value, list) and wanted in value)
    return all(_holds(value, operator, operand) for operator, operand in wanted.items())


def _holds(value: Any, operator: str, operand: Any) -> bool:
    match operator:
        case "$in":
            return any(_is_as(value, item) for item in operand)
        case "$elemMatch":
            return isinstance(value, list) and any(_is_as(item, operand) for item in value)
        case "$ne":
            return bool(value != operand)
        case "$size":
            return isinstance(value, list) and len(value) == operand
    return value is not None and _ORDER[operator](value, operand)


def _at(document: Any, path: str) -> Any:
    """Return the value at a dotted path, or None."""
    value = document
    for name in path.split("."):
        if isinstance(value, list):
            value = value[int(name)] if int(name) < len(value) else None
        else:
            value = value.get(name) if isinstance(value, dict) else None
    return value


def _updated(document: Document, update: Document) -> Document:
    """Return an updated copy of a document; readers keep the old one unchanged."""
    changed = dict(document)
    for path, value in update.get("$set", {}).items():
        name, _, inner = path.partition(".")
        changed[name] = {**changed.get(name, {}), inner: value} if inner else value
    for name, pushed in update.get("$push", {}).items():
        longer = [*changed.get(name, []), *pushed.get("$each", [pushed])]
        changed[name] = longer[pushed.get("$slice", -len(longer)) :]
    for name, query in update.get("$pull", {}).items():
        changed[name] = [item for item in changed.get(name, []) if not matches(item, query)]
    assert update.keys() <= {"$set", "$push", "$pull"}, update
    return changed


def _shown(document: Document, projection: Mapping[str, int] | None) -> Document:
    if not projection:
        return dict(document)
    if any(projection.values()):
        return {name: document[name] for name in ("_id", *projection) if name in document}
    return {name: value for name, value in document.items() if name not in projection}
