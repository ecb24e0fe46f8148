"""Matching's part in `tertulia journal strip`: needs and offers of old entries move into `people`."""

from __future__ import annotations

from services.matching.aggregate import MatchingAggregate
from services.matching.domain.changes import Change
from services.matching.domain.decide import Matchmaker
from services.matching.domain.state import MatchingState
from services.matching.domain.text.ngrams import NgramScorer
from services.matching.texts import ProfileTexts
from shared.storage.mongo import MongoDatabase
from shared.storage.strip import Stripper


async def strip(database: MongoDatabase, edition_id: str, *, dry_run: bool = False) -> dict[str, int]:
    """Rewrite the journal of an edition, and return the numbers of rewritten documents by collection."""
    aggregate = MatchingAggregate(Matchmaker([NgramScorer()]))
    stripper = Stripper[MatchingState, Change](database, aggregate, ProfileTexts(), _as_is)
    plan = await stripper.plan(edition_id)
    if not dry_run:
        await stripper.write(plan)
    return plan.counts()


def _as_is(_: MatchingState, change: Change) -> Change:
    return change
