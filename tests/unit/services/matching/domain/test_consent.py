from __future__ import annotations

from itertools import product

import pytest

from services.matching.domain.consent import ConsentSide, consent_of
from shared.contract.events import Consent, ConsentPolicy

NOTHING = ConsentSide()
ASKS = ConsentSide(asked=True)
ACCEPTS = ConsentSide(accepted=True)
DECLINES = ConsentSide(declined=True)
SEEKS = ConsentSide(seeking=True)
SEEKS_THIS_ONE = ConsentSide(seeking=True, offered=True)
GONE = ConsentSide(active=False, asked=True)
MUTUAL, REQUESTER, ORGANISER = ConsentPolicy.MUTUAL, ConsentPolicy.REQUESTER, ConsentPolicy.ORGANISER
G, P, R = Consent.GRANTED, Consent.PENDING, Consent.REFUSED


@pytest.mark.parametrize(
    ("one", "other", "mutual", "requester", "organiser"),
    [
        pytest.param(NOTHING, NOTHING, R, R, R, id="all withdrawn or expired"),
        pytest.param(ASKS, NOTHING, P, G, G, id="asked"),
        pytest.param(ASKS, ASKS, G, G, G, id="both asked"),
        pytest.param(ASKS, ACCEPTS, G, G, G, id="accepted"),
        pytest.param(NOTHING, DECLINES, R, R, R, id="declined"),
        pytest.param(ASKS, DECLINES, P, R, R, id="asked again after a no"),
        pytest.param(ASKS, ConsentSide(accepted=True, declined=True), G, G, G, id="accepted the second time"),
        pytest.param(NOTHING, ConsentSide(declined=True, asked=True), P, G, G, id="whoever declined asks later"),
        pytest.param(ASKS, ConsentSide(declined=True, asked=True), G, G, G, id="a later yes undoes the no"),
        pytest.param(DECLINES, DECLINES, R, R, R, id="both declined"),
        pytest.param(SEEKS_THIS_ONE, NOTHING, P, G, G, id="proposed"),
        pytest.param(SEEKS_THIS_ONE, ASKS, G, G, G, id="the one proposed asks"),
        pytest.param(SEEKS_THIS_ONE, SEEKS, G, G, G, id="both seek, one is proposed to the other"),
        pytest.param(SEEKS_THIS_ONE, DECLINES, P, R, R, id="proposed to one who declined"),
        pytest.param(SEEKS, NOTHING, R, R, R, id="seeks, and got another"),
        pytest.param(SEEKS, ASKS, G, G, G, id="whoever seeks is asked"),
        pytest.param(ConsentSide(seeking=True, declined=True), ASKS, P, R, R, id="seeks, but has declined this one"),
        pytest.param(GONE, ACCEPTS, R, R, R, id="requester cancelled"),
        pytest.param(ASKS, ConsentSide(active=False, accepted=True), R, R, R, id="target cancelled"),
        pytest.param(
            ConsentSide(asked=True, is_colleague=True),
            ConsentSide(accepted=True, is_colleague=True),
            R,
            R,
            R,
            id="one moved to the organisation of the partner",
        ),
    ],
)
def test_table(one: ConsentSide, other: ConsentSide, mutual: Consent, requester: Consent, organiser: Consent) -> None:
    assert consent_of(MUTUAL, one, other) is mutual
    assert consent_of(REQUESTER, one, other) is requester
    assert consent_of(ORGANISER, one, other) is organiser


SIDES = [ConsentSide(*flags) for flags in product((True, False), repeat=6)]


@pytest.mark.parametrize("policy", ConsentPolicy)
def test_consent_of_every_combination_of_declarations(policy: ConsentPolicy) -> None:
    for one, other in product(SIDES, SIDES):
        consent = consent_of(policy, one, other)
        assert consent is consent_of(policy, other, one)
        willing = [side.asked or side.accepted or (side.seeking and not side.declined) for side in (one, other)]
        if not (one.active and other.active):
            assert consent is R
        elif policy is MUTUAL:
            assert consent is not G or all(willing)
            assert consent is G or not (one.asked and (other.asked or other.accepted))
        else:
            assert consent is not P
            assert consent is not G or one.asked or other.asked or one.offered or other.offered
