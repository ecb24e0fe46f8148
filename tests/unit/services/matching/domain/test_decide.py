from __future__ import annotations

from typing import Any

import pytest

from services.matching.domain.decide import Matchmaker
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from shared.contract.events import Consent, Origin
from shared.contract.events.registration import NEWEST_AFFINITY_VERSION
from tests.support.matching_editions import SENSORS, WELDING, WITHOUT_MODEL, Edition, matchmaker, registered
from tests.support.matching_texts import loaded_from


def test_a_requested_pair_is_scored_with_its_reasons(edition: Edition, scene: Any) -> None:
    (said,) = edition.decide(*registered(scene), scene.request("r1", "bob", "ann", priority=3))
    assert said.participant_ids == ("ann", "bob")
    assert said.request_ids == ("r1",)
    assert (said.revision, said.priority, said.origin) == (1, 3, Origin.REQUESTED)
    assert said.consent is Consent.PENDING
    assert [reason.code for reason in said.reasons] == ["text_need_offer", "common_language"]
    assert [(one.participant_id, one.need, one.offer, one.fit) for one in said.reasons[0].met] == [("ann", 0, 0, 1.0)]
    assert said.score == pytest.approx(0.7 * 0.7 + 0.05)


def test_country_and_kind_of_organisation_add_to_the_score(edition: Edition, scene: Any) -> None:
    (said,) = edition.decide(
        scene.edition(),
        scene.organisation("org_ann", codes=("nace:25.62",)),
        scene.organisation("org_bob", kind="research_group", country="MX"),
        scene.participant("ann", languages=("es", "en")),
        scene.participant("bob", languages=("en",), codes=("nace:25.61", "ket:robotics")),
        scene.request("r1", "ann", "bob"),
    )
    details = {reason.code: reason.detail for reason in said.reasons}
    assert details == {
        "shared_codes": "nace:25.6",
        "helix_complement": "research_group, sme",
        "cross_border": "ES, MX",
        "common_language": "en",
    }


def test_a_pair_waits_until_all_its_parts_are_known(edition: Edition, scene: Any) -> None:
    assert edition.decide(scene.request("r1", "ann", "bob")) == []
    assert edition.decide(scene.participant("ann"), scene.participant("bob"), scene.organisation("org_ann")) == []
    assert edition.decide(scene.edition()) == []
    assert len(edition.decide(scene.organisation("org_bob"))) == 1


def test_an_old_revision_publishes_nothing(edition: Edition, scene: Any) -> None:
    events = (*registered(scene), scene.request("r1", "ann", "bob", revision=2, state="accepted"))
    edition.decide(*events)
    assert edition.decide(*events) == []
    assert edition.decide(scene.request("r1", "ann", "bob", revision=1)) == []
    assert edition.decide(scene.participant("ann", needs=WELDING, revision=2, email="new@example.org")) == []
    assert edition.granted() == {("ann", "bob")}


