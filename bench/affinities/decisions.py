"""Time of decisions: an edition of ten thousand, a newcomer, open requests, requested pairs."""

from __future__ import annotations

import time
from collections.abc import Callable
from datetime import UTC, datetime
from random import Random
from statistics import quantiles

from bench.affinities import Row, Table
from services.matching.domain.decide import Matchmaker
from services.matching.domain.scoring.configuration import CONFIGURATIONS
from services.matching.domain.scoring.pool import Pool
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from shared.contract.events import (
    EditionChanged,
    Event,
    Language,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    Phase,
    Profile,
    RequestState,
)

_PARTICIPANTS = 10_000
_PAIRS = 200
_WORDS = """
    soldadura aluminio mecanizado sensores riego robótica visión artificial envases biodegradables software predictivo
    corrosión fundición acero aeronáutica automoción energía solar baterías hidrógeno impresión aditiva polvo
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
_WHEN = datetime(2018, 11, 22, tzinfo=UTC)


def decisions() -> Table:
    """Measure the service's own work, from an event to the published affinities, with a scorer that costs nothing."""
    random = Random(0)
    state, matchmaker = MatchingState(edition_id="bench"), Matchmaker([NgramScorer()])
    matchmaker.decide(state, _registrations(random))
    pool = Pool(NgramScorer(), CONFIGURATIONS["1"])
    started = time.perf_counter()
    pool.put(state, state.participants)
    loading = time.perf_counter() - started
    one_to_all = _times(lambda at: pool.affinities([f"p{at}"]).scores, 50)
    requests = [_request(at, f"p{at}", f"p{at + _PAIRS}") for at in range(_PAIRS)]
    pairs = _times(lambda _: matchmaker.decide(state, requests), 1)
    open_requests = _times(lambda at: matchmaker.decide(state, [_request(_PAIRS + at, f"p{at}", None)]), 20)
    return [
        {"who": "matchmaker, n-grams", "task": f"pool of {_PARTICIPANTS:,} made", "seconds": round(loading, 2)},
        {"who": "matchmaker, n-grams", "task": f"one against {_PARTICIPANTS:,}", **_milliseconds(one_to_all)},
        {"who": "matchmaker, n-grams", "task": f"open request among {_PARTICIPANTS:,}", **_milliseconds(open_requests)},
        {"who": "matchmaker, n-grams", "task": "requested pairs", "pairs/s": round(_PAIRS / pairs[0])},
    ]


def _times(work: Callable[[int], object], count: int) -> list[float]:
    times = []
    for at in range(count):
        started = time.perf_counter()
        work(at)
        times.append(time.perf_counter() - started)
    return times


def _milliseconds(times: list[float]) -> Row:
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50 ms": round(cuts[49] * 1000, 1), "p99 ms": round(cuts[98] * 1000, 1)}


def _registrations(random: Random) -> list[Event]:
    common = {"operator_id": "bench", "edition_id": "bench", "revision": 1, "occurred_at": _WHEN}
    edition = EditionChanged(**common, name="Bench", timezone="UTC", phase=Phase.OPEN, slots=(), zones=())
    organisations = [
        OrganisationChanged(
            **common,
            organisation_id=f"o{at}",
            name=f"Organisation {at}",
            kind=random.choice(list(OrganisationKind)),
            country=random.choice(("ES", "MX", "PE", "CL", "UY")),
            codes=(f"nace:{random.randint(10, 33)}.{random.randint(10, 99)}",),
        )
        for at in range(_PARTICIPANTS // 2)
    ]
    participants = [
        ParticipantChanged(
            **common,
            participant_id=f"p{at}",
            organisation_id=f"o{at // 2}",
            name=f"Participant {at}",
            email=f"p{at}@example.org",
            languages=(random.choice(list(Language)),),
            profile=Profile(offers=_items(random), needs=_items(random)),
        )
        for at in range(_PARTICIPANTS)
    ]
    return [edition, *organisations, *participants]


def _items(random: Random) -> tuple[str, ...]:
    return tuple(" ".join(random.sample(_WORDS, 7)) for _ in range(2))


def _request(number: int, requester_id: str, target_id: str | None) -> MatchRequestChanged:
    return MatchRequestChanged(
        operator_id="bench",
        edition_id="bench",
        revision=1,
        occurred_at=_WHEN,
        request_id=f"r{number}",
        requester_id=requester_id,
        target_id=target_id,
        partners_wanted=3,
        state=RequestState.REQUESTED,
    )
