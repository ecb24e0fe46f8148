"""The past of a pair, from matching's journal: its requests, and its published scores and consents."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from services.matching.domain.changes import Change, PairScored, RequestRecorded
from shared.contract.ids import pair_id
from shared.storage.history import PastEntry, Step, step_in

_SERVICE = "matching"


def steps_of(edition_id: str, pair: tuple[str, str], entries: Sequence[PastEntry[Change]]) -> Iterator[Step]:
    """List the steps of a pair: its requests with their answers, and its published affinities, oldest first."""
    identity = pair_id(edition_id, *pair)
    request_ids = {
        request_id
        for entry in entries
        for change in entry.changes
        if isinstance(change, PairScored) and change.affinity.pair_id == identity
        for request_id in change.affinity.request_ids
    }
    for entry in entries:
        for change in entry.changes:
            match change:
                case RequestRecorded(request_id=request_id) if request_id in request_ids:
                    author = f"by {change.actor}" if change.actor else ""
                    yield step_in(entry, _SERVICE, _request_text(change), author)
                case PairScored(affinity=affinity) if affinity.pair_id == identity:
                    text = f"scored {affinity.score:.4f}, {affinity.origin}, consent {affinity.consent}"
                    yield step_in(entry, _SERVICE, text)


def _request_text(change: RequestRecorded) -> str:
    request = change.request
    target = f"asks for {request.target_id}" if request.target_id else "asks for partners"
    return f"{change.request_id}: {request.requester_id} {target}: {request.state}"
