"""The exception for an edit, a report or a question that the scheduler cannot carry out."""

from __future__ import annotations

from services.scheduler.domain.state import AgendaState
from shared.contract.events import EditionChanged
from shared.internal_api.edit_errors import EditErrorCode


class EditRejected(Exception):
    """The scheduler cannot do what an organiser asks. `code` is the reason as a stable name, the message a sentence."""

    def __init__(self, code: EditErrorCode, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def pair_of_encounter(state: AgendaState, encounter_id: str) -> str:
    """Return the pair id of an encounter. Raises `EditRejected` if the edition has no such encounter."""
    pair_id = state.pairs_by_encounter.get(encounter_id)
    if pair_id is None:
        raise EditRejected(
            EditErrorCode.UNKNOWN_ENCOUNTER, f"the edition has no encounter {encounter_id}: list its encounters for ids"
        )
    return pair_id


def must_be_open(state: AgendaState) -> EditionChanged:
    """Return the edition if its agenda can still change.

    Raises:
        EditRejected: the scheduler does not know the edition yet, or the edition is closed.
    """
    if state.edition is None:
        raise EditRejected(
            EditErrorCode.UNKNOWN_EDITION, f"the scheduler has no edition {state.edition_id} yet: try again in a moment"
        )
    if state.is_closed:
        raise EditRejected(
            EditErrorCode.CLOSED, f"edition {state.edition_id} is closed: its agenda does not change any more"
        )
    return state.edition
