"""Plans of merges: the requests and the fields of two registrations of the same person, and their conflicts. Pure."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from services.registration.domain.edition import Edition
from services.registration.domain.match_request import LIVE, MatchRequest
from services.registration.domain.participant import Participant, ProfileFacts, Stay
from shared.contract.events import RequestState, Session

_MOST_STAYS: Final = 50
_MOST_BLOCKED: Final = 100
_MOST_DECLINED: Final = 500


@dataclass(frozen=True)
class Collision:
    """Parts of two registrations that cannot both stay: `slug` names the kind, `ids` the requests or sessions."""

    slug: str
    message: str
    ids: tuple[str, ...] = ()


@dataclass(frozen=True)
class MergeStep:
    """A request before a merge, and its sides and its state after it."""

    before: MatchRequest
    requester_id: str
    target_id: str | None
    state: RequestState

    @property
    def is_withdrawn(self) -> bool:
        """True if the merge withdraws the request."""
        return self.state is RequestState.WITHDRAWN

    def after(self, request: MatchRequest, now: datetime) -> MatchRequest:
        """Return the next revision of the request; the request itself if it has changed otherwise meanwhile."""
        sides = (request.requester_id, request.target_id, request.state)
        if sides != (self.before.requester_id, self.before.target_id, self.before.state):
            return request
        return request.changed(now, requester_id=self.requester_id, target_id=self.target_id, state=self.state)


@dataclass
class RequestPlan:
    """The steps of the requests of a merge, withdrawals first, and the collisions."""

    steps: list[MergeStep] = field(default_factory=list)
    collisions: list[Collision] = field(default_factory=list)


def plan_requests(
    kept_id: str, merged_id: str, kept: Iterable[MatchRequest], merged: Iterable[MatchRequest]
) -> RequestPlan:
    """Plan the requests of the merged registration.

    They go to the kept registration. A request between the two is withdrawn. Of two requests to the same target, or of
    the same requester, the accepted request stays, else the request of the kept registration.
    """
    plan = RequestPlan()
    there = {(request.requester_id, request.target_id): request for request in kept if _stands(request)}
    for request in sorted(filter(_stands, merged), key=lambda one: one.id):
        requester_id, target_id = (
            kept_id if side == merged_id else side for side in (request.requester_id, request.target_id)
        )
        assert requester_id is not None  # noqa: S101 - only a target may be missing
        if requester_id == target_id:
            plan.steps += _withdrawn(request)
            plan.collisions.append(Collision("asked-each-other", "the two have asked each other", (request.id,)))
            continue
        twin = there.get((requester_id, target_id))
        if twin is not None:
            plan.collisions.append(_same(request, twin))
            if not (request.state is RequestState.ACCEPTED and twin.state is RequestState.REQUESTED):
                plan.steps += _withdrawn(request)
                continue
            plan.steps += _withdrawn(twin)
        there[requester_id, target_id] = request
        plan.steps.append(MergeStep(request, requester_id, target_id, request.state))
    plan.steps.sort(key=lambda step: not step.is_withdrawn)
    return plan


def _stands(request: MatchRequest) -> bool:
    return request.state in LIVE or request.state is RequestState.DECLINED


def _withdrawn(request: MatchRequest) -> Iterator[MergeStep]:
    """Yield the withdrawal of a live request. A declined request stays as it is: it asks for nothing any more."""
    if request.state in LIVE:
        yield MergeStep(request, request.requester_id, request.target_id, RequestState.WITHDRAWN)


def _same(request: MatchRequest, twin: MatchRequest) -> Collision:
    if request.target_id is None:
        return Collision("both-seek", "both ask the system for partners", (twin.id, request.id))
    return Collision("asked-the-same", "both asked the same person, or were asked by the same", (twin.id, request.id))


def merged_fields(kept: Participant, merged: Participant, edition: Edition) -> tuple[dict[str, Any], list[Collision]]:
    """Return the fields of the kept participant after a merge, and the collisions.

    A field of the kept participant stays; an empty field is filled. Sessions and blocks of both count, and so does the
    availability of both if both have stated times.
    """
    fields: dict[str, Any] = _fields_of_person(kept, merged)
    available = _availability(kept.following(edition).available, merged.following(edition).available)
    if available != kept.available:
        fields |= {"available": available, "calendar": edition.calendar}
    sessions, collisions = _sessions(kept, merged, edition)
    fields |= sessions
    both = {kept.id, merged.id}
    for name, most in (("blocked_ids", _MOST_BLOCKED), ("declined_ids", _MOST_DECLINED)):
        fields[name] = tuple(dict.fromkeys(_without(both, (*getattr(kept, name), *getattr(merged, name)))))[:most]
    fields["checked_in"] = kept.checked_in or merged.checked_in
    if kept.organisation_id != merged.organisation_id:
        collisions.append(
            Collision(
                "two-organisations", "they represent two organisations", (kept.organisation_id, merged.organisation_id)
            )
        )
    changed = {name: value for name, value in fields.items() if value != getattr(kept, name)}
    return changed, collisions


def _fields_of_person(kept: Participant, merged: Participant) -> dict[str, Any]:
    ours, theirs = kept.profile, merged.profile
    profile = ProfileFacts(
        offers=ours.offers or theirs.offers, needs=ours.needs or theirs.needs, codes=ours.codes or theirs.codes
    )
    filled = {name: getattr(kept, name) or getattr(merged, name) for name in ("job_title", "phone", "external_id")}
    return {"profile": profile, **filled}


def _availability(ours: tuple[Stay, ...], theirs: tuple[Stay, ...]) -> tuple[Stay, ...]:
    """Return the times of both, joined where they meet. A registration without times states nothing."""
    if not ours or not theirs:
        return ours or theirs
    joined: list[Stay] = []
    for stay in sorted((*ours, *theirs), key=lambda one: one.starts_at):
        if joined and stay.starts_at <= joined[-1].ends_at:
            joined[-1] = Stay(starts_at=joined[-1].starts_at, ends_at=max(joined[-1].ends_at, stay.ends_at))
        else:
            joined.append(stay)
    return tuple(joined) if len(joined) <= _MOST_STAYS else ours


def _sessions(kept: Participant, merged: Participant, edition: Edition) -> tuple[dict[str, Any], list[Collision]]:
    """Return the sessions of both, with their seats and places in line; sessions at the same time are left out."""
    by_id = {session.session_id: session.in_zone(edition.timezone) for session in edition.sessions}
    attended, waiting = list(kept.session_ids), dict(kept.waiting_since)
    seats, left = dict(kept.seats), []
    for session_id in merged.session_ids:
        if session_id in attended:
            continue
        if _overlaps(
            by_id.get(session_id),
            [by_id[name] for name in (*attended, *waiting) if name in by_id and name != session_id],
        ):
            left.append(session_id)
            continue
        attended.append(session_id)
        waiting.pop(session_id, None)
        if session_id in merged.seats:
            seats[session_id] = merged.seats[session_id]
    for session_id, since in merged.waiting_since.items():
        if session_id in attended:
            continue
        here = [by_id[name] for name in (*attended, *waiting) if name in by_id and name != session_id]
        if session_id not in waiting and _overlaps(by_id.get(session_id), here):
            left.append(session_id)
        else:
            waiting[session_id] = min(since, waiting.get(session_id, since))
    fields = {
        "session_ids": tuple(attended),
        "seats": seats,
        "waiting_since": waiting,
        "waiting_session_ids": tuple(waiting),
    }
    collision = Collision("sessions-overlap", "sessions of the two are at the same time", tuple(left))
    return fields, [collision] if left else []


def _overlaps(session: Session | None, others: Iterable[Session]) -> bool:
    return session is not None and any(
        session.starts_at < there.ends_at and there.starts_at < session.ends_at for there in others
    )


def _without(ids: Collection[str], listed: Iterable[str]) -> Iterator[str]:
    return (listed_id for listed_id in listed if listed_id not in ids)
