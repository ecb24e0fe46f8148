"""The effects of a change, as registration previews them, with the names of the people."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from services.portal.domain.people import ShownPerson, shown_person
from services.portal.domain.picture import EditionPicture
from shared.contract.events import Place


@dataclass(frozen=True)
class ShownEffect:
    """The effect on an encounter: its people besides the reader, and its place before and after."""

    kind: str
    people: tuple[ShownPerson, ...]
    before: Place | None
    after: Place | None


@dataclass(frozen=True)
class ShownEffects:
    """The listed effects of a change, and the counts of all effects. `token` confirms exactly these."""

    token: str
    listed: tuple[ShownEffect, ...]
    mailed: int
    moved: int
    waiting: int
    cancelled: int
    placed: int

    @property
    def are_none(self) -> bool:
        """Tell whether no encounter changes."""
        return not (self.moved or self.waiting or self.cancelled or self.placed)


_KINDS = ("moved", "waiting", "cancelled", "placed")


def shown_effects(picture: EditionPicture, tried: Mapping[str, Any], reader_id: str = "") -> ShownEffects:
    """Return the effects in the answer to a dry run."""
    preview = tried.get("preview") or {}
    counts = preview.get("counts") or {}
    return ShownEffects(
        token=str(tried.get("token", "")),
        listed=tuple(_shown(picture, kind, effect, reader_id) for kind in _KINDS for effect in preview.get(kind, ())),
        mailed=int(counts.get("mailed", 0)),
        **{kind: int(counts.get(kind, 0)) for kind in _KINDS},
    )


def _shown(picture: EditionPicture, kind: str, effect: Mapping[str, Any], reader_id: str) -> ShownEffect:
    people = effect.get("participant_ids_after") or effect.get("participant_ids_before") or ()
    return ShownEffect(
        kind,
        tuple(shown_person(picture, person) for person in people if person != reader_id),
        _place(effect.get("before")),
        _place(effect.get("after")),
    )


def _place(value: Any) -> Place | None:  # noqa: ANN401 - a part of an answer in JSON
    return Place.model_validate(value) if value else None
