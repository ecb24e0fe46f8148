"""Needs against offers, and one participant against ten thousand: how good, how fast."""

from __future__ import annotations

import json
import math
import time
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from statistics import quantiles

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.configuration import CONFIGURATIONS
from services.matching.domain.matchmaking import Matchmaker
from services.matching.domain.ngrams import NgramScorer
from services.matching.domain.pool import Pool
from services.matching.domain.state import MatchingState
from services.matching.domain.text import Role, words_of
from shared.events import (
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

Table = list[dict[str, object]]
Similarities = NDArray[np.float64]

_LANGUAGES = ("es", "en", "pt")
_DRAWS = 200
_PARTICIPANTS = 10_000
_PAIRS = 200
_WORDS = """
    soldadura aluminio mecanizado sensores riego robótica visión artificial envases biodegradables software predictivo
    corrosión fundición acero aeronáutica automoción energía solar baterías hidrógeno impresión aditiva polvo
    """.split()  # noqa: SIM905 -- as a list of quoted words nobody could read it
_WHEN = datetime(2018, 11, 22, tzinfo=UTC)


def run(data: Path | None) -> Table:
    """The rows of the table; accuracy only where `data` holds `matching/need_offer_dev.jsonl`."""
    file = data / "matching" / "need_offer_dev.jsonl" if data else None
    return [*(_accuracy(file) if file and file.exists() else []), *_speed()]


def _accuracy(file: Path) -> Table:
    """Each need among all offers, each text in a language drawn at random, averaged over many draws."""
    topics = [json.loads(line) for line in file.read_text(encoding="utf-8").splitlines()]
    return [
        {"measure": f"{name}, {label}", **_ranks(topics, scorer, languages)}
        for name, scorer in (("n-grams", _ngrams), ("BM25", _bm25))
        for label, languages in (("mixed es/en/pt", _LANGUAGES), *((one, (one,)) for one in _LANGUAGES))
    ]


def _ranks(
    topics: Sequence[dict[str, dict[str, str]]],
    similarities: Callable[[list[str], list[str]], Similarities],
    languages: Sequence[str],
) -> dict[str, object]:
    random, ranks = Random(0), []
    for _ in range(_DRAWS if len(languages) > 1 else 1):
        found = similarities(
            [topic["need"][random.choice(languages)] for topic in topics],
            [topic["offer"][random.choice(languages)] for topic in topics],
        )
        # The middle of a tie: whoever finds nothing in common has drawn lots.
        ranks += [((row > row[at]).sum() + (row >= row[at]).sum() + 1) / 2 for at, row in enumerate(found)]
    every = np.array(ranks)
    return {
        "acc@1": round(float((every == 1).mean()), 3),
        "mrr": round(float((1 / every).mean()), 3),
        "hit@5": round(float((every <= 5).mean()), 3),  # noqa: PLR2004 -- it is in the name
    }


def _ngrams(needs: list[str], offers: list[str]) -> Similarities:
    scorer = NgramScorer()
    return (scorer.embed(needs, Role.NEED) @ scorer.embed(offers, Role.OFFER).T).astype(float)


def _bm25(needs: list[str], offers: list[str]) -> Similarities:
    """Okapi BM25 on whole words, k1 1.2, b 0.75: the peer."""
    documents = [Counter(words_of(offer)) for offer in offers]
    frequency = Counter(word for document in documents for word in document)
    mean_length = sum(sum(document.values()) for document in documents) / len(documents)

    def score(need: str, document: Counter[str]) -> float:
        norm = 1.2 * (0.25 + 0.75 * sum(document.values()) / mean_length)
        return sum(
            math.log(1 + (len(documents) - frequency[word] + 0.5) / (frequency[word] + 0.5))
            * (document[word] * 2.2 / (document[word] + norm))
            for word in words_of(need)
        )

    return np.array([[score(need, document) for document in documents] for need in needs])


def _speed() -> Table:
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
        {"measure": f"pool of {_PARTICIPANTS:,} made", "seconds": round(loading, 2)},
        {"measure": f"one against {_PARTICIPANTS:,}", **_milliseconds(one_to_all)},
        {"measure": f"open request among {_PARTICIPANTS:,}", **_milliseconds(open_requests)},
        {"measure": "requested pairs", "per_second": round(_PAIRS / pairs[0])},
    ]


def _times(work: Callable[[int], object], count: int) -> list[float]:
    times = []
    for at in range(count):
        started = time.perf_counter()
        work(at)
        times.append(time.perf_counter() - started)
    return times


def _milliseconds(times: list[float]) -> dict[str, object]:
    cuts = quantiles(times, n=100, method="inclusive")
    return {"p50_ms": round(cuts[49] * 1000, 1), "p99_ms": round(cuts[98] * 1000, 1)}


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
