"""The addresses of the running demo as `addresses.json`: a link for each role, while the stack is up."""

from __future__ import annotations

import json
import re
from datetime import timedelta
from pathlib import Path

from pydantic import SecretStr

from deploy.embedded.stack import Stack
from services.registration.keys import digest_of, new_secret
from services.registration.settings import Settings
from services.registration.staff.accounts import StaffFacts, StaffMember
from services.registration.staff.store import MongoStaff
from shared.access import StaffRole
from shared.runtime.clock import utc_now
from shared.storage.mongo import Mongo

#: A link of the demo is for the day. A mailed link is for minutes.
_LINK_LIFE = timedelta(hours=12)
#: Role, and the name of its address.
_STAFF = {"organiser": StaffRole.ORGANISER, "desk": StaffRole.DESK, "wall": StaffRole.VIEWER}
_LINKS = {
    "participant": r"https?://[^\s<>\"]+/p/L1\.[\w.-]+",
    "feed": r"(?:webcal|https?)://[^\s<>\"]+/feeds/L1\.[\w.-]+/agenda\.ics",
}


async def write_addresses(output: Path, stack: Stack, edition_id: str, operator_id: str) -> None:
    """Write `addresses.json`: the portal, a participant's page and feed, and sign-in links of organiser, desk and wall.

    The participant is that of `agenda.html`.
    """
    portal = stack.addresses["portal"]
    mailed = (output / "agenda.html").read_text(encoding="utf-8") if (output / "agenda.html").exists() else ""
    found = {name: re.search(pattern, mailed) for name, pattern in _LINKS.items()}
    addresses = {"portal": portal, **{name: _over_http(match.group()) for name, match in found.items() if match}}
    for name, link in (await _sign_in_links(stack, edition_id, operator_id)).items():
        addresses[name] = f"{portal}/sign-in?link={link}"
    (output / "addresses.json").write_text(json.dumps(addresses, indent=1) + "\n", encoding="utf-8")


def _over_http(address: str) -> str:
    """Return an address for programs that do not know `webcal`."""
    return re.sub(r"^webcal:", "http:", address)


async def _sign_in_links(stack: Stack, edition_id: str, operator_id: str) -> dict[str, str]:
    """Make an account for each role, and return the secrets of their links by name."""
    settings = Settings(mongo_url=SecretStr(stack.addresses["mongo"]))
    mongo, links = Mongo(settings), {}
    try:
        staff = MongoStaff(mongo.database(settings.database))
        for name, role in _STAFF.items():
            facts = StaffFacts(email=f"{name}@demo.example", name=name.capitalize(), role=role, editions=(edition_id,))
            member, links[name] = StaffMember.made(facts, operator_id, utc_now(), "service:demo"), new_secret()
            await staff.add(member)
            await staff.add_link(digest_of(links[name]), member, utc_now() + _LINK_LIFE)
    finally:
        await mongo.close()
    return links
