"""The table of rights: scopes, roles, editions, participants."""

from __future__ import annotations

import pytest

from shared.access import (
    CLOCK,
    PARTICIPANT_ACTIONS,
    Action,
    MissingRight,
    NotVisible,
    Principal,
    PrincipalKind,
    Scope,
    Sight,
    StaffRole,
    may,
    require,
)
from tests.support.principals import key_principal, staff_principal

PARTICIPANT = Principal(PrincipalKind.PARTICIPANT, "prt_1", "itecam", editions=frozenset({"edn_1"}))


def test_an_owner_may_do_everything() -> None:
    assert key_principal(Scope.OWNER).actions == staff_principal(StaffRole.OWNER).actions == frozenset(Action)


def test_rights_of_several_scopes_add_up() -> None:
    assert not may(key_principal(Scope.READ), Action.CHANGE_PARTIES, "edn_1")
    assert not may(key_principal(Scope.WRITE), Action.READ_PARTICIPANTS, "edn_1")
    both = key_principal(Scope.READ, Scope.WRITE)
    assert both.actions == key_principal(Scope.READ).actions | key_principal(Scope.WRITE).actions


def test_lists_need_the_directory_besides_the_right_to_write() -> None:
    assert not may(key_principal(Scope.WRITE), Action.IMPORT, "edn_1")
    assert not may(key_principal(Scope.DIRECTORY), Action.IMPORT, "edn_1")
    assert may(key_principal(Scope.WRITE, Scope.DIRECTORY), Action.IMPORT, "edn_1")


def test_an_edition_that_is_not_the_principal_s_looks_unknown() -> None:
    limited = key_principal(Scope.READ, editions=frozenset({"edn_1"}))
    assert may(limited, Action.READ_EDITIONS, "edn_1")
    with pytest.raises(NotVisible, match="there is no such edition"):
        require(limited, Action.READ_EDITIONS, "edn_2")


@pytest.mark.parametrize("action", [Action.OPEN_EDITIONS, Action.MANAGE_KEYS, Action.MANAGE_STAFF])
def test_rights_for_some_editions_do_not_reach_the_operator(action: Action) -> None:
    with pytest.raises(MissingRight, match="concerns the operator as a whole"):
        require(staff_principal(StaffRole.OWNER, frozenset({"edn_1"})), action)


def test_the_government_reads_the_observatory_and_its_own_rights_alone() -> None:
    assert staff_principal(StaffRole.GOVERNMENT).actions == {Action.READ_OBSERVATORY, Action.SEE_OWN_RIGHTS}


def test_a_participant_acts_on_the_own_data_alone() -> None:
    for action in PARTICIPANT_ACTIONS:
        assert may(PARTICIPANT, action, "edn_1", "prt_1")
        assert not may(PARTICIPANT, action, "edn_1")
        assert not may(PARTICIPANT, action, "edn_1", "prt_2")
        assert not may(PARTICIPANT, action, "edn_2", "prt_1")
    with pytest.raises(NotVisible, match="there is no such participant"):
        require(PARTICIPANT, Action.READ_PARTICIPANTS, "edn_1", "prt_2")


def test_clock_and_services_call_no_route() -> None:
    for principal in (CLOCK, Principal(PrincipalKind.SERVICE, "scheduler")):
        assert not principal.actions


def test_a_missing_right_names_the_grant_and_the_granter() -> None:
    with pytest.raises(MissingRight, match=r"scope write or owner, and has desk, read.*`tertulia key add`"):
        require(key_principal(Scope.READ, Scope.DESK), Action.CHANGE_PARTIES, "edn_1")
    with pytest.raises(MissingRight, match="besides directory"):
        require(key_principal(Scope.WRITE), Action.IMPORT, "edn_1")
    with pytest.raises(MissingRight, match=r"your role, viewer, .* organiser or owner, which an owner gives"):
        require(staff_principal(StaffRole.VIEWER), Action.CHANGE_PARTIES, "edn_1")
    with pytest.raises(MissingRight, match="ask the organiser"):
        require(PARTICIPANT, Action.CHANGE_PARTIES, "edn_1", "prt_1")


@pytest.mark.parametrize(
    ("principal", "sight"),
    [
        (key_principal(Scope.READ), Sight.IDS),
        (key_principal(Scope.READ, Scope.DESK), Sight.NAMES),
        (key_principal(Scope.DESK, Scope.DIRECTORY), Sight.ALL),
        (staff_principal(StaffRole.VIEWER), Sight.ORGANISATIONS),
        (staff_principal(StaffRole.GOVERNMENT), Sight.IDS),
        (PARTICIPANT, Sight.ALL),
    ],
)
def test_scopes_and_roles_decide_on_personal_data(principal: Principal, sight: Sight) -> None:
    assert principal.sight is sight


def test_an_actor_is_a_kind_and_an_id() -> None:
    assert [key_principal().actor, staff_principal(StaffRole.DESK).actor, PARTICIPANT.actor, CLOCK.actor] == [
        "key:k1",
        "staff:s1",
        "participant:prt_1",
        "clock",
    ]
