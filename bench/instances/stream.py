"""A stream of late changes to an edition, in stationary proportions: requests and withdrawals balance."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from datetime import timedelta
from typing import NamedTuple

from bench.instances.editions import SyntheticEdition
from shared.contract.events import (
    Consent,
    EditionChanged,
    Event,
    OrganisationKind,
    ParticipantChanged,
    Phase,
    Quotas,
    Status,
)

#: Kinds of change, with their numbers in a thousand changes.
LATE = {
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
#: The same for stress runs, with changes that rebuild the whole edition.
STRESS = {
    **dict.fromkeys(LATE, 100),
    "request": 300,
    "quota": 20,
    "organisation": 50,
    "phase": 30,
    "slots": 10,
    "check-in": 100,
    "undo": 150,
}
#: Requests only; and the mixture shortly before an opening, mostly requests.
REQUESTS = {"request": 1}
RUSH = {"request": 700, "withdrawal": 100, "cancellation": 100, "hours": 100}
_MOST_LOST = 2
_MOST_CANCELLED = 0.05


class StreamedChange(NamedTuple):
    """A change: its kind and its event."""

    kind: str
    event: Event


def late_changes(instance: SyntheticEdition, count: int, shares: Mapping[str, int] = LATE) -> Iterator[StreamedChange]:
    """Draw `count` changes, a change from the instance as it is then. An impossible kind is drawn again."""
    stream = _Stream(instance)
    kinds, weights = list(shares), list(shares.values())
    while count:
        kind = instance.random.choices(kinds, weights)[0]
        event = stream.makers[kind]()
        if event is not None:
            count -= 1
            yield StreamedChange(kind, event)


def published(instance: SyntheticEdition) -> EditionChanged:
    """Publish the edition, and return its event."""
    return _edition(instance, phase=Phase.PUBLISHED)


def live(instance: SyntheticEdition, freeze_minutes: int) -> EditionChanged:
    """Take the edition live, and return its event. Encounters within `freeze_minutes` are frozen."""
    return _edition(instance, phase=Phase.LIVE, freeze_minutes=freeze_minutes)


def _edition(instance: SyntheticEdition, **update: object) -> EditionChanged:
    instance.edition = instance.edition.model_copy(update={**update, "revision": instance.next_revision()})
    return instance.edition


class _Stream:
    """The makers of changes by kind. A maker returns None where its change is impossible now."""

    def __init__(self, instance: SyntheticEdition) -> None:
        self._instance = instance
        self._random = instance.random
        self._granted = [pair.pair_id for pair in instance.pairs.values() if pair.consent is Consent.GRANTED]
        self._gone: list[str] = []
        self._lost: list[tuple[str, int, str]] = []
        #: The edition or a participant before a change, the last change last.
        self._before: list[EditionChanged | ParticipantChanged] = []
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
            "quota": self._quota,
            "organisation": self._organisation,
            "phase": self._phase,
            "slots": self._slots,
            "check-in": self._check_in,
            "undo": self._undo,
        }

    def _request(self) -> Event | None:
        pair = self._instance.draw_pair()
        if pair is not None:
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
        name = self._draw_name()
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
        return self._participant(self._draw_name(), available=self._instance.draw_hours())

    def _check_in(self) -> Event:
        return self._participant(self._draw_name(), checked_in=self._random.choice((True, True, False)))

    def _sessions(self) -> Event:
        return self._participant(self._draw_name(), session_ids=self._instance.draw_sessions())

    def _table_lost(self) -> Event | None:
        if len(self._lost) >= _MOST_LOST:
            return None
        zones = [zone for zone in self._instance.edition.zones if len(zone.tables) > 1]
        if not zones:
            return None
        zone = self._random.choice(zones)
        at = self._random.randrange(len(zone.tables))
        self._lost.append((zone.zone_id, at, zone.tables[at]))
        return self._tables(zone.zone_id, (*zone.tables[:at], *zone.tables[at + 1 :]))

    def _table_back(self) -> Event | None:
        if not self._lost:
            return None
        zone_id, at, table = self._lost.pop()
        zone = next(zone for zone in self._instance.edition.zones if zone.zone_id == zone_id)
        if table in zone.tables:
            return None
        return self._tables(zone_id, (*zone.tables[:at], table, *zone.tables[at:]))

    def _session_moved(self) -> Event | None:
        edition = self._instance.edition
        if not edition.sessions:
            return None
        at = self._random.randrange(len(edition.sessions))
        starts = self._random.choice(edition.slots).starts_at
        length = edition.sessions[at].ends_at - edition.sessions[at].starts_at
        moved = edition.sessions[at].model_copy(update={"starts_at": starts, "ends_at": starts + length})
        return self._edition(sessions=(*edition.sessions[:at], moved, *edition.sessions[at + 1 :]))

    def _quota(self) -> Event:
        return self._edition(quotas=Quotas(max_encounters=self._random.choice((None, 2, 4))))

    def _phase(self) -> Event:
        """Set the same phase or the next, but never close the edition."""
        phases = list(Phase)[:-1]
        at = phases.index(self._instance.edition.phase)
        return self._edition(phase=self._random.choice(phases[at : at + 2]))

    def _slots(self) -> Event:
        """Shift all slots by some minutes."""
        shift = timedelta(minutes=self._random.choice((-15, -5, 5, 15)))
        moved = (
            slot.model_copy(update={"starts_at": slot.starts_at + shift, "ends_at": slot.ends_at + shift})
            for slot in self._instance.edition.slots
        )
        return self._edition(slots=tuple(moved))

    def _organisation(self) -> Event:
        at = self._random.randrange(len(self._instance.organisations))
        update = {
            "revision": self._instance.next_revision(),
            "kind": self._random.choice((OrganisationKind.SME, OrganisationKind.RESEARCH_GROUP)),
            "status": self._random.choices((Status.ACTIVE, Status.CANCELLED), (4, 1))[0],
            "interchangeable": self._random.choice((True, False)),
        }
        changed = self._instance.organisations[at] = self._instance.organisations[at].model_copy(update=update)
        return changed

    def _undo(self) -> Event | None:
        """Give the thing that was changed last its facts before the change. A phase never goes back."""
        if not self._before:
            return None
        before = self._before.pop()
        revision = self._instance.next_revision()
        if isinstance(before, EditionChanged):
            update = {"revision": revision, "phase": self._instance.edition.phase}
            self._instance.edition = before.model_copy(update=update)
            return self._instance.edition
        known = before.model_copy(update={"revision": revision})
        self._instance.participants[known.participant_id] = known
        return known

    def _edition(self, **update: object) -> EditionChanged:
        self._before.append(self._instance.edition)
        return _edition(self._instance, **update)

    def _tables(self, zone_id: str, tables: tuple[str, ...]) -> Event:
        zones = self._instance.edition.zones
        changed = tuple(
            zone.model_copy(update={"tables": tables}) if zone.zone_id == zone_id else zone for zone in zones
        )
        return self._edition(zones=changed)

    def _draw_name(self) -> str:
        return self._random.choice(self._instance.names)

    def _participant(self, name: str, **update: object) -> ParticipantChanged:
        known = self._instance.participants[name]
        self._before.append(known)
        changed = known.model_copy(update={**update, "revision": self._instance.next_revision()})
        self._instance.participants[name] = changed
        return changed
