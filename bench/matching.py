"""Matching of needs and offers: quality and speed, in any language, compared with known methods."""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from bench.affinities import Table
from bench.affinities.classes import classes
from bench.affinities.decisions import decisions
from bench.affinities.peers import ENGLISH, Peer, Similarities, same_division, same_section, text_peers
from bench.affinities.quality import quality_of, quality_of_tags
from bench.affinities.reasons import Judge, read_reasons, reasons
from bench.affinities.speed import cold_start, finding, reading
from bench.affinities.topics import SubjectArea, has_topics, languages_of, read_topics
from services.matching.domain.scoring.configuration import CONFIGURATIONS, NEWEST, AffinityConfiguration
from services.matching.domain.text.scorer import Role, TextScorer
from services.matching.encoders import QualityMissing, default_scorer, quality_scorer
from services.matching.encoders.cached_scorer import CachedScorer
from services.matching.vocabulary import answer_rule, nace_categories
from shared.contract.reason_sentences import SHOWN_FROM

#: Affinity versions whose shown reasons are measured beside those of the newest.
_BEFORE: Final = ("2", "3")


def run(data: Path | None) -> Table:
    """Quality where `data` has `need_offer*.jsonl` or `reasons_*.jsonl`, and NACE tables in or beside it; speed always.

    Raises `BadTopics` where a file is not as it must be.
    """
    peers, missing = text_peers()
    table: Table = [{"task": "not installed", "who": line} for line in missing]
    if data:
        labelled = read_reasons(data)
        if has_topics(data) or not labelled:
            table += _needs_and_offers(read_topics(data), peers)
        table += reasons(labelled, _judges(), _readers(peers))
        table += classes(data, {name: peer for name, peer in peers.items() if name != ENGLISH})
    return table + _speed()


def _judges() -> dict[str, Judge]:
    """Return our tiers under the newest affinity version, and under versions before: 2 showed a fit from a limit."""
    named = {"": NEWEST} | {f", version {version}": CONFIGURATIONS[version] for version in _BEFORE}
    judges = {f"default tier{name}": _judge(version, default_scorer()) for name, version in named.items()}
    with suppress(QualityMissing):
        judges |= {f"quality tier{name}": _judge(version, quality_scorer()) for name, version in named.items()}
    return judges


def _judge(configuration: AffinityConfiguration, scorer: TextScorer) -> Judge:
    def judge(needs: Sequence[str], offers: Sequence[str]) -> tuple[NDArray[np.bool_], Similarities]:
        read = configuration.read
        cosines = scorer.embed(read(needs), Role.NEED) @ scorer.embed(read(offers), Role.OFFER).T
        rule = answer_rule(configuration.answers)
        if rule is None:
            fits = scorer.fit(cosines).astype(np.float64)
            return fits >= SHOWN_FROM, fits
        certainties = rule.certainties(needs, offers, cosines, scorer.version).astype(np.float64)
        return certainties >= rule.shown_from, certainties

    return judge


def _readers(peers: dict[str, Peer]) -> dict[str, Peer]:
    """Return the peers, and our tiers as peers with a threshold."""
    one = {f"{name}, one threshold": peer for name, peer in peers.items() if name.endswith(" tier")}
    return {name: peer for name, peer in peers.items() if not name.endswith(" tier")} | one


def _needs_and_offers(topics: list[SubjectArea], peers: dict[str, Peer]) -> Table:
    task = f"{len(topics)} needs, {'/'.join(languages_of(topics))} mixed"
    table: Table = [{"task": task, "who": name, **quality_of(peer, topics)} for name, peer in peers.items()]
    if all(topic.nace for topic in topics):
        tags = {"section": same_section, "division": same_division}
        table = [
            {"task": task, "who": f"tags, both the right {level}", **quality_of_tags(peer, topics)}
            for level, peer in tags.items()
        ] + table
    return table


def _speed() -> Table:
    texts = [label for category in nace_categories() for label in category.labels.values()]
    table: Table = [{**cold_start("default_scorer"), "who": "default tier"}]
    table.append({**reading(CachedScorer(default_scorer()), texts[:1200]), "who": "default tier"})
    try:
        quality = CachedScorer(quality_scorer())
        table.append({**cold_start("quality_scorer"), "who": "quality tier"})
        table.append({**reading(quality, texts[:120]), "who": "quality tier"})
    except QualityMissing as error:
        table.append({"task": "embed", "who": f"quality tier skipped: {error}"})
    return [*table, *finding(default_scorer(), texts, "default tier"), *decisions()]
