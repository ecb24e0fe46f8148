"""Plans of merges: no request is lost or doubled, and the choices of both registrations count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.registration.domain.edition import Edition
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.participant import Participant, Stay
from services.registration.merge_plan import merged_fields, plan_requests
from shared.contract.events import RequestState
from tests.support.registration_api import edition_body

NOW = datetime(2026, 11, 1, 9, tzinfo=UTC)
WHO = {"operator_id": "itecam", "edition_id": "edn_1", "created_at": NOW, "changed_at": NOW}
ASKED, YES, NO, GONE = (
    RequestState.REQUESTED,
    RequestState.ACCEPTED,
    RequestState.DECLINED,
    RequestState.WITHDRAWN,
)


def request(requester: str, target: str | None, state: RequestState = ASKED) -> MatchRequest:
    name = f"req_{requester}_{target}_{state}"
    return MatchRequest.model_validate(
        {**WHO, "request_id": name, "requester_id": requester, "target_id": target, "state": state}
    )


@pytest.mark.parametrize(
    ("kept", "merged", "moved", "withdrawn", "slugs"),
    [
        ([], [request("dup", "c")], ["req_dup_c_requested"], [], []),
        ([], [request("c", "dup", YES)], ["req_c_dup_accepted"], [], []),
        ([], [request("c", "dup", NO)], ["req_c_dup_declined"], [], []),
        ([], [request("dup", "c", GONE)], [], [], []),
        ([], [request("dup", None)], ["req_dup_None_requested"], [], []),
        ([request("own", None)], [request("dup", None)], [], ["req_dup_None_requested"], ["both-seek"]),
        ([], [request("dup", "own")], [], ["req_dup_own_requested"], ["asked-each-other"]),
        ([], [request("own", "dup", YES)], [], ["req_own_dup_accepted"], ["asked-each-other"]),
        ([request("own", "c")], [request("dup", "c")], [], ["req_dup_c_requested"], ["asked-the-same"]),
        (
            [request("own", "c")],
            [request("dup", "c", YES)],
            ["req_dup_c_accepted"],
            ["req_own_c_requested"],
            ["asked-the-same"],
        ),
        ([request("own", "c", YES)], [request("dup", "c")], [], ["req_dup_c_requested"], ["asked-the-same"]),
        ([request("own", "c", NO)], [request("dup", "c")], [], ["req_dup_c_requested"], ["asked-the-same"]),
        ([request("own", "c")], [request("dup", "c", NO)], [], [], ["asked-the-same"]),
        ([request("c", "own")], [request("dup", "c")], ["req_dup_c_requested"], [], []),
    ],
)
def test_requests_of_both(
    kept: list[MatchRequest], merged: list[MatchRequest], moved: list[str], withdrawn: list[str], slugs: list[str]
) -> None:
    plan = plan_requests("own", "dup", kept, merged)
    assert [step.before.id for step in plan.steps if not step.is_withdrawn] == moved
    assert [step.before.id for step in plan.steps if step.is_withdrawn] == withdrawn
    assert [collision.slug for collision in plan.collisions] == slugs


PEOPLE = st.sampled_from(["own", "dup", "c", "d", "e"])
SIDES = st.tuples(PEOPLE, st.one_of(st.none(), PEOPLE)).filter(lambda sides: sides[0] != sides[1])


@given(drawn=st.dictionaries(SIDES, st.sampled_from([ASKED, YES, NO, GONE]), max_size=12))
def test_no_request_is_doubled_or_lost_by_a_merge(drawn: dict[tuple[str, str | None], RequestState]) -> None:
    requests = [request(*sides, state) for sides, state in drawn.items()]
    by_side = {name: [one for one in requests if name in (one.requester_id, one.target_id)] for name in ("own", "dup")}
    plan = plan_requests("own", "dup", by_side["own"], by_side["dup"])
    steps = {step.before.id: step for step in plan.steps}
    assert len(steps) == len(plan.steps)
    after = [step.after(one, NOW) if (step := steps.get(one.id)) else one for one in requests]
    live = [(one.requester_id, one.target_id) for one in after if one.state in LIVE]
    assert len(set(live)) == len(live)
    assert not any("dup" in sides or sides[0] == sides[1] for sides in live)
    wanted = {
        tuple("own" if side == "dup" else side for side in (one.requester_id, one.target_id))
        for one in requests
        if one.state in LIVE
    } - {("own", "own")}
    standing = {(one.requester_id, one.target_id) for one in after if one.state in LIVE or one.state is NO}
    assert wanted <= standing


def participant(name: str, **changes: Any) -> Participant:
    fields = {"participant_id": name, "organisation_id": "org_1", "name": "Ana", "email": f"{name}@x.example"}
    return Participant.model_validate({**WHO, **fields, "languages": ["es"], **changes})


def session(session_id: str, starts: str, ends: str) -> dict[str, Any]:
    return {
        "session_id": session_id,
        "kind": "panel",
        "title": session_id,
        "zone_id": "hall",
        "starts_at": f"2026-11-26T{starts}",
        "ends_at": f"2026-11-26T{ends}",
    }


EDITION = Edition.model_validate(
    {
        **WHO,
        **edition_body(
            sessions=[
                session("early", "09:00", "10:00"),
                session("overlapping", "09:30", "10:30"),
                session("late", "11:00", "12:00"),
            ]
        ),
    }
)


def hours(*pairs: tuple[int, int]) -> tuple[Stay, ...]:
    day = datetime(2026, 11, 26, tzinfo=UTC)
    return tuple(Stay(starts_at=day + timedelta(hours=a), ends_at=day + timedelta(hours=b)) for a, b in pairs)


@pytest.mark.parametrize(
    ("ours", "theirs", "both"),
    [
        ((), (), ()),
        (((8, 9),), (), ((8, 9),)),
        ((), ((8, 9),), ((8, 9),)),
        (((8, 9),), ((10, 11),), ((8, 9), (10, 11))),
        (((8, 10),), ((9, 11),), ((8, 11),)),
        (((8, 12),), ((9, 10),), ((8, 12),)),
    ],
)
def test_availability_of_both(
    ours: tuple[tuple[int, int], ...], theirs: tuple[tuple[int, int], ...], both: tuple[tuple[int, int], ...]
) -> None:
    kept, merged = participant("own", available=hours(*ours)), participant("dup", available=hours(*theirs))
    fields, _ = merged_fields(kept, merged, EDITION)
    assert fields.get("available", kept.available) == hours(*both)


def test_sessions_and_seats_of_both_but_none_at_the_same_time() -> None:
    kept = participant("own", session_ids=["early"])
    merged = participant("dup", session_ids=["overlapping", "late"], seats={"overlapping": 2, "late": 7})
    fields, collisions = merged_fields(kept, merged, EDITION)
    assert fields["session_ids"] == ("early", "late")
    assert fields["seats"] == {"late": 7}
    assert [(one.slug, one.ids) for one in collisions] == [("sessions-overlap", ("overlapping",))]


def test_a_place_in_line_moves_with_its_time_and_gives_way_to_a_seat() -> None:
    earlier = NOW - timedelta(days=1)
    kept = participant("own", waiting_session_ids=["late"], waiting_since={"late": NOW})
    merged = participant("dup", waiting_session_ids=["late"], waiting_since={"late": earlier})
    assert merged_fields(kept, merged, EDITION)[0]["waiting_since"] == {"late": earlier}
    seated = participant("dup", session_ids=["late"], seats={"late": 1})
    fields, _ = merged_fields(kept, seated, EDITION)
    assert (fields["session_ids"], fields["waiting_session_ids"], fields["seats"]) == (("late",), (), {"late": 1})


def test_empty_fields_are_filled_and_blocks_of_both_count() -> None:
    kept = participant("own", phone="1", blocked_ids=["x", "dup"])
    merged = participant("dup", phone="2", job_title="CEO", external_id="7", blocked_ids=["own", "y"])
    fields, collisions = merged_fields(kept, merged, EDITION)
    assert fields["blocked_ids"] == ("x", "y")
    assert (fields["job_title"], fields["external_id"]) == ("CEO", "7")
    assert "phone" not in fields
    assert collisions == []
    moved = merged.model_copy(update={"organisation_id": "org_2"})
    assert [one.slug for one in merged_fields(kept, moved, EDITION)[1]] == ["two-organisations"]
