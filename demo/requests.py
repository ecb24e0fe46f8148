"""Who asks whom: sensible pairs, where a need meets an offer, with a heavy-tailed popularity, and their answers."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from demo.participants import scaled
from demo.plan import PlannedOrganisation, PlannedParticipant, PlannedRequest, RequestOutcome, RequestStep

#: At full scale: 700 requests, 60 of them open; of the others 616 are accepted.
ACCEPTED, DECLINED, WITHDRAWN, UNANSWERED, OPEN = 616, 12, 6, 6, 60
#: The most encounters a participant may have (`quotas.max_encounters`), and how many sought-after ones want more.
MOST_ENCOUNTERS = 12
OVERBOOKED = 2
#: The share of their free slots that the others fill at most.
_FULLEST = 0.6


class _RequestDraw:
    """The draw in progress: which pairs exist, and how many encounters each participant has been promised."""

    def __init__(self, random: Random, participants: Sequence[PlannedParticipant], scale: float) -> None:
        self._random = random
        self._participants = participants
        self._fame = {one.key: min(random.paretovariate(1.2), 12.0) for one in participants}
        self._appetite = {one.key: min(random.paretovariate(1.3), 8.0) for one in participants}
        self._promised: Counter[str] = Counter()
        self._pairs: set[frozenset[str]] = set()
        famous = sorted(participants, key=lambda one: (-self._fame[one.key], one.key))
        self._overbooked = {one.key for one in famous[: round(OVERBOOKED * scale)]}

    def draw_requester(self) -> PlannedParticipant:
        """One who asks: the keen ask more often."""
        return self._random.choices(self._participants, [self._appetite[one.key] for one in self._participants])[0]

    def draw_target(self, requester: PlannedParticipant) -> PlannedParticipant | None:
        """One whom the requester would want to meet, or None when nobody is left."""
        if not self._has_room(requester):
            return None
        weights = [self._weight(requester, one) for one in self._participants]
        target = self._random.choices(self._participants, weights)[0] if any(weights) else None
        if target is not None:
            self._pairs.add(frozenset((requester.key, target.key)))
        return target

    def promise(self, *participants: PlannedParticipant) -> None:
        """Counts an encounter to come."""
        self._promised.update(one.key for one in participants)

    def _has_room(self, one: PlannedParticipant) -> bool:
        if one.key in self._overbooked:
            return self._promised[one.key] < MOST_ENCOUNTERS + 2
        return self._promised[one.key] < min(MOST_ENCOUNTERS - 2, int(one.free_slots * _FULLEST))

    def _weight(self, requester: PlannedParticipant, target: PlannedParticipant) -> float:
        if (
            requester.organisation is target.organisation
            or frozenset((requester.key, target.key)) in self._pairs
            or not self._has_room(target)
        ):
            return 0.0
        return self._fame[target.key] * _interest(requester.organisation, target.organisation)


def _interest(one: PlannedOrganisation, other: PlannedOrganisation) -> float:
    if other.industry in one.buys:
        interest = 10.0
    elif one.industry in other.buys:
        interest = 5.0
    else:
        interest = 0.1
    return interest * (1.6 if one.country != other.country else 1.0)


def draw_requests(
    random: Random, participants: Sequence[PlannedParticipant], scale: float
) -> tuple[PlannedRequest, ...]:
    """All match requests in the order they are made: everybody asks once, then the keen ask more."""
    wishes = _RequestDraw(random, participants, scale)
    shares = (
        (RequestOutcome.ACCEPTED, ACCEPTED),
        (RequestOutcome.DECLINED, DECLINED),
        (RequestOutcome.WITHDRAWN, WITHDRAWN),
    )
    outcomes = [outcome for outcome, amount in shares for _ in range(scaled(amount, scale))]
    outcomes += [RequestOutcome.UNANSWERED] * scaled(UNANSWERED, scale)
    random.shuffle(outcomes)
    first_round = random.sample(list(participants), len(participants))
    requests: list[PlannedRequest] = []
    while outcomes:
        requester = first_round.pop() if first_round else wishes.draw_requester()
        target = wishes.draw_target(requester)
        if target is None:
            continue
        outcome = outcomes.pop()
        if outcome in {RequestOutcome.ACCEPTED, RequestOutcome.UNANSWERED}:
            wishes.promise(requester, target)
        requests.append(_request(random, len(requests), requester, target, outcome))
    for requester in random.sample(list(participants), scaled(OPEN, scale)):
        requests.append(_request(random, len(requests), requester, None, RequestOutcome.UNANSWERED))
    return tuple(random.sample(requests, len(requests)))


def _request(
    random: Random,
    number: int,
    requester: PlannedParticipant,
    target: PlannedParticipant | None,
    outcome: RequestOutcome,
) -> PlannedRequest:
    return PlannedRequest(
        key=f"req-{number:03}",
        requester=requester,
        target=target,
        outcome=outcome,
        priority=random.choices((1, 2, 3), (2, 5, 3))[0],
        partners_wanted=random.choice((1, 2)) if target is None else 1,
    )


def draw_steps(random: Random, requests: Sequence[PlannedRequest]) -> tuple[RequestStep, ...]:
    """Requests and answers as they come over the run: an answer some requests after its question, never before it."""
    timed = [(float(tick), RequestStep(request, is_answer=False)) for tick, request in enumerate(requests)]
    timed += [
        (tick + random.uniform(5, 80), RequestStep(request, is_answer=True))
        for tick, request in enumerate(requests)
        if request.outcome is not RequestOutcome.UNANSWERED
    ]
    return tuple(step for _, step in sorted(timed, key=lambda pair: pair[0]))
