from __future__ import annotations

import pytest

from services.matching.observatory.clusters import bridges, defining_codes, participation, renumbered
from services.matching.observatory.graph import OrganisationNode


def party(identity: str, *codes: str) -> OrganisationNode:
    return OrganisationNode(identity, "sme", "ES", None, None, codes, (f"prt_{identity}",))


def test_clusters_are_numbered_by_size_then_by_first_id() -> None:
    assert renumbered({"d": 7, "c": 7, "a": 3, "b": 5, "e": 5}) == {"b": 0, "e": 0, "c": 1, "d": 1, "a": 2}


def test_a_cluster_is_named_by_the_codes_that_set_it_apart() -> None:
    metal = [party(f"m{n}", "nace:25.62", "ket:robotics") for n in range(5)]
    food = [party(f"f{n}", "nace:10.51", "ket:robotics") for n in range(5)]
    assert defining_codes(metal, metal + food, least=5) == ("nace:25.62", "ket:robotics")


def test_a_rare_class_is_named_by_its_division() -> None:
    metal = [party(f"m{n}", f"nace:25.{6 if n % 2 else 9}{n}") for n in range(6)]
    food = [party(f"f{n}", "nace:10.51") for n in range(6)]
    assert defining_codes(metal, metal + food, least=5) == ("nace:25",)
    assert defining_codes(metal, metal + food, least=7) == ()


def test_an_organisation_with_links_to_several_clusters_is_a_bridge() -> None:
    links = {("a", "b"): 1.0, ("a", "x"): 1.0, ("x", "y"): 3.0}
    cluster_of = {"a": 0, "b": 0, "x": 1, "y": 1}
    assert participation(links, cluster_of) == {"a": 0.5, "b": 0.0, "x": pytest.approx(0.375), "y": 0.0}
    assert bridges(links, cluster_of) == {(0, 1): {"a", "x"}}
