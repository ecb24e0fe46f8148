from __future__ import annotations

import subprocess
import sys
from collections import Counter
from datetime import date, datetime

import pytest

from demo.catalogue import coming, industries, people, programme
from demo.edition import generate
from demo.plan import DemoEdition, RequestOutcome
from demo.requests import MOST_ENCOUNTERS
from services.registration.domain.edition import EditionFacts
from services.registration.domain.organisation import OrganisationFacts
from services.registration.domain.participant import ParticipantFacts
from shared.contract.events import OrganisationKind


def test_the_day_of_the_edition_is_always_to_come() -> None:
    day = date(2026, 11, 26)
    assert coming(day, date(2026, 10, 27)) == day
    assert coming(day, date(2026, 10, 28)) == coming(day, date(2027, 1, 1)) == date(2027, 11, 26)


def test_the_full_edition_is_of_itecams_size(full: DemoEdition) -> None:
    kinds = Counter(organisation.kind for organisation in full.organisations)
    assert kinds["sme"] + kinds["large_company"] == 210
    assert kinds["research_group"] == 12
    assert set(kinds) == {kind.value for kind in OrganisationKind}
    assert len(full.participants) == 350
    assert {organisation.country for organisation in full.organisations if organisation.delegation} == {
        "MX",
        "PE",
        "CL",
        "UY",
    }
    assert len(full.requests) == 700
    assert sum(request.target is None for request in full.requests) == 60
    assert len(full.accepted) >= 600


def test_a_tenth_has_a_tenth_of_every_amount(small: DemoEdition) -> None:
    companies = [organisation for organisation in small.organisations if organisation.is_company]
    assert len(companies) == 21
    assert len(small.participants) == 35
    assert len(small.requests) == pytest.approx(70, abs=2)
    assert {organisation.kind for organisation in small.organisations} == {kind.value for kind in OrganisationKind}


@pytest.mark.parametrize("scale", [0.1, 0.3, 1.0])
def test_the_same_seed_draws_the_same_edition(scale: float) -> None:
    assert generate(5, scale) == generate(5, scale)
    assert generate(5, scale) != generate(6, scale)


def test_the_edition_does_not_depend_on_hash_order() -> None:
    code = "from demo.edition import generate; print(generate(3, 0.2))"
    editions = {
        subprocess.run(
            [sys.executable, "-c", code], env={"PYTHONHASHSEED": seed}, capture_output=True, check=True, text=True
        ).stdout
        for seed in ("1", "2")
    }
    assert editions == {f"{generate(3, 0.2)}\n"}


def test_the_day_has_28_slots_and_none_over_a_break() -> None:
    slots = programme().slots()
    assert len(slots) == 28
    pauses = [programme().interval(*pause) for pause in programme().breaks]
    assert not any(slot.overlaps(pause) for slot in slots for pause in pauses)


def test_registration_accepts_every_payload(small: DemoEdition) -> None:
    edition = EditionFacts.model_validate(small.payload)
    assert len(edition.slots()) == 28
    for organisation in small.organisations:
        OrganisationFacts.model_validate(organisation.payload())
    for participant in small.participants:
        ParticipantFacts.model_validate(participant.payload("org_1"))


def test_names_and_addresses_are_unique(full: DemoEdition) -> None:
    for values in (
        [organisation.name.casefold() for organisation in full.organisations],
        [participant.email.casefold() for participant in full.participants],
        [participant.name for participant in full.participants],
    ):
        assert len(set(values)) == len(values)
    assert all(participant.email.endswith(".example") for participant in full.participants)


def test_profiles_are_in_three_languages_and_leave_no_gap_unfilled(full: DemoEdition) -> None:
    languages = Counter(participant.languages[0] for participant in full.participants)
    assert languages["es"] > languages["en"] > 10
    assert languages["pt"] > 10
    for participant in full.participants:
        assert participant.offers
        assert len(participant.needs) == 2
        assert not any("{" in item for item in (*participant.offers, *participant.needs))


def test_every_industry_has_phrases_in_every_language() -> None:
    for topic in industries().values():
        assert set(topic["buys"]) <= set(industries())
        for language in ("es", "en", "pt"):
            assert topic[language]["label"]
            assert topic[language]["offers"]
            assert topic[language]["wanted"]
    for quests in people()["quests"].values():
        assert all(quests[language] for language in ("es", "en", "pt"))


def test_most_requests_join_a_need_and_an_offer(full: DemoEdition) -> None:
    pairs = [
        frozenset((request.requester.key, request.target.key))
        for request in full.requests
        if request.target is not None and request.requester.organisation != request.target.organisation
    ]
    assert len(pairs) == 640
    assert len(set(pairs)) == 640
    bought = sum(
        request.target.organisation.industry in request.requester.organisation.buys
        or request.requester.organisation.industry in request.target.organisation.buys
        for request in full.requests
        if request.target is not None
    )
    assert bought / len(pairs) > 0.8


@pytest.mark.parametrize("seed", range(4))
def test_nearly_everything_accepted_can_be_placed(seed: int) -> None:
    demo = generate(seed)
    promised = Counter(
        participant for request in demo.accepted for participant in (request.requester, request.target) if participant
    )
    assert (
        sum(max(0, count - min(MOST_ENCOUNTERS, participant.free_slots)) for participant, count in promised.items())
        <= 4
    )
    assert max(Counter(request.requester.key for request in demo.requests).values()) <= 20


def test_popularity_has_a_heavy_tail(full: DemoEdition) -> None:
    asked = sorted(Counter(request.target.key for request in full.requests if request.target).values(), reverse=True)
    assert asked[0] >= 4 * asked[len(asked) // 2]


def test_an_answer_comes_after_its_request(full: DemoEdition) -> None:
    asked: set[str] = set()
    answered = 0
    for step in full.steps:
        if step.is_answer:
            assert step.request.key in asked
            answered += 1
        asked.add(step.request.key)
    assert asked == {request.key for request in full.requests}
    assert answered == sum(request.outcome is not RequestOutcome.UNANSWERED for request in full.requests)


def test_absences_and_sessions_reduce_the_free_slots(full: DemoEdition) -> None:
    assert max(participant.free_slots for participant in full.participants) == 28
    for participant in full.participants:
        for starts, ends in participant.available:
            assert datetime.fromisoformat(starts) < datetime.fromisoformat(ends)
            assert participant.free_slots < 28
