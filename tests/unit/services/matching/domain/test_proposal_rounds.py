from __future__ import annotations

from collections import Counter
from itertools import combinations
from random import Random
from typing import Any

import numpy as np
import pytest
from scipy.optimize import linprog  # type: ignore[import-untyped]
from scipy.sparse import csr_array  # type: ignore[import-untyped]

from services.matching.domain.proposal_rounds import Edge, b_matching, dual_prices
from shared.contract.events import Consent
from tests.support.matching_editions import WELDING, Edition, registered


def everybody_seeks_and_offers(scene: Any, names: str, **rules: Any) -> list[Any]:
    return [
        scene.edition(**rules),
        *(scene.organisation(f"org_{name}") for name in names),
        *(scene.participant(name, needs=WELDING, offers=WELDING) for name in names),
    ]


def filling(round_: int, encounters: int) -> dict[str, int]:
    return {"round": round_, "encounters": encounters}


@pytest.mark.parametrize(
    ("policy", "consent"),
    [("mutual", Consent.PENDING), ("requester", Consent.PENDING), ("organiser", Consent.GRANTED)],
)
def test_a_round_gives_every_participant_the_wanted_encounters(
    edition: Edition, scene: Any, policy: str, consent: Consent
) -> None:
    edition.decide(*everybody_seeks_and_offers(scene, "abcdef", consent_policy=policy))
    said = edition.decide(scene.edition(revision=2, consent_policy=policy, filling=filling(1, 2)))
    assert Counter(one for pair in said for one in pair.participant_ids) == dict.fromkeys("abcdef", 2)
    assert {one.consent for one in said} == {consent}
    assert {one.request_ids for one in said} == {()}
    again = scene.edition(revision=3, consent_policy=policy, filling=filling(1, 2), name="Another")
    assert edition.decide(again) == []
    assert edition.decide(scene.edition(revision=4, consent_policy=policy, filling=filling(2, 2))) == []


def test_a_round_counts_standing_pairs_and_leaves_out_refused_pairs(edition: Edition, scene: Any) -> None:
    edition.decide(*everybody_seeks_and_offers(scene, "abc"), scene.request("r1", "a", "b", state="accepted"))
    edition.decide(scene.request("r2", "a", "c", state="declined"))
    said = edition.decide(scene.edition(revision=2, filling=filling(1, 1)))
    assert said == []
    said = edition.decide(scene.edition(revision=3, filling=filling(2, 2)))
    assert [one.participant_ids for one in said] == [("b", "c")]


def test_a_round_respects_least_affinity_and_common_ground(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, least_affinity=0.5))
    edition.decide(scene.edition(revision=2, least_affinity=0.5, filling=filling(1, 3)))
    assert set(edition.consents()) == {("ann", "bob")}


def test_a_request_for_a_partner_of_a_round_is_one_yes(edition: Edition, scene: Any) -> None:
    edition.decide(*everybody_seeks_and_offers(scene, "ab"), scene.edition(revision=2, filling=filling(1, 1)))
    edition.decide(scene.request("r1", "a", "b"))
    assert edition.consents() == {("a", "b"): Consent.PENDING}
    edition.decide(scene.request("r1", "a", "b", revision=2, state="accepted"))
    assert edition.consents() == {("a", "b"): Consent.GRANTED}


def test_a_declined_pair_of_a_round_is_refused(edition: Edition, scene: Any) -> None:
    organiser = {"consent_policy": "organiser"}
    edition.decide(*everybody_seeks_and_offers(scene, "ab", **organiser))
    edition.decide(scene.edition(revision=2, filling=filling(1, 1), **organiser))
    edition.decide(scene.participant("b", needs=WELDING, offers=WELDING, declined_ids=("a",), revision=2))
    assert edition.consents() == {("a", "b"): Consent.REFUSED}
    assert edition.decide(scene.edition(revision=3, filling=filling(2, 1), **organiser)) == []


def test_the_least_served_come_first() -> None:
    edges: list[Edge] = [(0.9, "hub", "rich"), (0.3, "hub", "poor")]
    room = {"hub": 1, "rich": 1, "poor": 1}
    assert b_matching(edges, room, {"hub": 0, "rich": 0, "poor": 0}) == [("hub", "rich")]
    assert b_matching(edges, room, {"hub": 3, "rich": 3, "poor": 0}) == [("hub", "poor")]


def like_affinities(random: Random, count: int) -> list[Edge]:
    """Draw scores as in an edition: matching fields, participants of different quality, and noise."""
    fields = [random.randrange(25) for _ in range(count)]
    quality = [random.betavariate(5, 2) for _ in range(count)]
    fit = {(one, other): random.random() ** 4 for one in range(25) for other in range(25)}
    edges = []
    for one, other in combinations(range(count), 2):
        score = (
            0.7 * max(fit[fields[one], fields[other]], fit[fields[other], fields[one]]) * quality[one] * quality[other]
        )
        score += random.uniform(0, 0.15)
        if score > 0.25:
            edges.append((round(score, 4), f"p{one:03}", f"p{other:03}"))
    return edges


def best_possible(edges: list[Edge], room: dict[str, int]) -> float:
    """The linear programme's optimum: no b-matching weighs more."""
    lines = {one: line for line, one in enumerate(room)}
    ends = [(lines[side], column) for column, edge in enumerate(edges) for side in edge[1:]]
    rows, columns = zip(*ends, strict=True)
    degrees = csr_array((np.ones(len(ends)), (rows, columns)), shape=(len(room), len(edges)))
    weights = [-edge[0] for edge in edges]
    return -float(linprog(weights, A_ub=degrees, b_ub=list(room.values()), bounds=(0, 1), method="highs").fun)


@pytest.mark.parametrize("seed", range(3))
def test_b_matching_is_within_1_2_percent_of_its_upper_bound(seed: int) -> None:
    random = Random(seed)  # noqa: S311 - an example, not a secret
    edges = like_affinities(random, 200)
    room = {f"p{one:03}": random.randint(2, 8) for one in range(200)}
    chosen = b_matching(edges, room)
    weight = {edge[1:]: edge[0] for edge in edges}
    degrees = Counter(one for pair in chosen for one in pair)
    assert all(degrees[one] <= room[one] for one in room)
    assert len(set(chosen)) == len(chosen)
    assert sum(weight[pair] for pair in chosen) >= 0.988 * best_possible(edges, room)


def test_only_popular_participants_have_a_price() -> None:
    edges: list[Edge] = [(0.9, "hub", "one"), (0.8, "hub", "two"), (0.2, "one", "two")]
    price = dual_prices(edges, {"hub": 1, "one": 2, "two": 2})
    assert price["hub"] == pytest.approx(0.8, abs=0.1)
    assert price["one"] == price["two"] == 0


def test_no_edges_give_an_empty_matching() -> None:
    assert b_matching([], {"ann": 3}) == []
    assert b_matching([], {}) == []


@pytest.mark.parametrize("most", [1, 3, 7, 1000])
def test_a_round_of_few_pairs_is_the_begin_of_a_round_of_many(most: int) -> None:
    random = Random(most)  # noqa: S311 - draws a test case
    names = [f"p{number}" for number in range(12)]
    edges = [(random.random(), one, other) for one, other in combinations(names, 2)]
    room = {name: random.randint(1, 4) for name in names}
    assert b_matching(edges, room, most_pairs=most) == b_matching(edges, room)[:most]