def test_requests_both_ways_are_one_pair(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r2", "ann", "bob", priority=1))
    (said,) = edition.decide(scene.request("r1", "bob", "ann", priority=3))
    assert (said.request_ids, said.priority, said.revision) == (("r1", "r2"), 3, 2)
    assert said.consent is Consent.GRANTED
    (said,) = edition.decide(scene.request("r1", "bob", "ann", priority=3, revision=2, state="withdrawn"))
    assert (said.request_ids, said.priority, said.consent) == (("r2",), 1, Consent.PENDING)


def test_a_changed_profile_is_scored_again(edition: Edition, scene: Any) -> None:
    (before,) = edition.decide(*registered(scene), scene.request("r1", "ann", "bob"))
    (after,) = edition.decide(scene.participant("bob", offers=SENSORS, revision=2))
    assert after.revision == before.revision + 1
    assert after.score < before.score


@pytest.mark.parametrize("what", ["participant", "organisation"])
def test_a_cancelled_participant_loses_every_pair(edition: Edition, scene: Any, what: str) -> None:
    edition.decide(
        *registered(scene, consent_policy="requester"),
        scene.request("r1", "ann", "bob"),
        scene.request("r2", "cid", "bob"),
        scene.request("r3", "ann", "cid"),
    )
    if what == "participant":
        edition.decide(scene.participant("bob", revision=2, status="cancelled"))
    else:
        edition.decide(scene.organisation("org_bob", revision=2, status="cancelled"))
    assert edition.granted() == {("ann", "cid")}


def test_a_new_consent_policy_updates_all_consents(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann", "bob"))
    (said,) = edition.decide(scene.edition(revision=2, consent_policy="requester"))
    assert said.consent is Consent.GRANTED
    assert edition.decide(scene.edition(revision=3, consent_policy="requester", phase="published")) == []


def test_an_open_request_gets_the_best_strangers_with_common_ground(edition: Edition, scene: Any) -> None:
    said = edition.decide(*registered(scene), scene.request("r1", "ann", partners_wanted=5))
    assert {one.participant_ids for one in said} == {("ann", "bob"), ("ann", "cid")}
    assert {one.origin for one in said} == {Origin.PROPOSED}
    assert edition.state.proposals["r1"] == ("bob", "cid")


def test_proposals_stay_above_the_least_affinity(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, least_affinity=0.5), scene.request("r1", "ann", partners_wanted=5))
    assert edition.state.proposals["r1"] == ("bob",)


def test_asked_and_declining_partners_are_not_proposed(edition: Edition, scene: Any) -> None:
    edition.decide(
        *registered(scene),
        scene.request("r1", "ann", "bob"),
        scene.request("r2", "cid", "ann", state="declined"),
        scene.request("r3", "ann", partners_wanted=5),
    )
    assert edition.state.proposals.get("r3", ()) == ()


def test_an_accepted_proposal_counts_towards_partners_wanted(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    (said,) = edition.decide(scene.request("r2", "bob", "ann"))
    assert said.consent is Consent.GRANTED
    assert said.request_ids == ("r1", "r2")
    assert edition.state.proposals["r1"] == ("bob",)


@pytest.mark.parametrize(
    ("policy", "consent"), [("mutual", "pending"), ("requester", "granted"), ("organiser", "granted")]
)
def test_a_proposal_has_its_requesters_yes(edition: Edition, scene: Any, policy: str, consent: str) -> None:
    (said,) = edition.decide(*registered(scene, consent_policy=policy), scene.request("r1", "ann"))
    assert said.consent == consent


def test_withdrawing_an_open_request_withdraws_its_proposals(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    (said,) = edition.decide(scene.request("r1", "ann", revision=2, state="withdrawn"))
    assert (said.consent, said.request_ids) == (Consent.REFUSED, ("r1",))


def test_a_requester_who_cancels_has_no_proposals(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    edition.decide(scene.participant("ann", needs=WELDING, revision=2, status="cancelled"))
    assert edition.state.proposals["r1"] == ()
    assert edition.consents() == {("ann", "bob"): Consent.REFUSED}


@pytest.mark.parametrize(("phase", "partner"), [("open", "zoe"), ("published", "cid"), ("live", "cid")])
def test_a_better_newcomer_displaces_a_proposal_only_while_open(
    edition: Edition, scene: Any, phase: str, partner: str
) -> None:
    newcomer = (scene.organisation("org_zoe"), scene.participant("zoe", offers=WELDING))
    gone = scene.participant("bob", status="cancelled")
    edition.decide(gone, *registered(scene, phase=phase), scene.request("r1", "ann"))
    assert edition.state.proposals["r1"] == ("cid",)
    edition.decide(*newcomer)
    assert edition.state.proposals["r1"] == (partner,)


def test_a_newcomer_fills_a_gap(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, phase="live"), scene.request("r1", "ann", partners_wanted=3))
    edition.decide(scene.organisation("org_zoe"), scene.participant("zoe", offers=WELDING))
    assert edition.state.proposals["r1"] == ("bob", "zoe", "cid")


def test_a_participant_of_an_unknown_organisation_waits(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    edition.decide(scene.participant("bob", offers=WELDING, revision=2, organisation_id="org_new"))
    assert edition.state.proposals["r1"] == ("cid",)
    edition.decide(scene.organisation("org_new"))
    assert edition.state.proposals["r1"] == ("bob",)


def test_a_retargeted_request_leaves_its_first_pair(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    edition.decide(scene.request("r1", "ann", "eve", revision=2))
    assert edition.consents() == {("ann", "bob"): Consent.REFUSED, ("ann", "eve"): Consent.PENDING}


def test_no_events_change_nothing(edition: Edition) -> None:
    assert edition.decide() == []


def test_a_pool_is_made_again_for_a_state_that_was_loaded_again(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene))
    edition.state = loaded_from(edition.state)
    (said,) = edition.decide(scene.request("r1", "ann"))
    assert said.participant_ids == ("ann", "bob")


def test_no_personal_data_is_kept_or_said(edition: Edition, scene: Any) -> None:
    secretive = scene.participant("bob", offers=("Soldadura, llame al 600123123",), name="Bob Secreto", revision=2)
    asking = scene.participant("ann", needs=("Soldadura, llame al 600123123",), revision=2)
    (said,) = edition.decide(*registered(scene), secretive, asking, scene.request("r1", "ann", "bob"))
    assert "600123123" not in said.model_dump_json()
    assert "Secreto" not in edition.state.model_dump_json()
    assert "example.org" not in edition.state.model_dump_json()


def test_a_request_withdrawn_before_its_pair_is_complete_publishes_nothing(edition: Edition, scene: Any) -> None:
    edition.decide(scene.request("r1", "ann", "bob"), scene.request("r1", "ann", "eve", revision=2))
    edition.decide(*registered(scene))
    assert set(edition.consents()) == {("ann", "eve")}


def test_threads_decide_on_many_editions_at_once(scene: Any) -> None:
    maker = matchmaker()
    states = [MatchingState(edition_id=f"ed{number}") for number in range(80)]
    for state in states:
        maker.decide(state, registered(scene))
    for state in states:
        maker.decide(state, [scene.request("r1", "ann")])
        assert state.proposals == {"r1": ("bob",)}


def test_an_affinity_has_the_time_of_its_event(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene))
    late, early = (scene.occurred(minutes) for minutes in (9, 3))
    (asked,) = edition.decide(scene.request("r1", "ann", "bob", occurred_at=late))
    (again,) = edition.decide(scene.request("r2", "bob", "ann", occurred_at=early))
    assert (asked.occurred_at, again.occurred_at) == (late, late)


def test_an_edition_of_a_missing_version_is_scored_by_the_newest(edition: Edition, scene: Any) -> None:
    (affinity,) = edition.decide(*registered(scene, affinity_version="99"), scene.request("r1", "ann", "bob"))
    assert affinity.configuration == NEWEST_AFFINITY_VERSION
    assert edition.maker.missing_version(edition.state) == "99"


def test_without_the_scorer_of_the_newest_version_an_older_version_scores(edition: Edition, scene: Any) -> None:
    edition.maker = Matchmaker([NgramScorer()])
    (affinity,) = edition.decide(*registered(scene, affinity_version="2"), scene.request("r1", "ann", "bob"))
    assert affinity.configuration == "1"
    assert edition.maker.versions == ["1"]


def test_a_version_installed_later_scores_each_pair_at_its_next_change(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, affinity_version="99"), scene.request("r1", "ann", "bob"))
    later = WITHOUT_MODEL["2"].model_copy(update={"version": "99"})
    edition.maker = Matchmaker([NgramScorer()], {**WITHOUT_MODEL, "99": later})
    (affinity,) = edition.decide(scene.edition(revision=2, affinity_version="99", least_affinity=0.01))
    assert affinity.configuration == "99"
    assert edition.maker.missing_version(edition.state) is None


def test_a_new_affinity_version_scores_every_pair_again(edition: Edition, scene: Any) -> None:
    (before,) = edition.decide(*registered(scene), scene.request("r1", "ann", "bob"))
    (after,) = edition.decide(scene.edition(revision=2, affinity_version="2"))
    assert (before.configuration, after.configuration) == ("1", "2")
    assert after.score == pytest.approx(0.7 * 0.66 + 0.05)
    (back,) = edition.decide(scene.edition(revision=3, affinity_version="1"))
    assert (back.score, back.reasons) == (before.score, before.reasons)


def test_a_profile_without_texts_is_matched_by_codes(edition: Edition, scene: Any) -> None:
    robots = scene.participant("bob", codes=("ket:robotics",), offers=("🔩",))
    edition.decide(
        *registered(scene, affinity_version="2"), scene.participant("eve", codes=("ket:robotics",), revision=2)
    )
    edition.decide(robots.model_copy(update={"revision": 2}))
    (said,) = edition.decide(scene.request("r1", "eve"))
    assert said.participant_ids == ("bob", "eve")
    assert said.low_confidence == ("bob", "eve")
    assert [reason.detail for reason in said.reasons if reason.code == "kets"] == ["ket:robotics"]


@pytest.mark.parametrize("who", ["ann", "bob"])
@pytest.mark.parametrize("what", ["participant", "organisation"])
def test_a_blocked_person_is_out_of_sight_both_ways(edition: Edition, scene: Any, who: str, what: str) -> None:
    edition.decide(*registered(scene, consent_policy="requester"), scene.request("r1", "ann"))
    edition.decide(scene.request("r2", "bob", "ann"))
    assert edition.granted() == {("ann", "bob")}
    other = {"ann": "bob", "bob": "ann"}[who]
    texts = {"needs": WELDING} if who == "ann" else {"offers": WELDING}
    blocked = (other,) if what == "participant" else (f"org_{other}",)
    edition.decide(scene.participant(who, **texts, blocked_ids=blocked, revision=2))
    assert edition.granted() == {("ann", "cid")}
    assert edition.consents()[("ann", "bob")] is Consent.REFUSED


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_a_declined_proposal_is_not_repeated(edition: Edition, scene: Any, who: str) -> None:
    edition.decide(*registered(scene), scene.request("r1", "ann"))
    texts = {"needs": WELDING} if who == "ann" else {"offers": WELDING}
    other = {"ann": "bob", "bob": "ann"}[who]
    edition.decide(scene.participant(who, **texts, declined_ids=(other,), revision=2))
    assert edition.state.proposals["r1"] == ("cid",)
    assert edition.consents()[("ann", "bob")] is Consent.REFUSED


@pytest.mark.parametrize("who", ["ann", "bob"])
def test_competitors_are_not_proposed_but_may_request(edition: Edition, scene: Any, who: str) -> None:
    other = {"ann": "bob", "bob": "ann"}[who]
    edition.decide(*registered(scene), scene.organisation(f"org_{who}", competitor_ids=(f"org_{other}",), revision=2))
    edition.decide(scene.request("r1", "ann"))
    assert edition.state.proposals["r1"] == ("cid",)
    (said,) = edition.decide(scene.request("r2", "ann", "bob"))
    assert said.consent is Consent.PENDING


@pytest.mark.parametrize(("outcome", "left"), [(False, 0.5), (True, 1.0)])
@pytest.mark.parametrize("who", ["ann", "bob"])
def test_an_earlier_encounter_without_outcome_lowers_the_score(
    edition: Edition, scene: Any, who: str, outcome: bool, left: float
) -> None:
    (before,) = edition.decide(*registered(scene, affinity_version="2"), scene.request("r1", "ann", "bob"))
    other = {"ann": "bob", "bob": "ann"}[who]
    earlier = ({"organisation_id": f"org_{other}", "outcome": outcome},)
    edition.decide(scene.organisation(f"org_{who}", met_before=earlier, revision=2))
    (after,) = edition.state.published.values()
    assert after.score == pytest.approx(before.score * left, abs=0.0005)
    assert ("met_before" in {reason.code for reason in after.reasons}) == (left < 1)


def test_terms_are_named_with_what_is_behind_them(edition: Edition, scene: Any) -> None:
    (said,) = edition.decide(
        scene.edition(affinity_version="2"),
        scene.organisation("org_ann", codes=("nace:25.62", "coop:purchase", "s3:agrifood")),
        scene.organisation("org_bob", kind="research_group", country="MX", delegation="Mexico"),
        scene.participant("ann", languages=("es", "en"), codes=("ket:robotics", "unheard:of")),
        scene.participant("bob", languages=("en",), codes=("nace:25.61", "ket:robotics", "coop:sale", "s3:agrifood")),
        scene.request("r1", "ann", "bob"),
    )
    assert {reason.code: (reason.detail, reason.weight) for reason in said.reasons} == {
        "sector": ("nace:25.62, nace:25.61", 0.0375),
        "kets": ("ket:robotics", 0.05),
        "s3": ("s3:agrifood", 0.04),
        "cooperation": ("coop:purchase", 0.05),
        "helix_complement": ("research_group, sme", 0.05),
        "cross_border": ("ES, MX", 0.03),
        "delegation": ("MX", 0.02),
        "common_language": ("en", 0.05),
    }


def test_no_participant_is_in_more_lists_than_possible_encounters(edition: Edition, scene: Any) -> None:
    edition.decide(*registered(scene, quotas={"max_encounters": 1}), scene.request("r1", "ann"))
    edition.decide(scene.organisation("org_flo"), scene.participant("flo", needs=WELDING), scene.request("r2", "flo"))
    assert edition.state.proposals == {"r1": ("bob",), "r2": ("cid",)}
    edition.decide(scene.request("r1", "ann", revision=2, state="withdrawn"))
    assert edition.state.proposals == {"r1": (), "r2": ("bob",)}
