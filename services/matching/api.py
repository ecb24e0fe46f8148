"""HTTP in, on the internal API: the questions that registration forwards for an operator."""

from __future__ import annotations

import asyncio
from datetime import datetime

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import BaseRoute, Route

from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.explain import candidates_of, explain_pair, proposals_of
from services.matching.domain.state import MatchingState
from services.matching.observatory.picture import TooFewOrganisations
from services.matching.ports import EditionJournal, Observatory, ProfileHelper
from services.matching.previews import RequestsBehind, RequestsOutdated, affinities_after
from shared.contract.events import Event
from shared.internal_api.affinity_versions import InstalledVersions
from shared.internal_api.pairs import ProposalPage
from shared.internal_api.previews import LARGEST_PREVIEW, AffinitiesThen, RequestsToPreview
from shared.internal_api.profile_help import ProfileQuestion
from shared.internal_api.server import Declined, body_of
from shared.storage.aggregate import Decision

_MOST_CANDIDATES = 100
#: Longest wait of a preview for the facts that it is based on, and the interval between looks for them.
_PREVIEW_SECONDS, _LOOK_SECONDS = 2.0, 0.05


def profile_help_routes(helper: ProfileHelper) -> list[BaseRoute]:
    """Return the route that suggests needs, offers and codes for a text."""

    async def profile_help(request: Request) -> Response:
        question = await body_of(request, ProfileQuestion)
        suggestions = await asyncio.to_thread(helper.answer, question)
        return Response(suggestions.model_dump_json(), media_type="application/json")

    return [Route("/profile-help", profile_help, methods=["POST"])]


def observatory_routes(observatory: Observatory) -> list[BaseRoute]:
    """Return the route that shows an edition as a whole."""

    async def observe(request: Request) -> Response:
        try:
            view = await observatory.view(request.path_params["edition_id"])
        except TooFewOrganisations as error:
            raise Declined(409, "too-few", str(error)) from error
        return Response(view.model_dump_json(), media_type="application/json")

    return [Route("/editions/{edition_id}/observatory", observe)]


def version_routes(matchmaker: Matchmaker) -> list[BaseRoute]:
    """Return the route that lists the installed affinity versions."""

    async def versions(_: Request) -> Response:
        answer = InstalledVersions(versions=tuple(matchmaker.versions))
        return Response(answer.model_dump_json(), media_type="application/json")

    return [Route("/affinity-versions", versions)]


def preview_routes(editions: EditionJournal, matchmaker: Matchmaker) -> list[BaseRoute]:
    """Return the route that tells the affinities after match requests that are not made yet."""

    async def previews(request: Request) -> Response:
        asked = await body_of(request, RequestsToPreview, LARGEST_PREVIEW)
        edition_id, answers = request.path_params["edition_id"], list[AffinitiesThen]()

        def preview(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            found = affinities_after(state, matchmaker, asked.match_requests)
            answers.append(AffinitiesThen(affinities=tuple(found)))
            return Decision()

        deadline = asyncio.get_running_loop().time() + _PREVIEW_SECONDS
        while not answers:
            await editions.current(edition_id)
            try:
                await editions.transact(edition_id, preview)
            except RequestsOutdated as outdated:
                raise Declined(409, "overtaken", str(outdated)) from outdated
            except RequestsBehind as behind:
                if asyncio.get_running_loop().time() >= deadline:
                    raise Declined(503, "behind", str(behind)) from behind
                await asyncio.sleep(_LOOK_SECONDS)
        return Response(answers[-1].model_dump_json(), media_type="application/json")

    return [Route("/editions/{edition_id}/previews", previews, methods=["POST"])]


def pair_routes(editions: EditionJournal, matchmaker: Matchmaker) -> list[BaseRoute]:
    """Return the routes that explain the score and the hindrances of a pair, and list the proposals."""

    async def pair(request: Request) -> Response:
        edition_id, first_id, second_id = (request.path_params[name] for name in ("edition_id", "one", "other"))
        answers = []

        def explain(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            missing = matchmaker.missing_version(state)
            answers.append(explain_pair(state, matchmaker.pool(state), first_id, second_id, missing))
            return Decision()

        await editions.current(edition_id)
        await editions.transact(edition_id, explain)
        return Response(answers[-1].model_dump_json(), media_type="application/json")

    async def candidates(request: Request) -> Response:
        participant_id, limit = request.path_params["participant_id"], request.query_params.get("limit", "20")
        if not limit.isdecimal() or not 1 <= int(limit[:4]) <= _MOST_CANDIDATES:
            raise Declined(422, "invalid", f"limit is not 1 to {_MOST_CANDIDATES}")
        edition_id, answers = request.path_params["edition_id"], []

        def listed(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            answers.append(candidates_of(state, matchmaker.pool(state), participant_id, int(limit)))
            return Decision()

        await editions.current(edition_id)
        await editions.transact(edition_id, listed)
        return JSONResponse({"items": [candidate.model_dump(mode="json") for candidate in answers[-1]]})

    async def proposals(request: Request) -> Response:
        try:
            page = ProposalPage.model_validate(dict(request.query_params))
        except ValidationError as error:
            raise Declined(
                422, "invalid", "after is not the next of a page before, or limit is not 1 to 1000"
            ) from error
        edition_id, answers = request.path_params["edition_id"], []

        def listed(state: MatchingState, _: datetime) -> Decision[Change, Event]:
            answers.append(proposals_of(state, page))
            return Decision()

        await editions.current(edition_id)
        await editions.transact(edition_id, listed)
        return JSONResponse({"items": [proposal.model_dump(mode="json") for proposal in answers[-1]]})

    return [
        Route("/editions/{edition_id}/affinities/{one}/{other}", pair),
        Route("/editions/{edition_id}/participants/{participant_id}/candidates", candidates),
        Route("/editions/{edition_id}/proposals", proposals),
    ]
