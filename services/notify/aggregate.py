"""Notify's decisions in the form that the journal calls."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from pydantic import TypeAdapter

from services.notify.domain.changes import Change
from services.notify.domain.decide import decide
from services.notify.domain.delivery import DeliveryWanted
from services.notify.domain.evolve import evolve
from services.notify.domain.state import Audience
from shared.contract.events import Event
from shared.messaging.inputs import refuse_foreign
from shared.storage.aggregate import Decision


class AudienceAggregate:
    """The audience of an edition: implements `shared.storage.journal.Aggregate`."""

    state_type = Audience
    change_type: TypeAdapter[Change] = TypeAdapter(Change)

    def empty(self, edition_id: str) -> Audience:
        """Return the state before the first event."""
        return Audience(edition_id=edition_id)

    def decide(self, state: Audience, events: Sequence[Event], now: datetime) -> Decision[Change, DeliveryWanted]:
        """Record newer events, and want a delivery to the participants whose mail they may change.

        Raises:
            ForeignOperator: an event names another operator than its edition's.
        """
        refuse_foreign(state.operator_id, events, is_edition_known=state.edition is not None)
        changes, wanted = decide(state, events, now)
        return Decision(changes, wanted)

    def evolve(self, state: Audience, change: Change) -> None:
        """Apply a change."""
        evolve(state, change)
