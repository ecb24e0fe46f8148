"""Previews of changes of facts: the snapshots to ask the scheduler with, and the sizes that need a token."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from pydantic import Field

from services.registration.domain.checks.days import EditionDays
from services.registration.domain.edition import Edition, EditionFacts
from services.registration.domain.entity import Entity
from services.registration.domain.match_request import MatchRequestFacts
from services.registration.domain.organisation import Organisation, OrganisationFacts
from services.registration.domain.participant import Participant, ParticipantFacts
from shared.contract.events import EditionChanged, OrganisationChanged, ParticipantChanged, Phase
from shared.contract.ids import Id
from shared.internal_api.edits import BrokenRule, EditEffects, EncounterEffect
from shared.internal_api.previews import FactsPreview, FactsToPreview, PreviewCounts

#: Fields that move encounters, by kind. A change of other fields is made without a look at its effects.
MOVING_FIELDS: Final[Mapping[type[Entity], frozenset[str]]] = {
    Edition: frozenset({"timezone", "days", "slot_minutes", "zones", "sessions", "quotas"}),
    Organisation: frozenset({"kind", "interchangeable"}),
    Participant: frozenset({"organisation_id", "available", "session_ids", "blocked_ids"}),
}
#: Phases in which participants may know their agendas.
_ANNOUNCED_PHASES: Final = frozenset({Phase.PUBLISHED, Phase.LIVE})
#: Encounters that a change may move without a token: in a small edition they would be many percent. An edition with a
#: threshold of 0 wants to be asked about every encounter.
_FEW_ENCOUNTERS: Final = 4
#: Texts of persons and organisations, which the scheduler does not need.
_UNNAMED: Final[Mapping[str, object]] = {
    "name": "-",
    "email": "-@-",
    "profile": {},
    **dict.fromkeys(("job_title", "phone", "external_id", "website", "description", "booth")),
}


@dataclass(frozen=True)
class ChangeStep:
    """The next revision of an entity, or a new entity if there is none before."""

    before: Entity | None
    after: Entity

    @property
    def moves(self) -> bool:
        """Tell whether the step may move encounters or change an agenda. Sessions alone stand in a new agenda."""
        if self.before is None:
            return isinstance(self.after, Participant) and bool(self.after.session_ids)
        fields = {*MOVING_FIELDS.get(type(self.before), ()), "status"}
        return any(getattr(self.before, name, None) != getattr(self.after, name, None) for name in fields)


def moving(steps: Iterable[ChangeStep]) -> list[ChangeStep]:
    """Return the steps that may move encounters, and the new organisations of their participants."""
    every = list(steps)
    moves = [step for step in every if step.moves]
    needed = {step.after.organisation_id for step in moves if isinstance(step.after, Participant)}
    made = [step for step in every if step.before is None and step.after.id in needed]
    return [*made, *moves]


class PreviewView(FactsPreview):
    """The effects of a change of facts, with the names of the participants concerned."""

    outside: tuple[Id, ...] = Field(default=(), description="Sessions that would no longer lie within a day.")
    broken: tuple[BrokenRule, ...] = Field(default=(), description="Rules that an edit by hand would break.")
    names: dict[str, str] = Field(default_factory=dict, description="By participant id.")


def preview_of_edit(effects: EditEffects, names: dict[str, str]) -> PreviewView:
    """Return the effects of an edit by hand in the shape of all previews."""
    kinds: dict[str, list[EncounterEffect]] = {"moved": [], "placed": [], "waiting": [], "cancelled": []}
    for effect in effects.encounters:
        if (kind := _kind_of(effect)) is not None:
            kinds[kind].append(effect)
    people = {
        person for kind in ("moved", "waiting") for effect in kinds[kind] for person in effect.participant_ids_before
    }
    counts = PreviewCounts(
        encounters=effects.placed,
        **{kind: len(listed) for kind, listed in kinds.items()},
        people=len(people),
        mailed=len(effects.mailed),
    )
    return PreviewView(
        effects=effects.token,
        announced=effects.announced,
        counts=counts,
        **{kind: tuple(listed) for kind, listed in kinds.items()},
        mailed=effects.mailed,
        broken=effects.broken,
        names=names,
    )


def _kind_of(effect: EncounterEffect) -> str | None:
    """Return the kind of effect on an encounter; None if only its lock or its order changes."""
    if effect.before is None:
        return "placed" if effect.after else None
    if effect.after is None:
        return "waiting" if effect.waiting_reason else "cancelled"
    is_same = (effect.before, effect.participant_ids_before) == (effect.after, effect.participant_ids_after)
    return None if is_same else "moved"


def is_announced(edition: Edition) -> bool:
    """Tell whether the participants of an edition may know their agendas."""
    return edition.phase in _ANNOUNCED_PHASES


def needs_look(edition: Edition, before: Entity, after: Entity) -> bool:
    """Tell whether a change may move encounters that participants know."""
    fields = MOVING_FIELDS.get(type(before), frozenset())
    return is_announced(edition) and any(getattr(before, name) != getattr(after, name) for name in fields)


def too_many(edition: Edition, preview: FactsPreview) -> str | None:
    """Return the reason why effects need a confirmation; None if the edition allows them without."""
    counts = preview.counts
    encounters = counts.moved + counts.waiting
    few = _FEW_ENCOUNTERS if edition.preview_above_percent and edition.preview_above_people else 0
    if not preview.announced or encounters <= few:
        return None
    if 100 * encounters <= edition.preview_above_percent * counts.encounters and (
        counts.people <= edition.preview_above_people
    ):
        return None
    return (
        f"of {counts.encounters} encounters {counts.moved} would move and {counts.waiting} lose their place, those of "
        f"{counts.people} participants"
    )


def facts_in(entity: Entity) -> dict[str, object]:
    """Return the fields of an entity that its operator sets, and its status. Times of the change are left out."""
    kinds = (EditionFacts, OrganisationFacts, ParticipantFacts, MatchRequestFacts)
    kind = next(kind for kind in kinds if isinstance(entity, kind))
    named = {name: getattr(entity, name) for name in ("status", "state") if hasattr(entity, name)}
    return {**entity.facts(kind), "status": None, **named}


def facts_of(*entities: Entity) -> FactsToPreview:
    """Return the snapshots of entities without the texts of a person."""
    kinds = {EditionChanged: "editions", OrganisationChanged: "organisations", ParticipantChanged: "participants"}
    facts: dict[str, list[dict[str, object]]] = {}
    for entity in entities:
        event = entity.snapshot()
        texts = {} if isinstance(event, EditionChanged) else _UNNAMED
        named = {name: text for name, text in texts.items() if name in type(event).model_fields}
        facts.setdefault(kinds[type(event)], []).append({**event.model_dump(), **named})
    return FactsToPreview.model_validate(facts)


def sessions_outside(entity: Entity | None) -> set[str]:
    """Return the ids of the sessions of an edition that do not lie within one of its days."""
    if not isinstance(entity, Edition):
        return set()
    days = EditionDays.of(entity)
    sessions = [session.in_zone(entity.timezone) for session in entity.sessions]
    return {session.session_id for session in sessions if not days.hold(session.starts_at, session.ends_at)}


def only_of(preview: FactsPreview, participant_id: str) -> FactsPreview:
    """Return a preview that lists the encounters of a participant only. The counts are of all encounters."""
    kept = {
        kind: tuple(
            effect
            for effect in getattr(preview, kind)
            if participant_id in {*effect.participant_ids_before, *effect.participant_ids_after}
        )
        for kind in ("moved", "placed", "waiting", "cancelled")
    }
    partners = {person for effects in kept.values() for effect in effects for person in effect.participant_ids_before}
    mailed = tuple(person for person in preview.mailed if person in partners or person == participant_id)
    return preview.model_copy(update={**kept, "mailed": mailed})


def participants_in(preview: FactsPreview) -> set[str]:
    """Return the ids of the participants that a preview lists."""
    effects = (*preview.moved, *preview.placed, *preview.waiting, *preview.cancelled)
    groups = (group for effect in effects for group in (effect.participant_ids_before, effect.participant_ids_after))
    return {*preview.mailed, *(participant_id for group in groups for participant_id in group)}
