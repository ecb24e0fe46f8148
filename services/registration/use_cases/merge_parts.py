"""Parts of every merge: the two parties, the confirmation of the preview, and the fields that an undoing gives back."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from pydantic import BaseModel, Field

from services.registration.confirmation import Previewed, confirmation_needed, must_be_confirmed
from services.registration.domain.errors import FieldError, Invalid, changed_since
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.domain.parties import AnyParty, must_be_active
from services.registration.merge_plan import Collision
from services.registration.unit_of_work import Gate, UnitOfWork
from shared.contract.ids import Id

AnyMergePreview = TypeVar("AnyMergePreview", bound=BaseModel)


class MergeCollision(BaseModel):
    """Parts of two registrations that cannot both stay, with what becomes of them."""

    slug: str = Field(description="The kind; stable.")
    message: str
    ids: list[Id] = Field(description="The requests, encounters, sessions or organisations concerned.")

    @classmethod
    def of(cls, collision: Collision) -> MergeCollision:
        """Return the view of a collision."""
        return cls(slug=collision.slug, message=collision.message, ids=[*collision.ids])


@dataclass(frozen=True)
class Merge(Generic[AnyParty, AnyMergePreview]):
    """The kept party after a merge or before it, and the preview."""

    party: AnyParty
    previewed: Previewed[AnyMergePreview]
    is_made: bool


async def two_of(
    unit: UnitOfWork, kind: type[AnyParty], edition_id: str, kept_id: str, merged_id: str
) -> tuple[AnyParty, AnyParty]:
    """Read the kept and the merged party of a merge, which may have been made already.

    Raises:
        NotFound: there is no such party.
        Conflict: either is cancelled, or merged into a third party.
        Invalid: both ids are the same.
    """
    if kept_id == merged_id:
        raise Invalid(FieldError("/merged_id", f"is the id of the kept {kind.NOUN}: a merge takes two"))
    kept = await unit.get(kind, edition_id, kept_id)
    merged = await unit.get(kind, edition_id, merged_id)
    must_be_active(kept)
    if merged.merged_into != kept_id:
        must_be_active(merged)
    return kept, merged


def is_confirmed(gate: Gate, previewed: Previewed[BaseModel], reason: str) -> bool:
    """Tell whether a merge is to be made, which always needs its token; False in a dry run.

    Raises:
        PreviewRequired: there is no token; `reason` says why it is needed.
        PreviewStale: the token confirms a different preview.
    """
    if gate.dry_run:
        return False
    if gate.token is None:
        raise confirmation_needed(previewed, reason)
    must_be_confirmed(gate.token, previewed)
    return True


def must_not_be_tried(gate: Gate) -> None:
    """Raise `Invalid` if a dry run of an undoing is asked for."""
    if gate.dry_run:
        raise Invalid(FieldError("/query/dry_run", "the undoing of a merge cannot be tried"))


def changes_of(
    kept: Organisation | Participant,
    after: Organisation | Participant,
    given_back: Collection[str],
    filled: Collection[str],
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Return the changes of the kept party that an undoing takes back, before and after the merge.

    Fields of `given_back` are kept with both values. Fields of `filled` are kept by name: their texts are those of the
    merged party, and are empty before.
    """
    differing = {name for name in (*given_back, *filled) if getattr(kept, name) != getattr(after, name)}
    names = differing.intersection(given_back)
    was, became = (party.model_dump(mode="json", include=names) for party in (kept, after))
    return {"kept": was}, {"kept": became, "filled": [name for name in filled if name in differing]}


def giving_back(
    merged: Organisation | Participant,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    left: list[FieldError],
) -> Callable[[Organisation | Participant], dict[str, Any]]:
    """Return the function that gives the kept party its fields of before, as a merge patch.

    `before` and `after` are those of `changes_of`. Fields that have changed since the merge stay, and `left` names
    them.
    """

    def patch_of(kept: Organisation | Participant) -> dict[str, Any]:
        now = kept.model_dump(mode="json", include=set(after["kept"]))
        changed = [name for name, value in now.items() if value != after["kept"][name]]
        left[:] = [changed_since(f"/kept/{name}") for name in changed]
        emptied = [name for name in after["filled"] if getattr(kept, name) == getattr(merged, name)]
        return {name: before["kept"][name] for name in now if name not in changed} | dict.fromkeys(emptied)

    return patch_of
