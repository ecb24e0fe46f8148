"""Fields of registered entities as the texts of cells. An import reads the same values back from them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from services.registration.domain.edition import Edition
from services.registration.domain.organisation import Organisation
from services.registration.domain.participant import Participant
from services.registration.import_files.cells import cleaned
from services.registration.import_files.sheet import MOST_CELL_CHARACTERS

_SEPARATOR: Final = "; "
#: Fields of participants and of organisations that are written as they are.
_LINES_OF_A_PERSON: Final = ("email", "job_title", "phone", "external_id")
_LINES: Final = ("name", "region", "delegation", "website", "description", "booth", "phone", "external_id")
#: The place of a field in a patch, if it has another name than the column.
_PLACES: Final[Mapping[str, tuple[str, ...]]] = {
    "full_name": ("name",),
    "offers": ("profile", "offers"),
    "needs": ("profile", "needs"),
    "sessions": ("session_ids",),
}


def participant_cells(participant: Participant, edition: Edition) -> dict[str, str]:
    """Return the cells of a participant whose texts are the same in every language."""
    lines = {name: getattr(participant, name) or "" for name in _LINES_OF_A_PERSON}
    profile = participant.profile
    return lines | {
        "phone": shown_phone(participant.phone),
        "full_name": participant.name,
        "offers": _listed(profile.offers),
        "needs": _listed(profile.needs),
        "codes": _listed(profile.codes),
        "sessions": _sessions(participant, edition),
    }


def organisation_cells(organisation: Organisation) -> dict[str, str]:
    """Return the cells of an organisation whose texts are the same in every language."""
    lines = {name: getattr(organisation, name) or "" for name in _LINES}
    return lines | {"phone": shown_phone(organisation.phone), "codes": _listed(organisation.codes)}


def without_repeats(
    patch: Mapping[str, Any], cells: Mapping[str, str], written: Mapping[str, str]
) -> tuple[dict[str, Any], set[str]]:
    """Return a patch without the fields whose cells repeat the texts that an export writes, and the names of these.

    A text may hold the separator of a list, or a spelling that an import would change: such a field stays as it is.
    """
    kept = {name: dict(value) if isinstance(value, dict) else value for name, value in patch.items()}
    repeated = {name for name, text in written.items() if text and cells.get(name) in (text, cleaned(text))}
    for name in repeated:
        places = [_PLACES.get(name, (name,))] + [("profile", name)] * (name == "codes")
        for place in places:
            _drop(kept, place)
    if kept.get("profile") == {}:
        del kept["profile"]
    return kept, repeated


def _drop(patch: dict[str, Any], place: Sequence[str]) -> None:
    *path, name = place
    for step in path:
        patch = patch.get(step) or {}
    patch.pop(name, None)


def shown_phone(number: str | None) -> str:
    """Return a phone number in groups of digits: a spreadsheet would subtract groups between hyphens."""
    number = number or ""
    return number.replace("-", " ") if number.startswith("+") else number


def _listed(texts: Iterable[str]) -> str:
    return _SEPARATOR.join(texts)


def _sessions(participant: Participant, edition: Edition) -> str:
    """Return the sessions that a participant attends or waits for, by title; by id where a title would mislead."""
    titles = {session.session_id: session.title for session in edition.sessions}
    ids = (*participant.session_ids, *participant.waiting_session_ids)
    unique = len(set(titles.values())) == len(titles)
    named = _listed(titles.get(session_id, session_id) for session_id in ids)
    is_clear = unique and not any(mark in titles.get(session_id, "") for session_id in ids for mark in ";|\n")
    return named if is_clear and len(named) < MOST_CELL_CHARACTERS else _listed(ids)
