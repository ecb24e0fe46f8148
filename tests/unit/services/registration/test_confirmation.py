"""Tokens of previews, and the problems of a change that is not confirmed."""

from __future__ import annotations

import json

import httpx
import pytest
from fastapi import FastAPI
from pydantic import BaseModel

from services.registration.api import problems
from services.registration.confirmation import ANY_EFFECTS, Previewed, confirmation_needed, must_be_confirmed, token_of
from services.registration.domain.errors import PreviewRequired, PreviewStale


class Effects(BaseModel):
    moved: list[str] = []
    after: str | None = None


PREVIEWED = Previewed(token_of({"days": []}, {"edition": 3}, Effects()), Effects())


def test_a_token_names_body_revisions_and_effects() -> None:
    contents: list[tuple[object, ...]] = [
        ({"days": []}, {"edition": 3}, Effects()),
        ({"days": [1]}, {"edition": 3}, Effects()),
        ({"days": []}, {"edition": 4}, Effects()),
        ({"days": []}, {"edition": 3}, Effects(moved=["e"])),
        (b"name;email\n\xff", {"edition": 3}, Effects()),
        (b"name;email\n\xfe", {"edition": 3}, Effects()),
    ]
    tokens = [token_of(*content) for content in contents]
    assert len(set(tokens)) == len(contents)
    assert tokens == [token_of(*content) for content in contents]
    assert all(len(token) == 32 for token in tokens)


@pytest.mark.parametrize("presented", [PREVIEWED.token, ANY_EFFECTS])
def test_the_token_of_the_preview_confirms_it(presented: str) -> None:
    must_be_confirmed(presented, PREVIEWED)


def test_another_token_is_stale() -> None:
    with pytest.raises(PreviewStale) as stale:
        must_be_confirmed("0" * 32, PREVIEWED)
    assert (stale.value.token, stale.value.preview) == (PREVIEWED.token, PREVIEWED.preview)


@pytest.mark.parametrize(
    ("error", "status", "slug"),
    [
        (confirmation_needed(PREVIEWED, "20 people would be moved"), 428, "preview-required"),
        (PreviewStale("other effects", PREVIEWED.token, PREVIEWED.preview), 412, "preview-stale"),
    ],
)
async def test_the_problem_holds_the_preview_and_its_token(
    error: PreviewRequired | PreviewStale, status: int, slug: str
) -> None:
    app = FastAPI()
    problems.install(app)

    @app.get("/")
    async def fail() -> None:
        raise error

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://test") as client:
        answer = await client.get("/")
    body = json.loads(answer.text)
    assert (answer.status_code, body["type"]) == (status, f"urn:tertulia:problem:{slug}")
    assert (body["token"], body["preview"]) == (PREVIEWED.token, {"moved": [], "after": None})
