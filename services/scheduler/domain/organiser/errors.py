"""Why what somebody asks of an agenda cannot be."""

from __future__ import annotations

from services.scheduler.domain.state import AgendaState
from shared.contract.events import EditionChanged


class EditRejected(Exception):
    """What is asked cannot be done, whatever else is the case: `code` names why, the message says it."""

    def __init__(self, code: str, detail: str) -> None:
        super().__init__(detail)
        self.code = code


def pair_of_encounter(state: AgendaState, encounter_id: str) -> str:
    """The pair whose encounter this is. Raises `EditRejected` if there is none."""
    pair_id = state.pairs_by_encounter.get(encounter_id)
    if pair_id is None:
        raise EditRejected("unknown_encounter", "there is no such encounter")
    return pair_id


def must_be_open(state: AgendaState) -> EditionChanged:
    """The edition, whose agenda can still change.

    Raises:
        NotPossible: it is not known, or closed.
    """
    if state.edition is None:
        raise EditRejected("unknown_edition", "there is no such edition")
    if state.settled:
        raise EditRejected("closed", "the edition is closed: its agenda does not change any more")
    return state.edition
