"""Values of fields that a list leaves out, from the request or from the edition."""

from __future__ import annotations

from babel.languages import get_official_languages

from services.registration.domain.edition import Edition
from services.registration.domain.errors import FieldError, Invalid
from services.registration.imports.countries import country_of, country_of_zone
from services.registration.imports.rows import ListDefaults
from shared.contract.events import Language, OrganisationKind


def defaults_of(
    edition: Edition,
    country: str | None = None,
    kind: OrganisationKind | None = None,
    language: Language | None = None,
) -> ListDefaults:
    """Return the defaults of a list for an edition: the country of its time zone, and a language of that country.

    Raises:
        Invalid: there is no such country.
    """
    code = country_of(country) if country else country_of_zone(edition.timezone)
    if country and code is None:
        raise Invalid(FieldError("country", f"{country[:50]!r} is no country: write its name or its ISO code"))
    return ListDefaults(language or _language_of(code), code, kind)


def _language_of(country: str | None) -> Language:
    """Return the first official language of a country in which participants are registered; else English."""
    official = get_official_languages(country, de_facto=True) if country else ()
    return next((Language(code) for code in official if code in set(Language)), Language.ENGLISH)
