"""An edition's participants as arrays: scores a participant with all partners in milliseconds."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from services.matching.domain.scoring import terms
from services.matching.domain.scoring.affinity import DECIMALS, Affinities
from services.matching.domain.scoring.configuration import AffinityConfiguration
from services.matching.domain.scoring.ragged import Ragged, Rows
from services.matching.domain.scoring.symmetric_relation import SymmetricRelation
from services.matching.domain.scoring.terms import TRAITS, Term, Traits, Values
from services.matching.domain.scoring.text_index import TextIndex
from services.matching.domain.snapshots import OrganisationSnapshot, ParticipantSnapshot
from services.matching.domain.state import MatchingState
from services.matching.domain.taxonomy import (
    code_tokens,
    codes_of,
    cooperation_bits,
    cooperation_kinds,
    nace_proximity,
    of_scheme,
)
from services.matching.domain.text.rivalry import OfferedAndNeeded, are_rivals
from services.matching.domain.text.scorer import TextScorer
from services.matching.vocabulary import answer_rule
from shared.contract.events import Language, NeedMet

_LANGUAGES: Final = tuple(Language)


class Pool:
    """Complete participants of a state as arrays. Never journalled: built again when the state is loaded.

    The row of a participant is the index in `ids`, in the order of arrival. An incomplete participant is not active.
    """

    def __init__(self, scorer: TextScorer, configuration: AffinityConfiguration) -> None:
        self.ids: list[str] = []
        self.texts = TextIndex(scorer)
        self.configuration = configuration
        #: Version of the published scores: the configuration, and the text scorer if it is not the configuration's.
        self.version = configuration.version + ("" if scorer.version == configuration.scorer else f"+{scorer.version}")
        self._answers, self._scorer_version = answer_rule(configuration.answers), scorer.version
        self._rows: dict[str, int] = {}
        #: By row, the texts of the profile; read when a rule asks for them.
        self._profiles: dict[int, OfferedAndNeeded] = {}
        self._numbers: dict[str, int] = {}
        self._names: list[str] = []
        #: By term, the trait with the number of codes of a row, and the codes.
        self._sets = {
            Term.SHARED_CODES: ("tokens", _CodeSets()),
            Term.KETS: ("kets", _CodeSets()),
            Term.S3: ("s3", _CodeSets()),
        }
        self._sectors = _Sectors()
        self._traits = np.zeros(0, TRAITS)
        self._competitors, self._blocks, self._declined = SymmetricRelation(), SymmetricRelation(), SymmetricRelation()
        self._met, self._fruitful = SymmetricRelation(), SymmetricRelation()

    def put(self, state: MatchingState, participant_ids: Iterable[str]) -> None:
        """Update these participants from the state."""
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
            self._tie(participant_id, participant, organisation)
        profiles = [state.participants[participant_id].profile for participant_id in known]
        rows = [self._rows[participant_id] for participant_id in known]
        self._profiles |= {
            row: OfferedAndNeeded(profile.needs, profile.offers) for row, profile in zip(rows, profiles, strict=True)
        }
        read = self.configuration.read
        self.texts.put(
            rows, [read(profile.needs) for profile in profiles], [read(profile.offers) for profile in profiles]
        )

    def rows(self, participant_ids: Iterable[str]) -> Rows:
        """Return the rows of participants."""
        return np.array([self._rows[participant_id] for participant_id in participant_ids], np.intp)

    def affinities(self, participant_ids: Iterable[str], rows: Rows | None = None) -> Affinities:
        """Return the affinities of participants with the partners of `rows`, or with all partners."""
        own, asked = self.rows(participant_ids), self.configuration
        partners = np.arange(len(self.ids)) if rows is None else rows
        mine, theirs = self._traits[own][:, np.newaxis], self._traits[partners]
        found = {term: self._term(term, own, rows, mine, theirs) for term in Term if term in asked.weights}
        return Affinities(asked, found, self._in_vain(own, theirs))

    def strangers(self, participant_id: str) -> NDArray[np.bool_]:
        """Tell which participants may be proposed to a participant; shape (participants,).

        A stranger is active, represents another organisation, and is no competitor; neither side blocks or declines.
        """
        traits = self._traits[: len(self.ids)]
        own = self._traits[self._rows[participant_id]]
        eligible: NDArray[np.bool_] = traits["organisation"] != own["organisation"]
        eligible &= traits["active"]
        home = self._names[own["organisation"] - 1]
        apart = self._blocks.of(participant_id) | self._declined.of(participant_id) | self._blocks.of(home)
        eligible[[self._rows[other_id] for other_id in apart if other_id in self._rows]] = False
        shunned = [
            self._numbers[other_id] for other_id in apart | self._competitors.of(home) if other_id in self._numbers
        ]
        return eligible & ~np.isin(traits["organisation"], shunned) if shunned else eligible

    def compete(self, organisation_id: str, other_id: str) -> bool:
        """Tell whether two organisations are competitors by the word of either."""
        return other_id in self._competitors.of(organisation_id)

    def are_rivals(self, first_id: str, second_id: str) -> bool:
        """Tell whether two participants have the same offers and needs, and no offer meets a need."""
        return self._rivals(self._rows[first_id], self._rows[second_id])

    def rivals_of(self, participant_id: str, rows: Rows) -> set[int]:
        """Return the rows of a participant's rivals among these rows."""
        own = self._rows[participant_id]
        if self._answers is None:
            return self.texts.rivals_of(own, rows)
        return {int(row) for row in rows if self._rivals(own, int(row))}

    def need_met(self, seeker: str, provider: str) -> NeedMet | None:
        """Return the need that an offer meets best; None without a fit. An offer that answers comes before a fit."""
        rows, rule, certainties = (self._rows[seeker], self._rows[provider]), self._answers, None
        if rule is not None:
            needs, offers = self._profiles[rows[0]].needs, self._profiles[rows[1]].offers
            certainties = rule.certainties(needs, offers, self.texts.cosines_of(*rows), self._scorer_version)
            certainties[certainties < rule.shown_from] = 0
        best = self.texts.best_need_and_offer(*rows, certainties)
        if best is None:
            return None
        need, offer, fit = best
        shown = None if certainties is None else bool(certainties[need, offer] > 0)
        return NeedMet(participant_id=seeker, need=need, offer=offer, fit=round(fit, DECIMALS), shown=shown)

    def _rivals(self, first: int, second: int) -> bool:
        rule, profiles = self._answers, self._profiles
        if self.texts.are_rivals(first, second):
            return True
        return rule is not None and are_rivals(rule, profiles[first], profiles[second])

    def _term(self, term: Term, own: Rows, rows: Rows | None, mine: Traits, theirs: Traits) -> Values:
        if term in terms.OF_TRAITS:
            return terms.OF_TRAITS[term](mine, theirs)
        if term in self._sets:
            field, codes = self._sets[term]
            return terms.overlap(codes.shared(own, rows, len(self.ids)), mine[field], theirs[field])
        if term is Term.SECTOR:
            return self._sectors.proximities(own, rows, len(self.ids))
        asked = self.configuration
        both = terms.mutuality(mine, theirs, asked.mutuality, asked.mutuality_of)
        return terms.need_meets_offer(*self.texts.fits(own, rows), both)

    def _in_vain(self, own: Rows, theirs: Traits) -> NDArray[np.bool_]:
        """Tell which organisations have met in an earlier edition without an outcome."""
        met = np.zeros((len(own), len(theirs)), bool)
        for line, row in enumerate(own):
            home = self._names[self._traits[row]["organisation"] - 1]
            if vain := self._met.of(home) - self._fruitful.of(home):
                numbers = [
                    self._numbers[organisation_id] for organisation_id in vain if organisation_id in self._numbers
                ]
                met[line] = np.isin(theirs["organisation"], numbers)
        return met

    def _row(self, participant_id: str) -> int:
        if participant_id not in self._rows:
            self._rows[participant_id] = len(self.ids)
            self.ids.append(participant_id)
        if len(self.ids) > len(self._traits):
            self._traits = np.append(self._traits, np.zeros(max(64, len(self._traits)), TRAITS))
        return self._rows[participant_id]

    def _traits_of(
        self, row: int, participant: ParticipantSnapshot, organisation: OrganisationSnapshot, *, active: bool
    ) -> tuple[Any, ...]:
        codes = codes_of(participant, organisation)
        kinds = cooperation_kinds(codes)
        traits = {
            "active": active,
            "organisation": self._number(participant.organisation_id),
            "country": self._number(f"country {organisation.country}"),
            "delegation": self._number(f"delegation {organisation.delegation}") if organisation.delegation else 0,
            "side": terms.side_of(organisation.kind),
            "languages": sum(1 << _LANGUAGES.index(language) for language in set(participant.languages)),
            "seeks": cooperation_bits(kinds),
            "answers": cooperation_bits(kind.answer for kind in kinds),
        }
        held = {"tokens": code_tokens(codes), "kets": of_scheme("ket", codes), "s3": of_scheme("s3", codes)}
        traits |= {field: codes_of_field.put(row, held[field]) for field, codes_of_field in self._sets.values()}
        self._sectors.put(row, of_scheme("nace", codes))
        return tuple(traits[name] for name in TRAITS.names or ())

    def _tie(self, participant_id: str, participant: ParticipantSnapshot, organisation: OrganisationSnapshot) -> None:
        home = participant.organisation_id
        self._blocks.put(participant_id, participant.blocked_ids)
        self._declined.put(participant_id, participant.declined_ids)
        self._competitors.put(home, organisation.competitor_ids)
        self._met.put(home, (earlier.organisation_id for earlier in organisation.met_before))
        self._fruitful.put(home, (earlier.organisation_id for earlier in organisation.met_before if earlier.outcome))

    def _number(self, name: str) -> int:
        """Return the number of a name in the arrays, from 1."""
        if name not in self._numbers:
            self._names.append(name)
        return self._numbers.setdefault(name, len(self._names))


