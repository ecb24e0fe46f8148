"""The page of rights, `docs/access.md`, made from the table of rights."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from shared.access import (
    NEED_ALL_DATA,
    OPERATOR_WIDE,
    PARTICIPANT_ACTIONS,
    SCOPE_ACTIONS,
    Action,
    Principal,
    PrincipalKind,
    Scope,
    StaffRole,
)

WORDS: Final[dict[Action, str]] = {
    Action.SEE_OWN_RIGHTS: "see the own rights (`GET /v1/me`), sign out",
    Action.READ_EDITIONS: "read editions and sessions, download empty lists",
    Action.OPEN_EDITIONS: "open an edition",
    Action.CHANGE_EDITIONS: "change an edition, its zones, tables and sessions",
    Action.READ_ORGANISATIONS: "read organisations",
    Action.READ_PARTICIPANTS: "read participants",
    Action.REGISTER: "register organisations and participants",
    Action.CHANGE_PARTIES: "change, cancel, reinstate, replace and merge them",
    Action.REVOKE_LINKS: "end the links of a participant",
    Action.READ_REQUESTS: "read match requests",
    Action.CHANGE_REQUESTS: "make and answer match requests",
    Action.ACT_ON_OWN_REQUESTS: "make and answer match requests in the name of a participant",
    Action.CHANGE_CONSENTS: "record and withdraw the consents of a participant",
    Action.CHANGE_OWN_FACTS: "change profile, availability and sessions in the name of a participant",
    Action.READ_AGENDA: "read encounters",
    Action.PLAN_AGENDA: "read affinities, proposals, goals, waits and remedies; ask what-if questions",
    Action.EDIT_AGENDA: "edit the agenda by hand, ask for proposals",
    Action.REPORT_ATTENDANCE: "check people in, report attendance",
    Action.IMPORT: "import lists",
    Action.EXPORT: "export lists",
    Action.READ_AMENDMENTS: "read the changes that can be undone",
    Action.UNDO: "undo a change",
    Action.READ_HISTORY: "read the authors of changes",
    Action.READ_OBSERVATORY: "read the observatory",
    Action.HELP_WITH_PROFILES: "ask for help with a profile",
    Action.READ_EVENTS: "read and follow the change feed of an edition",
    Action.READ_ALL_EVENTS: "read and follow the change feed of the operator",
    Action.EXPORT_PERSON: "export all data of a person",
    Action.ERASE_PERSON: "erase people, set retention",
    Action.MANAGE_WEBHOOKS: "manage webhooks",
    Action.MANAGE_KEYS: "manage API keys",
    Action.MANAGE_STAFF: "manage staff accounts",
}
_INTRODUCTION: Final = """# Rights: who may do what

Made by `tertulia docs` from `shared/access.py`, the only place that decides. For operators and integrators.

A **principal** asks for an **action** on an edition: an API key with scopes, a staff account with a role
([sign-in](sign-in.md)), or a participant by the link of a mail. Every operation of the OpenAPI document names its
action (`x-action`). Rights can be for all editions of an operator, also future, or for some.

| Answer | Meaning |
|---|---|
| 401 `unauthorised` | No credential, or one that is unknown, revoked or expired |
| 403 `forbidden` | A right is missing: the answer names the right, and the person or command that grants it |
| 404 `not-found` | It does not exist, or it belongs to another operator, edition or participant: the same answer |

`GET /v1/me` tells a caller its own rights.

## API keys

`tertulia operator add` prints the key of an owner. An owner makes further keys by `POST /v1/keys` or `tertulia key
add OPERATOR --scope read --edition EDITION --days 90`; a key is shown once and kept as a hash. `GET /v1/keys` and
`tertulia key list` show scopes, editions, expiry, maker and last use (to the minute). `DELETE /v1/keys/{key_id}`
and `tertulia key revoke` end a key: at once in the process that does it, within `TERTULIA_KEY_CACHE_SECONDS` (60 at
most) in all. `POST /v1/keys/{key_id}/rotation` makes a successor with the same rights; the key before works on for
`overlap_minutes`. An operator has 100 keys in use at most. Keys of before there were scopes are owners' keys.

## Actions, scopes and roles

Columns in `code` are scopes; further columns are roles, or a participant. `own`: on the participant's own data only.
`(wide)`: the right has to be for all editions. `+ directory`: together with that scope."""
_PERSONAL: Final = """
## Personal data in answers

Answers leave out the fields that the caller may not see; names in encounters, previews and warnings go with them. A
search for a property needs the right to see it.

| Seen | By |
|---|---|
| Ids, codes, times and states | the scopes `read`, `write`, `webhooks`; the role government |
| also names and websites of organisations | the role viewer |
| also names, job titles and external ids of people | the scope `desk`, the role desk |
| all: addresses, telephone numbers, texts, blocks | `directory`, `owner`; organiser, owner; a participant: the own |

The schemas of the OpenAPI document are those of a caller who sees all.

## Authors of changes

Each change keeps its author, without a name: `key:`, `staff:`, `participant:` or `service:` and an id, or `clock`
for changes that the time makes. Events of `registration.v1` and `match-request.v1` carry `actor` and `changed`, the
names of the changed fields; causes in `encounter.v1` and `agenda.v1` carry `actor`. `GET .../history` of an
edition, organisation, participant or match request lists the last 100 revisions, and `tertulia why` the authors
behind an encounter. `GET /v1/keys` and `GET /v1/staff` tell whose the ids are."""


def lines() -> Iterator[str]:
    """Yield the lines of the page."""
    yield _INTRODUCTION
    scopes = [scope for scope in Scope if scope is not Scope.OWNER]
    roles = [role for role in StaffRole if role is not StaffRole.OWNER]
    yield ""
    columns = [*(f"`{scope}`" for scope in scopes), *roles, "owner", "participant"]
    yield f"| Action | Allows to | {' | '.join(columns)} |"
    yield "|---|---|" + "---|" * len(columns)
    for action in Action:
        cells = [_scope_cell(action, scope) for scope in scopes]
        cells += ["yes" if action in Principal(PrincipalKind.STAFF, role=role).actions else "" for role in roles]
        own = "own" if action in PARTICIPANT_ACTIONS else "yes" if action is Action.SEE_OWN_RIGHTS else ""
        words = f"{WORDS[action]} (wide)" if action in OPERATOR_WIDE else WORDS[action]
        yield f"| {action} | {words} | {' | '.join(cells)} | yes | {own} |"
    yield _PERSONAL


def _scope_cell(action: Action, scope: Scope) -> str:
    if action in Principal(PrincipalKind.KEY, scopes=frozenset({scope})).actions:
        return "yes"
    return "+ directory" if action in NEED_ALL_DATA & SCOPE_ACTIONS[scope] else ""
