"""Use cases of searches: participants and organisations by what an operator knows of them."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Final

from services.registration.domain.errors import FieldError, Invalid
from services.registration.domain.names import (
    clean_email,
    domain_key,
    email_key,
    external_id_keys,
    member_key,
    name_keys,
)
from services.registration.domain.parties import AnyParty
from services.registration.ports import KeyBeginning, Repository

#: Entities that are read at once.
_PAGE: Final = 100


@dataclass(frozen=True)
class PartySearch:
    """Conditions of a search, all of which hold: beginnings of keys, the rarest first."""

    beginnings: tuple[str, ...] = ()

    def __bool__(self) -> bool:
        return bool(self.beginnings)

    def finds(self, keys: tuple[str, ...]) -> bool:
        """Tell whether all conditions hold for some keys."""
        return all(any(key.startswith(beginning) for key in keys) for beginning in self.beginnings)


def search_of(
    name: str | None = None,
    email: str | None = None,
    external_id: str | None = None,
    organisation: str | None = None,
    domain: str | None = None,
) -> PartySearch:
    """Return the search for all the given properties. Words of a name may be cut at their end.

    Raises:
        Invalid: `email` is no address, or a name has no letter.
    """
    exact = [*external_id_keys(external_id)]
    if email is not None:
        exact.append(_email_key(email))
    if domain is not None:
        exact.append(domain_key(domain).rstrip("\n"))
    if organisation is not None:
        exact.append(member_key(organisation))
    words = [] if name is None else sorted((key.rstrip("\n") for key in name_keys(name)), key=len, reverse=True)
    if name is not None and not words:
        raise Invalid(FieldError("/query/name", f"{name[:100]!r} has no letter or digit to search for"))
    return PartySearch((*exact, *words))


def _email_key(email: str) -> str:
    try:
        return email_key(clean_email(email))
    except ValueError as error:
        raise Invalid(FieldError("/query/email", str(error))) from error


class SearchService:
    """Use cases of searches. Cancelled parties are found too."""

    def __init__(self, repository: Repository) -> None:
        self._repository = repository

    async def within(
        self, kind: type[AnyParty], edition_id: str, search: PartySearch, after: str | None, limit: int
    ) -> list[AnyParty]:
        """List up to `limit` parties of an edition that a search finds, by id beyond `after`."""
        return await self._found(kind, edition_id, search, after or "", limit, lambda party: party.id)

    async def across(
        self, kind: type[AnyParty], search: PartySearch, limit: int, editions: Collection[str] | None = None
    ) -> list[AnyParty]:
        """List up to `limit` parties that a search finds, by edition and id.

        `editions` of None are all editions of the operator.
        """
        if editions is None:
            return await self._found(kind, None, search, "", limit, lambda party: f"{party.edition_id}/{party.id}")
        found: list[AnyParty] = []
        for edition_id in sorted(editions):
            found += await self.within(kind, edition_id, search, None, limit - len(found))
            if len(found) >= limit:
                break
        return found

    async def _found(
        self,
        kind: type[AnyParty],
        edition_id: str | None,
        search: PartySearch,
        after: str,
        limit: int,
        path_of: Callable[[AnyParty], str],
    ) -> list[AnyParty]:
        """Read the parties of the rarest key, and keep the parties for which all conditions hold."""
        found: list[AnyParty] = []
        where = {"search_keys": KeyBeginning(search.beginnings[0])}
        while len(found) < limit:
            parties = await self._repository.page(kind, edition_id, after, _PAGE, where)
            found += [party for party in parties if search.finds(party.search_keys)]
            if len(parties) < _PAGE:
                break
            after = path_of(parties[-1])
        return found[:limit]
