from __future__ import annotations

from typing import Any

from services.matching.domain.decide import Matchmaker
from services.matching.domain.scoring.configuration import CONFIGURATIONS
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from tests.support.matching_editions import registered


def test_the_newest_version_says_which_need_is_answered(scene: Any) -> None:
    third = CONFIGURATIONS["3"].model_copy(update={"scorer": "ngrams-1"})
    maker, state = Matchmaker([NgramScorer()], {"3": third}), MatchingState(edition_id=scene.edition().edition_id)
    _, (affinity,) = maker.decide(
        state,
        [
            *registered(scene, affinity_version="3"),
            scene.participant("ann", needs=("Busco taller de soldadura", "Riego de viñedos"), revision=2),
            scene.participant("bob", offers=("Soldadura para terceros", "Vendemos viñedos con riego"), revision=2),
            scene.request("r1", "ann", "bob"),
        ],
    )
    (met,) = affinity.reasons[0].met
    assert (met.need, met.offer, met.shown) == (0, 0, True)
