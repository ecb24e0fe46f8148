"""Use case of the feed: answer a link with the calendar of its participant, and remember the served calendar."""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Protocol

from services.notify.domain.changes import Change
from services.notify.domain.delivery import DeliveryWanted
from services.notify.domain.state import Audience
from services.notify.feed.document import FeedDocument, shown_state
from services.notify.old_hashes import is_person
from services.notify.ports import Overtaken
from shared.contract.links import Link
from shared.runtime.clock import Clock
from shared.storage.journal import Journal

#: Answers that a process keeps ready, and the longest time for which one is kept: cancelled entries leave by the day.
_MOST_ANSWERS, _ANSWER_FOR = 5_000, timedelta(hours=1)
#: Longest time for which a process trusts its memory of an edition that another process may have changed.
_FRESH_FOR = timedelta(seconds=1)
_MOST_EDITIONS = 10_000
_ATTEMPTS = 5


class LinkEnded(Exception):
    """The link was revoked, its person has left the place, or its participant is unknown."""


class Feeds(Protocol):
    """The documents of feeds."""

    async def find(self, edition_id: str, participant_id: str) -> FeedDocument:
        """Return a feed's document; the empty document if the feed was never fetched."""

    async def save(self, edition_id: str, participant_id: str, feed: FeedDocument) -> FeedDocument:
        """Write a document and return it, or raise `Overtaken`."""


@dataclass(frozen=True)
class FeedAnswer:
    """A calendar as HTTP serves it. `etag` is a hash of the body, with its quotes."""

    body: bytes
    etag: str
    changed_at: datetime


@dataclass(frozen=True)
class _Kept:
    state: tuple[object, ...]
    answer: FeedAnswer
    until: datetime


class CalendarFeed:
    """Serves the feeds of participants."""

    def __init__(
        self,
        journal: Journal[Audience, Change, DeliveryWanted],
        feeds: Feeds,
        write_feed: Callable[[Audience, str, FeedDocument], bytes],
        write_page: Callable[[Audience, str], str],
        clock: Clock,
    ) -> None:
        self._journal = journal
        self._feeds = feeds
        self._write_feed = write_feed
        self._write_page = write_page
        self._clock = clock
        self._kept: OrderedDict[tuple[str, str], _Kept] = OrderedDict()
        self._checked_at: OrderedDict[str, datetime] = OrderedDict()

    async def answer(self, link: Link) -> FeedAnswer:
        """Return the calendar of a link's participant.

        Raises:
            LinkEnded: the link is not valid any more.
        """
        key = link.edition_id, link.participant_id
        audience = await self._audience(link.edition_id)
        _check(link, audience)
        now, kept = self._clock(), self._kept.get(key)
        state = shown_state(audience, link.participant_id)
        if kept and kept.state == state and kept.until > now:
            self._kept.move_to_end(key)
            return kept.answer
        self._kept[key] = newest = await self._newest(link, now)
        if len(self._kept) > _MOST_ANSWERS:
            self._kept.popitem(last=False)
        return newest.answer

    async def page(self, link: Link) -> str:
        """Return the page of a link's participant, as HTML.

        Raises:
            LinkEnded: the link is not valid any more.
        """
        audience = await self._audience(link.edition_id)
        _check(link, audience)
        return self._write_page(audience, link.participant_id)

    async def forget_old(self) -> None:
        """Drop the answers that are out of date: they may name erased persons."""
        now = self._clock()
        for key in [key for key, kept in self._kept.items() if kept.until <= now]:
            del self._kept[key]

    async def _newest(self, link: Link, now: datetime) -> _Kept:
        """Write the feed's document if it differs, and render it. The document of the fastest process counts."""
        edition_id, participant_id = link.edition_id, link.participant_id
        for _ in range(_ATTEMPTS):
            known = await self._feeds.find(edition_id, participant_id)
            audience = await self._journal.read(edition_id)
            state = shown_state(audience, participant_id)
            feed = known.next(audience, participant_id, now)
            body = self._write_feed(audience, participant_id, feed)
            try:
                if feed is not known:
                    await self._feeds.save(edition_id, participant_id, feed)
            except Overtaken:
                continue
            answer = FeedAnswer(body, f'"{hashlib.sha256(body).hexdigest()[:32]}"', feed.changed_at or now)
            return _Kept(state, answer, now + _ANSWER_FOR)
        raise Overtaken(f"{edition_id}/{participant_id}")

    async def _audience(self, edition_id: str) -> Audience:
        """Return the edition's state, at most a second behind a process that owns the edition."""
        now = self._clock()
        checked_at = self._checked_at.get(edition_id)
        if checked_at and now - checked_at < _FRESH_FOR:
            return await self._journal.read(edition_id)
        self._checked_at[edition_id] = now
        self._checked_at.move_to_end(edition_id)
        if len(self._checked_at) > _MOST_EDITIONS:
            self._checked_at.popitem(last=False)
        return await self._journal.current(edition_id)


def _check(link: Link, audience: Audience) -> None:
    contact = audience.contacts.get(link.participant_id)
    if contact is None or not audience.can_write_to(link.participant_id):
        raise LinkEnded("the participant has no announced agenda")
    if audience.operator_id != link.operator_id:
        raise LinkEnded("the edition belongs to another operator")
    if contact.links != link.links or not is_person(link.person, link.participant_id, contact):
        raise LinkEnded("the link was revoked, or another person has the place")
