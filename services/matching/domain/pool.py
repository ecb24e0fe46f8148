"""An edition's participants as arrays: one against all of them in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.affinity import COMPANIES, SCIENCE, Terms, both_ways, code_tokens, codes_of
from services.matching.domain.facts import Organisation, Participant
from services.matching.domain.index import TextIndex
from services.matching.domain.ragged import Ragged, Rows
from services.matching.domain.state import MatchingState
from services.matching.domain.text import TextScorer
from shared.events import Language, OrganisationKind

_LANGUAGES: Final = tuple(Language)
_TRAITS: Final = np.dtype(
    [("active", "?"), ("organisation", "i8"), ("country", "i8"), ("side", "i1"), ("languages", "u1"), ("tokens", "i8")]
)


class Pool:
    """The complete participants of one state, as arrays. Never journalled: made again when the state is loaded.

    A participant's row is their place in `ids`, in the order they came. Whoever is no longer complete is not active.
    """

    def __init__(self, scorer: TextScorer) -> None:
        self.ids: list[str] = []
        self.texts = TextIndex(scorer)
        self._rows: dict[str, int] = {}
        self._numbers: dict[str, int] = {}
        self._tokens: Ragged[np.intp] = Ragged(np.intp)
        self._traits = np.zeros(0, _TRAITS)

    def put(self, state: MatchingState, participant_ids: Iterable[str]) -> None:
        """Take these participants as the state has them now."""
        known = []
        for participant_id in participant_ids:
            if state.complete(participant_id):
                known.append(participant_id)
            elif participant_id in self._rows:
                self._traits[self._rows[participant_id]]["active"] = False
        for participant_id in known:
            participant = state.participants[participant_id]
            organisation = state.organisations[participant.organisation_id]
            row = self._row(participant_id)
            self._traits[row] = self._traits_of(row, participant, organisation, active=state.active(participant_id))
        profiles = [state.participants[participant_id].profile for participant_id in known]
        rows = [self._rows[participant_id] for participant_id in known]
        self.texts.put(rows, [one.needs for one in profiles], [one.offers for one in profiles])

    def rows(self, participant_ids: Iterable[str]) -> Rows:
        """The rows of participants that have been put."""
        return np.array([self._rows[participant_id] for participant_id in participant_ids], np.intp)

    def terms(self, participant_ids: Iterable[str], rows: Rows | None = None) -> Terms:
        """The terms of each participant with those of the rows, or with all; with themselves they mean nothing."""
        own = self.rows(participant_ids)
        partners = np.arange(len(self.ids)) if rows is None else rows
        mine, theirs = self._traits[own][:, np.newaxis], self._traits[partners]
        return Terms(
            text_need_offer=both_ways(*self.texts.fits(own, rows)),
            shared_codes=self._shared_codes(own, rows) / np.sqrt(np.maximum(1, mine["tokens"] * theirs["tokens"])),
            helix_complement=(mine["side"] * theirs["side"] == -1).astype(float),
            cross_border=(mine["country"] != theirs["country"]).astype(float),
            common_language=((mine["languages"] & theirs["languages"]) != 0).astype(float),
        )

    def strangers(self, participant_id: str) -> NDArray[np.bool_]:
        """Who takes part and represents another organisation; shape (participants,)."""
        traits = self._traits[: len(self.ids)]
        others: NDArray[np.bool_] = traits["organisation"] != self._traits[self._rows[participant_id]]["organisation"]
        others &= traits["active"]
        return others

    def _shared_codes(self, own: Rows, rows: Rows | None) -> NDArray[np.intp]:
        """How many code tokens each shares with each partner."""
        tokens, holders = self._tokens.all() if rows is None else self._tokens.some(rows)
        shared = np.zeros((len(own), len(self.ids) if rows is None else len(rows)), np.intp)
        for at, row in enumerate(own):
            wanted = np.zeros(len(self._numbers) + 1, bool)
            wanted[self._tokens.of(row)] = True
            hits = holders[wanted[tokens]]
            shared[at] = np.bincount(hits[hits >= 0], minlength=shared.shape[1])
        return shared

    def _row(self, participant_id: str) -> int:
        if participant_id not in self._rows:
            self._rows[participant_id] = len(self.ids)
            self.ids.append(participant_id)
        if len(self.ids) > len(self._traits):
            self._traits = np.append(self._traits, np.zeros(max(64, len(self._traits)), _TRAITS))
        return self._rows[participant_id]

    def _traits_of(
        self, row: int, participant: Participant, organisation: Organisation, *, active: bool
    ) -> tuple[Any, ...]:
        tokens = [self._number(f"code {token}") for token in sorted(code_tokens(codes_of(participant, organisation)))]
        self._tokens.put(row, np.array(tokens, np.intp))
        return (
            active,
            self._number(f"organisation {participant.organisation_id}"),
            self._number(f"country {organisation.country}"),
            _side(organisation.kind),
            sum(1 << _LANGUAGES.index(language) for language in set(participant.languages)),
            len(tokens),
        )

    def _number(self, name: str) -> int:
        return self._numbers.setdefault(name, len(self._numbers))


def _side(kind: OrganisationKind) -> int:
    """Companies on one side, science on the other: opposite sides complement each other."""
    return int(kind in COMPANIES) - int(kind in SCIENCE)
