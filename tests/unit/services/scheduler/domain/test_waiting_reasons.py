"""Readers of the waiting reasons. A new reason fails until it has a row here."""

from __future__ import annotations

import pytest

from services.scheduler.domain.publication import RELAXABLE
from services.scheduler.domain.repair.agenda_repair import MOVING_HELPS
from services.scheduler.domain.state import AgendaState, Links
from shared.contract.events import WaitingReason
from shared.internal_api.remedies import WORDS_OF_REASONS

#: Reason: whether moving another meeting may help, whether a relaxation could end it, whether a freed table is offered.
REASONS = {
    WaitingReason.NO_COMMON_SLOT: (False, True, False),
    WaitingReason.QUOTA_REACHED: (False, True, False),
    WaitingReason.NO_SLOT_IN_ORDER: (True, True, False),
    WaitingReason.NO_TABLE: (True, True, True),
    WaitingReason.AGENDAS_FULL: (True, True, False),
    WaitingReason.EDITION_UNKNOWN: (False, False, False),
    WaitingReason.PARTICIPANT_UNKNOWN: (False, False, False),
}


@pytest.mark.parametrize("reason", WaitingReason)
def test_every_waiting_reason_is_classified(reason: WaitingReason) -> None:
    links = Links(AgendaState(edition_id="ed", waiting={"pair": reason}))
    assert reason in WORDS_OF_REASONS
    assert (reason in MOVING_HELPS, reason in RELAXABLE, bool(links.waiting_for_table)) == REASONS[reason]
