"""Every page and state in a real browser: WCAG 2.2 A and AA by axe, reflow at 320 px, and valid markup.

A page is looked at in three conditions: every theme, width and language comes with every role.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import pytest

from services.portal.pages.context import PERSON_COOKIE, STAFF_COOKIE
from shared.contract.events import Event
from tests.support.browser import open_browser, served
from tests.support.notify_stage import everybody
from tests.support.page_audit import markup_errors, violations_on
from tests.support.portal_scene import AMENDMENT, DURING, EDITION_AS_REGISTERED, whole_edition
from tests.support.portal_stage import DESK, ORGANISER, PERSON, PortalStage, preview

#: Theme, width in pixels and language.
CONDITIONS: tuple[tuple[Literal["light", "dark"], int, str], ...] = (
    ("light", 320, "en"),
    ("dark", 1440, "de"),
    ("light", 768, "es"),
)


@dataclass(frozen=True)
class Visit:
    """A role's pages over an edition; `credential` is a cookie of its kind."""

    role: str
    paths: tuple[str, ...]
    cookie: str = ""
    credential: str = ""
    is_empty: bool = False

    @property
    def events(self) -> Sequence[Event]:
        """The events of the edition that the pages show."""
        return everybody() if self.is_empty else whole_edition()


_PERSON_PAGES = (
    "/agenda",
    "/agenda/enc_2",
    "/requests",
    "/requests?said=done",
    "/people",
    "/people?q=nobody",
    "/profile",
    "/availability",
    "/sessions",
    "/choices?said=changed",
)
_EDITION = "/editions/edn_1"
_PARTS = (
    "board",
    "board?q=metal",
    "encounters/enc_01",
    "encounters/enc_05",
    "people",
    "people/prt_0",
    "requests",
    "setup",
    "figures",
    "log",
    "desk",
    "desk/now",
    "desk/new",
    "late",
    "print",
    "print/agendas",
    "print/tables",
    "print/delegations",
    "print/badges",
    "wall",
)
_STAFF_PAGES = ("/editions", *(f"{_EDITION}/{part}" for part in _PARTS))

VISITS = (
    Visit("stranger", ("/", "/staff", "/sign-in?link=x", "/nowhere", "/p/L1.ended", "/agenda")),
    Visit("participant", _PERSON_PAGES, PERSON_COOKIE, PERSON),
    Visit(
        "participant of an empty edition",
        ("/agenda", "/requests", "/people", "/availability", "/sessions"),
        PERSON_COOKIE,
        PERSON,
        is_empty=True,
    ),
    Visit("organiser", _STAFF_PAGES, STAFF_COOKIE, ORGANISER),
    Visit("desk", (f"{_EDITION}/desk", f"{_EDITION}/desk?q=per"), STAFF_COOKIE, DESK),
)


@pytest.mark.parametrize("visit", VISITS, ids=lambda visit: visit.role)
async def test_pages_are_accessible_and_valid(visit: Visit) -> None:
    stage = PortalStage(rights_seconds=60)
    stage.time.now = DURING
    stage.registration.answers = {
        ("DRY", "/own"): (200, preview()),
        ("GET", "/amendments"): (200, {"items": [AMENDMENT]}),
        ("GET", "/editions/edn_1"): (200, EDITION_AS_REGISTERED),
    }
    faults, markup = [], {}
    async with stage.open(*visit.events), served(stage.pages()) as address, open_browser() as browser:
        page = await browser.new_page()
        if visit.cookie:
            await page.context.add_cookies([{"name": visit.cookie, "value": visit.credential, "url": address}])
        for theme, width, language in CONDITIONS:
            await page.emulate_media(color_scheme=theme)
            await page.set_viewport_size({"width": width, "height": 900})
            for path in visit.paths:
                name = f"{path} {theme} {width} {language}"
                answer = await page.goto(f"{address}{path}{'&' if '?' in path else '?'}lang={language}")
                assert answer is not None
                markup[name] = await answer.text()
                faults += [f"{name}: {fault}" for fault in await violations_on(page)]
    assert faults + markup_errors(markup) == []
