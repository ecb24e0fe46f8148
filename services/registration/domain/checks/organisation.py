"""Rules for the facts of an organisation."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import cache
from importlib import resources
from typing import Final

from services.registration.domain.checks.codes import doubtful_codes
from services.registration.domain.checks.doubtful_fact import DoubtfulFact
from services.registration.domain.organisation import OrganisationFacts
from shared.contract.spelling import similar_name

#: Codes in use that ISO 3166-1 does not assign, and the codes to write in their place.
_REMEDIES: Final = {"UK": "GB", "EL": "GR"}
#: A code in use by agreement, without another to write in its place: Kosovo.
_AGREED: Final = frozenset({"XK"})


def doubtful_facts_of_organisation(
    organisation: OrganisationFacts, delegations: Collection[str] = ()
) -> Iterator[DoubtfulFact]:
    """Yield the doubtful and the impossible facts of an organisation. `delegations` are of the edition."""
    yield from _country(organisation.country)
    yield from _delegation(organisation.delegation, delegations)
    yield from doubtful_codes("/codes", organisation.codes)


def _country(country: str) -> Iterator[DoubtfulFact]:
    if country in _countries():
        return
    remedy = f"write {_REMEDIES[country]}" if country in _REMEDIES else "write the code of the country, such as ES"
    yield DoubtfulFact(
        "/country",
        f"{country!r} is not a country of ISO 3166-1, and would count as one across whose border all others meet: "
        f"{remedy}",
        "country-unknown",
        country,
        is_refused=True,
    )


def _delegation(delegation: str | None, delegations: Collection[str]) -> Iterator[DoubtfulFact]:
    if delegation is None:
        return
    key = similar_name(delegation)
    for spelling in sorted(delegations):
        if spelling != delegation and similar_name(spelling) == key:
            yield DoubtfulFact(
                "/delegation",
                f"other organisations write the delegation {delegation!r} as {spelling!r}, and count as another "
                "delegation: give all of them the same spelling",
                "delegation-spelt-otherwise",
                delegation,
            )


@cache
def _countries() -> frozenset[str]:
    """Return the assigned codes of ISO 3166-1, from the release of the time zones that all services have."""
    table = resources.files("tzdata").joinpath("zoneinfo", "iso3166.tab").read_text(encoding="utf-8")
    return _AGREED | {line.split("\t")[0] for line in table.splitlines() if line and not line.startswith("#")}
