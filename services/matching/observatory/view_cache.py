"""A cache of observatory views: an edition is drawn at most once a minute."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final

from services.matching.domain.state import MatchingState
from services.matching.domain.text.scorer import TextScorer
from services.matching.observatory.picture import Communities, Labels, picture_of, view_of
from shared.internal_api.observatory import ObservatoryView

#: Age in seconds up to which a view is shown again: two views differ by all changes of a minute, not by a single one.
_FRESH_SECONDS: Final = 60.0
_KEPT: Final = 200


class ViewCache:
    """Views of editions. Drawing takes up to seconds, in a thread; requests meanwhile wait for that drawing."""

    def __init__(
        self,
        state_of: Callable[[str], Awaitable[MatchingState]],
        scorer: Callable[[], TextScorer],
        communities: Communities,
        labels: Callable[[], Labels],
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._state_of = state_of
        self._scorer = scorer
        self._communities = communities
        self._labels = labels
        self._now = now
        self._drawn: dict[str, tuple[float, asyncio.Task[ObservatoryView]]] = {}

    async def view(self, edition_id: str) -> ObservatoryView:
        """Return the view of an edition, at most a minute old. Raises `TooFewOrganisations`."""
        began, drawing = self._drawn.get(edition_id, (0.0, None))
        if drawing is None or (drawing.done() and (drawing.exception() or self._now() - began >= _FRESH_SECONDS)):
            drawing = asyncio.create_task(self._draw(edition_id))
            self._drawn.pop(edition_id, None)
            self._drawn[edition_id] = (self._now(), drawing)
            if len(self._drawn) > _KEPT:
                del self._drawn[next(iter(self._drawn))]
        # Shielded: a request may be cancelled, and the next request finds the view.
        return await asyncio.shield(drawing)

    async def _draw(self, edition_id: str) -> ObservatoryView:
        state = await self._state_of(edition_id)
        return await asyncio.to_thread(
            lambda: view_of(picture_of(state, self._scorer(), self._communities), self._labels())
        )
