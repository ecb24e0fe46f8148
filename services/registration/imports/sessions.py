"""Sessions as lists name them: by id or title."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Final

from services.registration.domain.edition import Edition
from shared.contract.spelling import same_name

_WORDS: Final = re.compile(r"[\s,;|]+")


def sessions_of(text: str, edition: Edition) -> list[str]:
    """Return the ids of sessions that a cell names by id or title; words that name none as they are."""
    find = session_finder(edition)
    found: list[str] = []
    for part in re.split(r"[;|\n]", text):
        whole = find(part)
        found += [whole] if whole else [find(word) or word for word in _WORDS.split(part) if word]
    return list(dict.fromkeys(found))


def session_finder(edition: Edition) -> Callable[[str], str | None]:
    """Return the function from a session's id or title to its id; None for further texts."""
    by_name = {same_name(session.title): session.session_id for session in edition.sessions}
    by_name |= {same_name(session.session_id): session.session_id for session in edition.sessions}
    return lambda text: by_name.get(same_name(text))
