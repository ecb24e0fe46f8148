"""HTTP in, behind the door: what registration asks matching for an operator."""

from __future__ import annotations

import asyncio
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from services.matching.observatory.picture import TooFew
from shared.internal_api.observatory import ObservatoryView
from shared.internal_api.profile_help import ProfileQuestion, ProfileSuggestions
from shared.internal_api.server import Declined, body_of


class Helper(Protocol):
    """Answers questions about profiles; it takes its time, and may be asked in threads."""

    def answer(self, question: ProfileQuestion) -> ProfileSuggestions: ...


class Observatory(Protocol):
    """Shows editions as a whole."""

    async def view(self, edition_id: str) -> ObservatoryView: ...


def routes_of(helper: Helper, observatory: Observatory) -> list[BaseRoute]:
    """What matching can be asked."""

    async def profile_help(request: Request) -> Response:
        question = await body_of(request, ProfileQuestion)
        suggestions = await asyncio.to_thread(helper.answer, question)
        return Response(suggestions.model_dump_json(), media_type="application/json")

    async def observe(request: Request) -> Response:
        try:
            view = await observatory.view(request.path_params["edition_id"])
        except TooFew as few:
            raise Declined(409, "too-few", str(few)) from few
        except ModuleNotFoundError as missing:
            raise Declined(409, "not-installed", "this installation has not the extra `observatory`") from missing
        return Response(view.model_dump_json(), media_type="application/json")

    return [
        Route("/profile-help", profile_help, methods=["POST"]),
        Route("/editions/{edition_id}/observatory", observe),
    ]
