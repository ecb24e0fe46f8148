"""An edition of matching at work, for all tests of matching."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pytest

from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.scoring.configuration import CONFIGURATIONS, AffinityConfiguration
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from shared.contract.events import AffinityScored, Consent, Event

#: The configurations that come with the service, over the scorer that needs no model.
WITHOUT_MODEL: Mapping[str, AffinityConfiguration] = {
    version: one.model_copy(update={"scorer": NgramScorer().version}) for version, one in CONFIGURATIONS.items()
}
WELDING = ("Soldadura robotizada de estructuras de aluminio",)
SENSORS = ("Sensores inalámbricos para el riego de viñedos",)
PRESSES = ("Prensas hidráulicas de segunda mano",)


def matchmaker() -> Matchmaker:
    """A matchmaker that knows every version and needs no model."""
    return Matchmaker([NgramScorer()], WITHOUT_MODEL)


class Edition:
    """An edition at work: decides on events, and keeps state and changes."""

    def __init__(self) -> None:
        self.state = MatchingState(edition_id="ed1")
        self.changes: list[Change] = []
        self.maker = matchmaker()

    def decide(self, *events: Event) -> list[AffinityScored]:
        changes, said = self.maker.decide(self.state, events)
        self.changes += changes
        return said

    def consents(self) -> dict[tuple[str, str], Consent]:
        return {said.participant_ids: said.consent for said in self.state.published.values()}

    def granted(self) -> set[tuple[str, str]]:
        return {pair for pair, consent in self.consents().items() if consent is Consent.GRANTED}


@pytest.fixture
def edition() -> Edition:
    return Edition()


def registered(scene: Any, **rules: Any) -> Sequence[Event]:
    """Return an edition in which `ann` needs the offer of `bob` and, less so, of `cid`; `dan` is a colleague of `bob`.

    The offer of `eve` answers no need.
    """
    return (
        scene.edition(**rules),
        *(scene.organisation(f"org_{name}") for name in ("ann", "bob", "cid", "eve")),
        scene.participant("ann", needs=WELDING),
        scene.participant("bob", offers=WELDING),
        scene.participant("cid", offers=("Soldadura de tuberías de acero",)),
        scene.participant("dan", needs=WELDING, organisation_id="org_bob"),
        scene.participant("eve", offers=PRESSES),
    )
