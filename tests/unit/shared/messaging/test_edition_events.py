"""The events of an edition that were read from the topics."""

from __future__ import annotations

from datetime import UTC, datetime

from shared.contract.events import Language, ParticipantChanged, ParticipantErased
from shared.messaging.topic_log import EditionEvents

OF_ANA = {"operator_id": "op", "edition_id": "ed", "participant_id": "prt_1", "organisation_id": "org_1"}
AT = datetime(2026, 11, 26, tzinfo=UTC)


def test_an_erased_participant_has_no_newest_snapshot() -> None:
    known = ParticipantChanged(
        **OF_ANA, revision=2, occurred_at=AT, name="Ana", email="a@example.org", languages=(Language.SPANISH,)
    )
    erased = ParticipantErased(**OF_ANA, revision=3, occurred_at=AT)
    for events in ([known, erased], [erased, known]):
        read = EditionEvents(events)
        assert read.newest(ParticipantChanged) == []
        assert read.newest(ParticipantErased) == [erased]
