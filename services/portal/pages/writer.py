"""Writes pages: templates, in the language of the reader and the time zone of the edition."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any, Final
from zoneinfo import ZoneInfo

from babel.core import Locale
from babel.dates import format_date, format_time
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations
from jinja2 import Environment, PackageLoader, StrictUndefined
from starlette.responses import HTMLResponse

from shared.contract.events import Language

#: Nothing comes from another host, and no script stands in a page.
HEADERS: Final = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; manifest-src 'self'; worker-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "x-robots-tag": "noindex",
    "cache-control": "private, no-cache",
}


class TemplateWriter:
    """Renders templates."""

    def page(
        self,
        template: str,
        language: Language,
        values: Mapping[str, Any],
        timezone: str = "UTC",
        status: int = 200,
    ) -> HTMLResponse:
        """Return the page of a template."""
        locale, zone = Locale.parse(language.value), ZoneInfo(timezone)

        def time(moment: datetime) -> str:
            return format_time(moment.astimezone(zone), "HH:mm", locale=locale)

        def day(moment: datetime | date, width: str = "full") -> str:
            return format_date(
                moment.astimezone(zone) if isinstance(moment, datetime) else moment, width, locale=locale
            )

        def territory(code: str) -> str:
            return str(locale.territories.get(code, code))

        text = (
            _environment_of(language)
            .get_template(template)
            .render(
                values,
                language=language.value,
                time=time,
                day=day,
                timezone=timezone,
                territory=territory,
                autonym=_autonym,
            )
        )
        return HTMLResponse(text, status, HEADERS)

    @staticmethod
    def day_and_time(moment: datetime, language: Language, timezone: str) -> str:
        """Return a day and a time in a language, local to a time zone."""
        local, locale = moment.astimezone(ZoneInfo(timezone)), Locale.parse(language.value)
        return f"{format_date(local, 'full', locale=locale)}, {format_time(local, 'HH:mm', locale=locale)}"


def _autonym(language: str) -> str:
    """Return the name of a language in itself."""
    return (Locale.parse(language).get_display_name() or language).capitalize()


@cache
def _environment_of(language: Language) -> Environment:
    """Return the templates with the texts of a language; they are compiled once."""
    environment = Environment(
        loader=PackageLoader("services.portal"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations_of(language), newstyle=True)  # type: ignore[attr-defined] # the extension adds it
    return environment


@cache
def translations_of(language: Language) -> NullTranslations:
    """Return the catalogue of a language; English needs none, because the templates are English."""
    found = files("services.portal") / "texts" / f"{language.value}.po"
    if language is Language.ENGLISH:
        return NullTranslations()
    written = BytesIO()
    with found.open("rb") as source:
        write_mo(written, read_po(source, locale=language.value, abort_invalid=True))
    written.seek(0)
    return Translations(written)
