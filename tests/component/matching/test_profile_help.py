"""Profile help from an organiser's request to its answer: registration's API, matching behind it, the real encoder."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime
from typing import Any

import httpx
import pytest

from bench.affinities.activities import empty_texts, labelled_texts
from services.matching.encoders import use_encoder
from services.matching.profile_help import ProfileHelp
from services.matching.vocabulary import vocabulary
from services.registration.internal_clients import InternalClient, InternalClients, no_clients
from shared.internal_api.profile_help import LONGEST_TEXT, ProfileQuestion
from tests.support.matching_journal import MatchingHarness
from tests.support.registration_api import api_over


@pytest.fixture
async def api(now: datetime) -> AsyncIterator[httpx.AsyncClient]:
    clients = InternalClients(InternalClient("matching", MatchingHarness(now).client()), no_clients().scheduler)
    async with await api_over(clients) as api:
        yield api
    await clients.close()


async def help_with(api: httpx.AsyncClient, text: str) -> dict[str, Any]:
    answer = await api.post("/profile-help", json={"text": text})
    assert answer.status_code == 200, answer.text
    body: dict[str, Any] = answer.json()
    return body


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("quesería artesana", "nace:10.51"),
        ("mecanizado CNC", "nace:25.62"),
        ("fromagerie artisanale", "nace:10.51"),
        ("oficina de maquinação CNC", "nace:25.62"),
    ],
)
async def test_the_class_of_a_named_trade_comes_first(api: httpx.AsyncClient, text: str, code: str) -> None:
    suggested = await help_with(api, text)
    assert suggested["classes"][0]["code"] == code


@pytest.mark.parametrize("language", [0, 1, 2, 3], ids=["es", "en", "pt", "fr"])
def test_the_class_of_a_sentence_is_among_four(language: int) -> None:
    helper = ProfileHelp(use_encoder, vocabulary)
    answers = [
        (codes, [shown.code for shown in helper.answer(ProfileQuestion(text=texts[language])).classes[:4]])
        for codes, texts in labelled_texts("sentences.txt")
    ]
    assert len(answers) == 200
    assert sum(not codes.isdisjoint(answer) for codes, answer in answers) / len(answers) >= 0.95


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Käserei in den Alpen", "nace:10.51"),
        ("Wir drehen und fräsen Präzisionsteile", "nace:25.62"),
        ("Weingut mit eigener Kellerei", "nace:11.02"),
        ("Übersetzung technischer Handbücher", "nace:74.30"),
        ("Wir bauen Sondermaschinen und Roboterzellen", "nace:28.99"),
        ("Spedition mit eigenen Lastwagen", "nace:49.41"),
        ("Möbeltischlerei für Hotels", "nace:31.09"),
        ("caseificio artigianale", "nace:10.51"),
        ("Officina di tornitura e fresatura", "nace:25.62"),
        ("Salumificio di famiglia con prosciutti stagionati", "nace:10.13"),
        ("Stampaggio di materie plastiche a iniezione", "nace:22.29"),
        ("Impresa di pulizie per uffici", "nace:81.21"),
        ("Studio legale per contratti internazionali", "nace:69.10"),
        ("Produciamo piastrelle in gres porcellanato", "nace:23.31"),
    ],
)
def test_german_and_italian_texts_find_their_class_among_four(text: str, code: str) -> None:
    suggested = ProfileHelp(use_encoder, vocabulary).answer(ProfileQuestion(text=text)).classes
    assert code in [shown.code for shown in suggested[:4]]


@pytest.mark.parametrize("text", empty_texts())
def test_a_greeting_or_a_slogan_gets_no_code_and_is_told_so(text: str) -> None:
    suggested = ProfileHelp(use_encoder, vocabulary).answer(ProfileQuestion(text=text))
    assert suggested.classes == suggested.kets == []
    assert {remark.code for remark in suggested.remarks} & {"item_generic", "item_too_short"}


@pytest.mark.parametrize(
    ("text", "kets"),
    [
        ("quesería artesana", []),
        ("vino", []),
        ("robótica", "ket:robotics"),
        ("ciberseguridad para fábricas", "ket:cybersecurity"),
        ("impresión 3D de metal", "ket:additive-manufacturing"),
    ],
)
async def test_a_short_text_gets_no_technology_that_it_does_not_name(
    api: httpx.AsyncClient, text: str, kets: str | list[str]
) -> None:
    suggested = [one["code"] for one in (await help_with(api, text))["kets"]]
    assert suggested[:1] == ([kets] if kets else [])


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("Cultivamos uva y elaboramos vino blanco en barrica", "nace:11.02"),
        ("We make wine from our own grapes", "nace:11.02"),
        ("Produzimos queijo de ovelha e iogurte", "nace:10.51"),
        ("Nous fabriquons des chaussures de sécurité", "nace:15.20"),
        ("Wir entwickeln Software für Krankenhäuser", "nace:62.01"),
        ("歯科医院を運営しています", "nace:86.23"),
    ],
)
async def test_the_class_of_an_activity_is_among_ten(api: httpx.AsyncClient, text: str, code: str) -> None:
    suggested = await help_with(api, text)
    assert code in [one["code"] for one in suggested["classes"]]
    assert [one["score"] for one in suggested["classes"]] == sorted(
        (one["score"] for one in suggested["classes"]), reverse=True
    )
    assert all(set(one["labels"]) == {"es", "en", "pt", "fr", "de", "it"} for one in suggested["classes"])


async def test_needs_and_offers_are_told_apart_and_technologies_named(api: httpx.AsyncClient) -> None:
    suggested = await help_with(api, "Programamos robots colaborativos. Buscamos un proveedor de pinzas de vacío")
    assert suggested["offers"] == ["Programamos robots colaborativos"]
    assert suggested["needs"] == ["Buscamos un proveedor de pinzas de vacío"]
    assert "ket:robotics" in [one["code"] for one in suggested["kets"]]


@pytest.mark.parametrize("text", ["", "  \n", "🙂🙂🙂", "<p></p>", "\x00"])
async def test_a_blank_text_gets_no_suggestions(api: httpx.AsyncClient, text: str) -> None:
    suggested = await help_with(api, text)
    assert suggested == {
        "needs": [], "offers": [], "classes": [], "kets": [], "remarks": [{"code": "says_nothing", "item": None}],
    }  # fmt: skip


async def test_a_generic_text_gets_a_remark_and_no_codes(api: httpx.AsyncClient) -> None:
    suggested = await help_with(api, "Ofrecemos soluciones innovadoras de calidad")
    assert suggested["classes"] == suggested["kets"] == []
    remarks = {remark["code"] for remark in suggested["remarks"]}
    assert {"item_generic", "no_needs"} <= remarks


@pytest.mark.parametrize(
    "text",
    ["a" * LONGEST_TEXT, "busco " * 3000, "- x\n" * 5000, "<li>" * 4000, "需要" * 9000, "\u202e\ufeff" * 4000 + "ok"],
)
async def test_any_text_is_taken_in_bounds(api: httpx.AsyncClient, text: str) -> None:
    suggested = await help_with(api, text)
    assert len(suggested["needs"]) <= 10
    assert len(suggested["offers"]) <= 10
    assert len(suggested["classes"]) <= 10
    assert suggested["remarks"]


@pytest.mark.parametrize("body", [{"text": "a" * (LONGEST_TEXT + 1)}, {"text": 1}, {}, {"text": "a", "more": 1}])
async def test_an_invalid_question_is_answered_with_422(api: httpx.AsyncClient, body: dict[str, Any]) -> None:
    assert (await api.post("/profile-help", json=body)).status_code == 422


async def test_without_matching_only_profile_help_is_unavailable() -> None:
    async with await api_over(no_clients()) as api:
        answer = await api.post("/profile-help", json={"text": "Fabricamos bombas"})
        assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
        assert (await api.get("/editions")).status_code == 200


async def test_a_key_is_needed() -> None:
    async with await api_over(no_clients()) as api:
        answer = await api.post("/profile-help", json={"text": "x"}, headers={"Authorization": "Bearer no.body"})
        assert answer.status_code == 401