class _CodeSets:
    """Codes of a kind by row."""

    def __init__(self) -> None:
        self.numbers: dict[str, int] = {}
        self.held: Ragged[np.intp] = Ragged(np.intp)

    def put(self, row: int, codes: Iterable[str]) -> int:
        """Replace the codes of a row; return how many there are."""
        numbers = [self.numbers.setdefault(code, len(self.numbers)) for code in sorted(codes)]
        self.held.put(row, np.array(numbers, np.intp))
        return len(numbers)

    def shared(self, own: Rows, rows: Rows | None, count: int) -> NDArray[np.intp]:
        """Return the number of codes that `own` and partners share; shape (own, partners)."""
        codes, holders = self.held.all() if rows is None else self.held.some(rows)
        shared = np.zeros((len(own), count if rows is None else len(rows)), np.intp)
        for line, row in enumerate(own):
            wanted = np.zeros(len(self.numbers) + 1, bool)
            wanted[self.held.of(row)] = True
            hits = holders[wanted[codes]]
            shared[line] = np.bincount(hits[hits >= 0], minlength=shared.shape[1])
        return shared


class _Sectors(_CodeSets):
    """Activities by row, and their proximities."""

    def __init__(self) -> None:
        super().__init__()
        self._nearness: dict[int, Values] = {}

    def proximities(self, own: Rows, rows: Rows | None, count: int) -> Values:
        """Return the proximity of the nearest activities of `own` and partners; shape (own, partners)."""
        codes, holders = self.held.all() if rows is None else self.held.some(rows)
        there = holders >= 0
        codes, holders = codes[there], holders[there]
        nearest = np.zeros((len(own), count if rows is None else len(rows)))
        for line, row in enumerate(own):
            for number in self.held.of(row):
                np.maximum.at(nearest[line], holders, self._near(int(number))[codes])
        return nearest

    def _near(self, number: int) -> Values:
        """Return the proximity of an activity to every known activity; cached until there are more."""
        near = self._nearness.get(number)
        if near is None or len(near) < len(self.numbers):
            names = list(self.numbers)
            near = self._nearness[number] = np.array([nace_proximity(names[number], name) for name in names])
        return near
