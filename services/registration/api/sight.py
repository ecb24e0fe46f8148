"""Fields of parties that the principal of a request may see. Answers leave out the further fields."""

from __future__ import annotations

from collections.abc import Mapping
from contextvars import ContextVar
from typing import Any, Final

from pydantic import BaseModel

from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from shared.access import Sight

#: Fields with personal data or names, and the sight that they need. A test classifies all fields.
NEEDED_SIGHT: Final[Mapping[type[BaseModel], Mapping[str, Sight]]] = {
    Organisation: {
        "name": Sight.ORGANISATIONS,
        "description": Sight.ORGANISATIONS,
        "website": Sight.ORGANISATIONS,
        "external_id": Sight.ORGANISATIONS,
        "phone": Sight.ALL,
    },
    Participant: {
        "name": Sight.NAMES,
        "job_title": Sight.NAMES,
        "external_id": Sight.NAMES,
        "email": Sight.ALL,
        "phone": Sight.ALL,
        "profile": Sight.ALL,
        "blocked_ids": Sight.ALL,
        "declined_ids": Sight.ALL,
        "consents": Sight.ALL,
        "pending_address": Sight.ALL,
    },
}
#: The sight of the principal of the present request. Nothing personal is shown until the principal is known.
_PRESENT: Final[ContextVar[Sight]] = ContextVar("sight", default=Sight.IDS)


def grant(sight: Sight) -> None:
    """Set the sight of the present request."""
    _PRESENT.set(sight)


def withheld(model: BaseModel) -> set[str]:
    """Return the names of the fields of an entity, or of a view of it, that the present request may not see."""
    sight = _PRESENT.get()
    return {
        name
        for kind, fields in NEEDED_SIGHT.items()
        if isinstance(model, kind)
        for name, needed in fields.items()
        if needed > sight
    }


def visible(model: BaseModel) -> dict[str, Any]:
    """Return the visible fields of an entity, or of a view of it, as JSON values."""
    return model.model_dump(mode="json", exclude=withheld(model), serialize_as_any=True)
