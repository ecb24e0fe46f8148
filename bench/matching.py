"""Matching of needs and offers: quality and speed, in any language, compared with known methods."""

from __future__ import annotations

from pathlib import Path

from bench.affinities import Table
from bench.affinities.classes import classes
from bench.affinities.decisions import decisions
from bench.affinities.peers import Peer, same_division, same_section, text_peers
from bench.affinities.quality import quality_of, quality_of_tags
from bench.affinities.speed import cold_start, finding, reading
from bench.affinities.topics import SubjectArea, languages_of, read_topics
from services.matching.encoders import QualityMissing, default_scorer, quality_scorer
from services.matching.encoders.cached_scorer import CachedScorer
from services.matching.vocabulary import nace_categories


def run(data: Path | None) -> Table:
    """Quality where `data` has `need_offer*.jsonl`, and NACE tables in or beside it; speed always.

    Raises `BadTopics` where a file is not as it must be.
    """
    peers, missing = text_peers()
    table: Table = [{"task": "not installed", "who": line} for line in missing]
    if data:
        table += _needs_and_offers(read_topics(data), peers) + classes(data, peers)
    return table + _speed()


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
