"""HTTP in, behind the door: what an organiser asks about a pair."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.matching.domain.decide import Matchmaker
from services.matching.domain.explain import why_not
from services.matching.domain.state import Change, MatchingState
from shared.contract.events import Event
from shared.storage.journal import Decision


class Editions(Protocol):
    """The journal, as who only asks needs it."""

    async def current(self, edition_id: str) -> MatchingState:
        """Take in what other processes have written."""
        ...

    async def transact(
        self, edition_id: str, decide: Callable[[MatchingState, datetime], Decision[Change, Event]]
    ) -> Decision[Change, Event]:
        """Look at the state where nobody changes it, off the loop; a decision of nothing writes nothing."""
        ...


def pair_routes(editions: Editions, matchmaker: Matchmaker) -> list[BaseRoute]:
    """What matching can be asked about pairs."""

    async def pair(request: Request) -> Response:
        edition_id, one, other = (request.path_params[name] for name in ("edition_id", "one", "other"))
        answers = []

        def look(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            answers.append(why_not(state, matchmaker.pool(state), one, other))
            return Decision()

        await editions.current(edition_id)
        await editions.transact(edition_id, look)
        return Response(answers[-1].model_dump_json(), media_type="application/json")

    return [Route("/editions/{edition_id}/affinities/{one}/{other}", pair)]
