"""Consents of participants: the answers to questions about the use of their personal data."""

from __future__ import annotations

import hashlib
from datetime import datetime

from pydantic import Field

from services.registration.domain.entity import Facts
from services.registration.domain.names import Description, ShortLine
from services.registration.domain.participant import Participant
from shared.contract.events import ConsentRecord, ConsentSubject


class ConsentFacts(Facts):
    """An answer, and the text that the participant has read before. The text is not kept: its hash is."""

    granted: bool
    text_version: ShortLine
    text: Description = Field(description="The whole text, as it was shown.")


def answered(
    participant: Participant, subject: ConsentSubject, facts: ConsentFacts, by: str, now: datetime
) -> Participant:
    """Return the participant with an answer; itself if the same answer to the same text is known."""
    record = ConsentRecord(
        granted=facts.granted,
        at=now,
        text_version=facts.text_version,
        text_sha256=hashlib.sha256(facts.text.encode()).hexdigest(),
        by=by,
    )
    known = participant.consents.get(subject)
    if known is not None and known.model_copy(update={"at": now, "by": by}) == record:
        return participant
    return participant.changed(now, consents={**participant.consents, subject: record})


def withdrawn(participant: Participant, subject: ConsentSubject, by: str, now: datetime) -> Participant:
    """Return the participant with the consent withdrawn; itself if none is granted."""
    known = participant.consents.get(subject)
    if known is None or not known.granted:
        return participant
    record = known.model_copy(update={"granted": False, "at": now, "by": by})
    return participant.changed(now, consents={**participant.consents, subject: record})
