"""The observatory on random editions: its view has no id and no count below five."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from services.matching.domain.snapshots import EncounterSnapshot, OrganisationSnapshot, ParticipantSnapshot
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.observatory.k_anonymity import K, is_publishable
from services.matching.observatory.leiden import communities
from services.matching.observatory.picture import TooFewOrganisations, picture_of, view_of
from shared.contract.events import AffinityScored, EncounterState, Profile
from shared.contract.ids import pair_id
from tests.support.events import EventBuilder
from tests.support.matching_scene import NOW

TEXTS = ("Soldadura robotizada de aluminio", "Sensores de riego", "Prensas de segunda mano", "Harina ecológica")
CODES = st.lists(st.sampled_from(["nace:25.62", "nace:25.11", "nace:10.51", "nace:62.01", "ket:robotics"]), max_size=3)
SAID = st.lists(st.sampled_from(TEXTS), max_size=2).map(tuple)
PARTIES = st.lists(
    st.tuples(st.sampled_from(["ES", "MX", "PE"]), st.sampled_from([None, "CLM"]), CODES, SAID, SAID), max_size=40
)
PAIRS = st.lists(st.tuples(st.integers(0, 39), st.integers(0, 39), st.booleans()), max_size=60)


def state_of(parties: list[Any], pairs: list[tuple[int, int, bool]]) -> MatchingState:
    state = MatchingState(edition_id="ed1")
    for number, (country, region, codes, needs, offers) in enumerate(parties):
        state.organisations[f"org_{number}"] = OrganisationSnapshot(
            revision=1, kind="sme", country=country, codes=tuple(codes), status="active", region=region
        )
        profile = Profile(needs=needs, offers=offers)
        state.participants[f"prt_{number}"] = ParticipantSnapshot(
            revision=1, organisation_id=f"org_{number}", languages=("es",), profile=profile, status="active"
        )
    for one, other, meets in pairs:
        if one != other and max(one, other) < len(parties):
            ends = (min(f"prt_{one}", f"prt_{other}"), max(f"prt_{one}", f"prt_{other}"))
            identity = pair_id("ed1", *ends)
            state.published[identity] = affinity(identity, ends)
            if meets:
                state.encounters[identity] = EncounterSnapshot(revision=1, state=EncounterState.HELD)
    return state


def affinity(identity: str, ends: tuple[str, str]) -> AffinityScored:
    events = EventBuilder("opr", "ed1", NOW)
    return events.affinity(*ends, pair_id=identity, participant_ids=ends, request_ids=(), origin="proposed", score=0.4)


@settings(max_examples=60, deadline=None)
@given(PARTIES, PAIRS)
def test_no_count_below_five_and_no_id_ever_leaves(parties: list[Any], pairs: list[tuple[int, int, bool]]) -> None:
    picture = picture_of(state_of(parties, pairs), NgramScorer(), communities)
    try:
        view = view_of(picture, {})
    except TooFewOrganisations:
        assert len(parties) < K
        return
    shown = view.model_dump(mode="json")
    assert not re.search(r"(org|prt)_\d", view.model_dump_json())
    assert all(count >= K for count in counts(shown))
    for rows in (shown["by_sector"], shown["by_territory"], shown["by_kind"], shown["clusters"]):
        assert sum(row["organisations"] for row in rows) == len(parties)
        for name in ("needs_without_offer", "offers_without_need", "asked", "in_encounters"):
            follows(shown["total"], rows, name)


def counts(value: Any, name: str = "") -> Iterator[int]:
    """Yield every number that is a count, without the numbers of clusters."""
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from counts(inner, key)
    elif isinstance(value, list):
        for inner in value:
            yield from counts(inner, name)
    elif isinstance(value, int) and name not in ("cluster", "clusters"):
        yield value


def follows(total: dict[str, Any], rows: list[dict[str, Any]], name: str) -> None:
    """Assert that the published counts may be published, and also the counts that follow by subtraction."""
    for row in (total, *rows):
        assert row[name] is None or is_publishable(row[name], row["organisations"])
    hidden = [row for row in rows if row[name] is None]
    if hidden and total[name] is not None:
        left = total[name] - sum(row[name] or 0 for row in rows)
        assert is_publishable(left, sum(row["organisations"] for row in hidden))
