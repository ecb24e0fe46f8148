"""Audits of pages by outside checkers: axe-core for accessibility, the Nu Html Checker for the markup."""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from playwright.async_api import Page

from tests.support.outside import outside

#: Success criteria of WCAG 2.0, 2.1 and 2.2, levels A and AA.
_TAGS = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa"]
_RUN = "tags => axe.run(document, {runOnly: {type: 'tag', values: tags}, resultTypes: ['violations']})"
#: Parts that overflow a page, other than those that scroll by themselves: data tables may (WCAG 1.4.10).
_TOO_WIDE = """() => document.documentElement.scrollWidth <= innerWidth ? [] :
  [...document.querySelectorAll('body *')].filter(part => !part.closest('.scroll')
    && part.getBoundingClientRect().right > innerWidth + 1).map(part => part.outerHTML.slice(0, 120)).slice(0, 3)"""


async def violations_on(page: Page) -> list[str]:
    """List what axe finds on a page, and the parts that do not fit the width of the window."""
    if not await page.evaluate("() => 'axe' in window"):
        await page.evaluate(_axe())
    found: dict[str, Any] = await page.evaluate(_RUN, _TAGS)
    faults = [
        f"{violation['id']}: {node['html'][:160]} {node['failureSummary'][:200]}"
        for violation in found["violations"]
        for node in violation["nodes"][:2]
    ]
    return [*faults, *(f"too wide: {part}" for part in await page.evaluate(_TOO_WIDE))]


def _axe() -> str:
    (source,) = outside("axe")
    return Path(source).read_text(encoding="utf-8")


def markup_errors(pages: Mapping[str, str]) -> list[str]:
    """List the errors of the Nu Html Checker in pages by name, in a single run of it."""
    with tempfile.TemporaryDirectory() as folder:
        names = {}
        for number, (name, markup) in enumerate(pages.items()):
            file = Path(folder, f"{number}.html")
            file.write_text(markup, encoding="utf-8")
            names[str(file)] = name
        command = [*outside("vnu"), "--format", "json", "--errors-only", "--exit-zero-always", *names]
        process = subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)
    messages = json.loads(process.stderr or process.stdout)["messages"]
    return [
        f"{names.get(message.get('url', '').removeprefix('file:'), '?')}: {message['message']} "
        f"{message.get('extract', '')}"
        for message in messages
    ]
