"""The rights of an operator's people and keys: principals, actions, and the only table of rights.

Pure: a principal asks for an action on an edition, and `require` answers. Routes, pages, streams and webhooks ask here.
Another operator's or edition's thing looks unknown (`NotVisible`, 404); a missing right is named (`MissingRight`, 403).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum, StrEnum
from typing import Final


class PrincipalKind(StrEnum):
    """The kind of an author of requests and changes."""

    KEY = "key"
    STAFF = "staff"
    PARTICIPANT = "participant"
    SERVICE = "service"
    CLOCK = "clock"


class Scope(StrEnum):
    """A right of an API key. `owner` holds all rights, and manages keys and staff."""

    READ = "read"
    WRITE = "write"
    DIRECTORY = "directory"
    DESK = "desk"
    WEBHOOKS = "webhooks"
    OWNER = "owner"


class StaffRole(StrEnum):
    """The role of a staff account."""

    OWNER = "owner"
    ORGANISER = "organiser"
    DESK = "desk"
    VIEWER = "viewer"
    GOVERNMENT = "government"


class Action(StrEnum):
    """An action on an edition, or on an operator; routes of the API name them."""

    SEE_OWN_RIGHTS = "me.read"
    READ_EDITIONS = "editions.read"
    OPEN_EDITIONS = "editions.open"
    CHANGE_EDITIONS = "editions.change"
    READ_ORGANISATIONS = "organisations.read"
    READ_PARTICIPANTS = "participants.read"
    REGISTER = "parties.register"
    CHANGE_PARTIES = "parties.change"
    REVOKE_LINKS = "links.revoke"
    READ_REQUESTS = "requests.read"
    CHANGE_REQUESTS = "requests.change"
    ACT_ON_OWN_REQUESTS = "requests.own"
    CHANGE_CONSENTS = "consents.change"
    CHANGE_OWN_FACTS = "person.change"
    READ_AGENDA = "agenda.read"
    PLAN_AGENDA = "agenda.plan"
    EDIT_AGENDA = "agenda.edit"
    REPORT_ATTENDANCE = "desk.report"
    IMPORT = "lists.import"
    EXPORT = "lists.export"
    READ_AMENDMENTS = "amendments.read"
    UNDO = "amendments.undo"
    READ_HISTORY = "history.read"
    READ_OBSERVATORY = "observatory.read"
    HELP_WITH_PROFILES = "profiles.help"
    READ_EVENTS = "events.read"
    READ_ALL_EVENTS = "events.read-all"
    EXPORT_PERSON = "person.export"
    ERASE_PERSON = "person.erase"
    MANAGE_WEBHOOKS = "webhooks.manage"
    MANAGE_KEYS = "keys.manage"
    MANAGE_STAFF = "staff.manage"


class Sight(IntEnum):
    """The personal data that a principal sees; a level includes the levels below."""

    #: Ids of people and organisations, codes, times and states.
    IDS = 0
    #: Organisations with their names, besides.
    ORGANISATIONS = 1
    #: Names and job titles of people, besides.
    NAMES = 2
    #: Addresses, telephone numbers, profile texts, blocks and declines, besides.
    ALL = 3


_READ: Final = frozenset(
    {
        Action.READ_EDITIONS,
        Action.READ_ORGANISATIONS,
        Action.READ_PARTICIPANTS,
        Action.READ_REQUESTS,
        Action.READ_AGENDA,
        Action.PLAN_AGENDA,
        Action.READ_AMENDMENTS,
        Action.READ_HISTORY,
        Action.READ_OBSERVATORY,
        Action.READ_EVENTS,
        Action.READ_ALL_EVENTS,
        Action.HELP_WITH_PROFILES,
    }
)
_WRITE: Final = frozenset(
    {
        Action.OPEN_EDITIONS,
        Action.CHANGE_EDITIONS,
        Action.REGISTER,
        Action.CHANGE_PARTIES,
        Action.REVOKE_LINKS,
        Action.CHANGE_REQUESTS,
        Action.ACT_ON_OWN_REQUESTS,
        Action.CHANGE_CONSENTS,
        Action.CHANGE_OWN_FACTS,
        Action.EDIT_AGENDA,
        Action.REPORT_ATTENDANCE,
        Action.IMPORT,
        Action.UNDO,
        Action.HELP_WITH_PROFILES,
        Action.ERASE_PERSON,
    }
)
_DIRECTORY: Final = frozenset(
    {
        Action.READ_EDITIONS,
        Action.READ_ORGANISATIONS,
        Action.READ_PARTICIPANTS,
        Action.EXPORT,
        Action.EXPORT_PERSON,
    }
)
#: Search and check-in of people, walk-ins, and the agendas that a helper prints.
_DESK: Final = frozenset(
    {
        Action.READ_EDITIONS,
        Action.READ_ORGANISATIONS,
        Action.READ_PARTICIPANTS,
        Action.READ_AGENDA,
        Action.REGISTER,
        Action.REPORT_ATTENDANCE,
    }
)
_ALL: Final = frozenset(Action)

SCOPE_ACTIONS: Final[Mapping[Scope, frozenset[Action]]] = {
    Scope.READ: _READ,
    Scope.WRITE: _WRITE,
    Scope.DIRECTORY: _DIRECTORY,
    Scope.DESK: _DESK,
    Scope.WEBHOOKS: frozenset({Action.MANAGE_WEBHOOKS}),
    Scope.OWNER: _ALL,
}
ROLE_ACTIONS: Final[Mapping[StaffRole, frozenset[Action]]] = {
    StaffRole.OWNER: _ALL,
    StaffRole.ORGANISER: _ALL - {Action.MANAGE_WEBHOOKS, Action.MANAGE_KEYS, Action.MANAGE_STAFF},
    StaffRole.DESK: _DESK,
    StaffRole.VIEWER: frozenset(
        {
            Action.READ_EDITIONS,
            Action.READ_ORGANISATIONS,
            Action.READ_PARTICIPANTS,
            Action.READ_AGENDA,
            Action.PLAN_AGENDA,
            Action.READ_OBSERVATORY,
        }
    ),
    StaffRole.GOVERNMENT: frozenset({Action.READ_OBSERVATORY}),
}
#: Actions of a participant with a link, on the participant's own data only.
PARTICIPANT_ACTIONS: Final = frozenset(
    {Action.READ_PARTICIPANTS, Action.ACT_ON_OWN_REQUESTS, Action.CHANGE_CONSENTS, Action.CHANGE_OWN_FACTS}
)
#: Actions on the operator as a whole: a principal of some editions may not do them.
OPERATOR_WIDE: Final = frozenset(
    {Action.OPEN_EDITIONS, Action.READ_ALL_EVENTS, Action.MANAGE_KEYS, Action.MANAGE_STAFF}
)
#: Actions whose answers cannot leave personal data out.
NEED_ALL_DATA: Final = frozenset({Action.IMPORT, Action.EXPORT, Action.EXPORT_PERSON})

_SIGHT_OF_SCOPE: Final = {Scope.OWNER: Sight.ALL, Scope.DIRECTORY: Sight.ALL, Scope.DESK: Sight.NAMES}
_SIGHT_OF_ROLE: Final = {
    StaffRole.OWNER: Sight.ALL,
    StaffRole.ORGANISER: Sight.ALL,
    StaffRole.DESK: Sight.NAMES,
    StaffRole.VIEWER: Sight.ORGANISATIONS,
    StaffRole.GOVERNMENT: Sight.IDS,
}


class NotVisible(Exception):
    """The edition or the participant looks unknown to the principal."""


class MissingRight(Exception):
    """The principal lacks a right; the message names it, and the person or command that grants it."""


@dataclass(frozen=True)
class Principal:
    """The author of a request or a change. `editions` of None means all editions of the operator."""

    kind: PrincipalKind
    id: str = ""
    operator_id: str = ""
    scopes: frozenset[Scope] = frozenset()
    role: StaffRole | None = None
    editions: frozenset[str] | None = None
    expires_at: datetime | None = None

    @property
    def actor(self) -> str:
        """The principal as records keep it: `key:`, `staff:`, `participant:` or `service:` and an id, or `clock`."""
        return f"{self.kind}:{self.id}" if self.id else str(self.kind)

    @property
    def actions(self) -> frozenset[Action]:
        """All actions of the principal, on any of its editions."""
        allowed = {action for action in Action if _has(self, action)}
        return frozenset(allowed - OPERATOR_WIDE if self.editions is not None else allowed)

    @property
    def sight(self) -> Sight:
        """The personal data that the principal sees. A participant sees the own data whole."""
        match self.kind:
            case PrincipalKind.KEY:
                return max((_SIGHT_OF_SCOPE.get(scope, Sight.IDS) for scope in self.scopes), default=Sight.IDS)
            case PrincipalKind.STAFF:
                return _SIGHT_OF_ROLE[self.role] if self.role else Sight.IDS
        return Sight.ALL


#: The author of changes that the time makes: expiry, phases, lines.
CLOCK: Final = Principal(PrincipalKind.CLOCK)


def sees(principal: Principal, edition_id: str | None, participant_id: str | None = None) -> bool:
    """Tell whether an edition, and a participant in it, exist for a principal, as far as rights decide it."""
    if edition_id is not None and principal.editions is not None and edition_id not in principal.editions:
        return False
    is_participant = principal.kind is PrincipalKind.PARTICIPANT
    return not is_participant or participant_id is None or participant_id == principal.id


def may(principal: Principal, action: Action, edition_id: str | None = None, participant_id: str | None = None) -> bool:
    """Tell whether a principal may do an action on an edition, or on the operator (None).

    A participant may act only where the request names the participant.
    """
    if not sees(principal, edition_id, participant_id) or action not in principal.actions:
        return False
    is_participant = principal.kind is PrincipalKind.PARTICIPANT
    return not is_participant or action is Action.SEE_OWN_RIGHTS or participant_id is not None


def require(
    principal: Principal, action: Action, edition_id: str | None = None, participant_id: str | None = None
) -> None:
    """Return if `may` allows it.

    Raises:
        NotVisible: the edition or the participant is not the principal's.
        MissingRight: the principal has no right to the action.
    """
    if not sees(principal, edition_id, participant_id):
        raise NotVisible("there is no such edition" if participant_id is None else "there is no such participant")
    if not may(principal, action, edition_id, participant_id):
        raise MissingRight(_missing(principal, action))


def _has(principal: Principal, action: Action) -> bool:
    """Tell whether scopes or role hold an action."""
    match principal.kind:
        case PrincipalKind.KEY:
            held = any(action in SCOPE_ACTIONS[scope] for scope in principal.scopes)
        case PrincipalKind.STAFF:
            held = principal.role is not None and action in ROLE_ACTIONS[principal.role]
        case PrincipalKind.PARTICIPANT:
            held = action in PARTICIPANT_ACTIONS
        case _:
            return False
    has_sight = action not in NEED_ALL_DATA or principal.sight is Sight.ALL
    return (held and has_sight) or action is Action.SEE_OWN_RIGHTS


def _missing(principal: Principal, action: Action) -> str:
    """Return the missing right in words, with the remedy."""
    if principal.kind is PrincipalKind.PARTICIPANT:
        return f"a participant's link does not allow {action}: ask the organiser"
    if action in OPERATOR_WIDE and _has(principal, action):
        return f"{action} concerns the operator as a whole, and your rights are for some editions: ask an owner"
    if principal.kind is PrincipalKind.STAFF:
        roles = " or ".join(role for role in reversed(StaffRole) if action in ROLE_ACTIONS[role])
        return f"your role, {principal.role}, does not allow {action}: it needs the role {roles}, which an owner gives"
    scopes = " or ".join(scope for scope in Scope if action in SCOPE_ACTIONS[scope])
    beside = f", besides {Scope.DIRECTORY}" if action in NEED_ALL_DATA and action not in _DIRECTORY else ""
    held = ", ".join(sorted(principal.scopes)) or "none"
    return (
        f"this key does not allow {action}: it needs the scope {scopes}{beside}, and has {held}. "
        "An owner makes such a key: POST /v1/keys, or `tertulia key add`"
    )
