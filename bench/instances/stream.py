"""A stream of late changes to an edition, in the proportions of a stationary one: as many come as go."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

from bench.instances.editions import Instance
from shared.events import Consent, EditionChanged, Event, ParticipantChanged, Phase, Status

#: Of a thousand changes, how many are of each kind.
_SHARES = {
    "request": 335,
    "withdrawal": 335,
    "cancellation": 85,
    "return": 85,
    "hours": 95,
    "sessions": 50,
    "table lost": 5,
    "table back": 5,
    "session moved": 5,
}
_MOST_LOST = 2
_MOST_CANCELLED = 0.05


class LateChange(NamedTuple):
    """One change: its kind, and the event it comes as."""

    kind: str
    event: Event


def late_changes(instance: Instance, count: int) -> Iterator[LateChange]:
    """`count` changes of the instance, each drawn from how it is then. A kind that cannot be is drawn again."""
    stream = _Stream(instance)
    kinds = list(_SHARES)
    while count:
        kind = instance.random.choices(kinds, list(_SHARES.values()))[0]
        event = stream.makers[kind]()
        if event is not None:
            count -= 1
            yield LateChange(kind, event)


def published(instance: Instance) -> EditionChanged:
    """The edition, published."""
    return _edition(instance, phase=Phase.PUBLISHED)


def _edition(instance: Instance, **news: object) -> EditionChanged:
    instance.edition = instance.edition.model_copy(update={**news, "revision": instance.next_revision()})
    return instance.edition


class _Stream:
    def __init__(self, instance: Instance) -> None:
        self._instance = instance
        self._random = instance.random
        self._granted = [each.pair_id for each in instance.pairs.values() if each.consent is Consent.GRANTED]
        self._gone: list[str] = []
        self._lost: list[tuple[str, int, str]] = []
        self.makers: dict[str, Callable[[], Event | None]] = {
            "request": self._request,
            "withdrawal": self._withdrawal,
            "cancellation": self._cancellation,
            "return": self._return,
            "hours": self._hours,
            "sessions": self._sessions,
            "table lost": self._table_lost,
            "table back": self._table_back,
            "session moved": self._session_moved,
        }

    def _request(self) -> Event:
        pair = self._instance.draw_pair()
        self._granted.append(pair.pair_id)
        return pair

    def _withdrawal(self) -> Event | None:
        if not self._granted:
            return None
        at = self._random.randrange(len(self._granted))
        self._granted[at], self._granted[-1] = self._granted[-1], self._granted[at]
        return self._instance.withdraw(self._instance.pairs[self._granted.pop()])

    def _cancellation(self) -> Event | None:
        if len(self._gone) >= _MOST_CANCELLED * len(self._instance.participants):
            return None
        name = self._somebody()
        if name in self._gone:
            return None
        self._gone.append(name)
        return self._participant(name, status=Status.CANCELLED)

    def _return(self) -> Event | None:
        if not self._gone:
            return None
        name = self._gone.pop(self._random.randrange(len(self._gone)))
        return self._participant(name, status=Status.ACTIVE)

    def _hours(self) -> Event:
        return self._participant(self._somebody(), available=self._instance.draw_hours())

    def _sessions(self) -> Event:
        return self._participant(self._somebody(), session_ids=self._instance.draw_sessions())

    def _table_lost(self) -> Event | None:
        if len(self._lost) >= _MOST_LOST:
            return None
        zone = self._random.choice([zone for zone in self._instance.edition.zones if len(zone.tables) > 1])
        at = self._random.randrange(len(zone.tables))
        self._lost.append((zone.zone_id, at, zone.tables[at]))
        return self._tables(zone.zone_id, (*zone.tables[:at], *zone.tables[at + 1 :]))

    def _table_back(self) -> Event | None:
        if not self._lost:
            return None
        zone_id, at, table = self._lost.pop()
        zone = next(zone for zone in self._instance.edition.zones if zone.zone_id == zone_id)
        return self._tables(zone_id, (*zone.tables[:at], table, *zone.tables[at:]))

    def _session_moved(self) -> Event | None:
        edition = self._instance.edition
        if not edition.sessions:
            return None
        at = self._random.randrange(len(edition.sessions))
        starts = self._random.choice(edition.slots).starts_at
        length = edition.sessions[at].ends_at - edition.sessions[at].starts_at
        moved = edition.sessions[at].model_copy(update={"starts_at": starts, "ends_at": starts + length})
        return _edition(self._instance, sessions=(*edition.sessions[:at], moved, *edition.sessions[at + 1 :]))

    def _tables(self, zone_id: str, tables: tuple[str, ...]) -> Event:
        zones = self._instance.edition.zones
        news = tuple(zone.model_copy(update={"tables": tables}) if zone.zone_id == zone_id else zone for zone in zones)
        return _edition(self._instance, zones=news)

    def _somebody(self) -> str:
        return self._random.choice(self._instance.names)

    def _participant(self, name: str, **news: object) -> ParticipantChanged:
        known = self._instance.participants[name]
        changed = known.model_copy(update={**news, "revision": self._instance.next_revision()})
        self._instance.participants[name] = changed
        return changed
