"""Remedies that were sought for the present agendas, in memory. Another process finds them anew."""

from __future__ import annotations

import contextlib
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime

from services.scheduler.domain.organiser.remedies import SearchStopped, find_remedy
from services.scheduler.domain.organiser.remedy_trial import copy_of
from services.scheduler.domain.state import AgendaState
from shared.contract.events import Remedy

#: Editions whose remedies are kept; the least recently used is dropped.
_EDITIONS_KEPT = 64
#: Rest of lists after a search, in durations of the search: readers that ask often take a fifth of a processor.
_REST = 4.0
_Stamp = tuple[int, int, int, int]
Found = dict[str, Remedy | None]


class KnownRemedies:
    """The remedies by waiting pair, None if there is none, as long as the agenda stays as it was."""

    def __init__(self, monotonic: Callable[[], float] = time.monotonic) -> None:
        self._monotonic = monotonic
        self._rests_until = 0.0
        self._found: OrderedDict[str, tuple[_Stamp, Found]] = OrderedDict()

    def of(self, state: AgendaState, now: datetime) -> Mapping[str, Remedy | None]:
        """Return the remedies that were sought for this agenda and are still to come."""
        found = dict(self._of(state))
        return {pair: remedy for pair, remedy in found.items() if remedy is None or remedy.place.starts_at > now}

    @property
    def rests(self) -> bool:
        """Tell whether a list has to do with the remedies that are known, because a search has just ended."""
        return self._monotonic() < self._rests_until

    def seek(self, state: AgendaState, pairs: Iterable[str], now: datetime, seconds: float) -> Found:
        """Seek the remedies of waiting pairs on copies of the state, until the time is over. A thread may call this.

        A pair whose search is stopped without a remedy is left out.
        """
        known, begun = self._of(state), self._monotonic()

        def is_in_time() -> bool:
            return self._monotonic() < begun + seconds

        found: Found = {}
        for pair in pairs:
            with contextlib.suppress(SearchStopped):
                found[pair] = known[pair] = find_remedy(copy_of(state), pair, now, is_in_time)
            if not is_in_time():
                break
        ended = self._monotonic()
        self._rests_until = ended + _REST * (ended - begun)
        return found

    def _of(self, state: AgendaState) -> Found:
        stamp = (state.version, state.improved, len(state.placements), len(state.waiting))
        known, found = self._found.pop(state.edition_id, (None, {}))
        if known != stamp:
            found = {}
        self._found[state.edition_id] = stamp, found
        while len(self._found) > _EDITIONS_KEPT:
            self._found.popitem(last=False)
        return found
