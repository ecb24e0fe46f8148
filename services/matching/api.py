"""HTTP in, behind the door: what registration asks matching for an operator."""

from __future__ import annotations

import asyncio
from typing import Protocol

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route

from shared.internal import body_of
from shared.profile_help import ProfileQuestion, ProfileSuggestions


class Helper(Protocol):
    """Answers questions about profiles; it takes its time, and may be asked in threads."""

    def answer(self, question: ProfileQuestion) -> ProfileSuggestions: ...


def routes_of(helper: Helper) -> list[BaseRoute]:
    """What matching can be asked."""

    async def profile_help(request: Request) -> Response:
        question = await body_of(request, ProfileQuestion)
        suggestions = await asyncio.to_thread(helper.answer, question)
        return Response(suggestions.model_dump_json(), media_type="application/json")

    return [Route("/profile-help", profile_help, methods=["POST"])]
