"""Match requests and their answers, drawn from a seed: needs meet offers, and popularity has a heavy tail."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from random import Random

from demo.participants import scaled
from demo.plan import PlannedOrganisation, PlannedParticipant, PlannedRequest, RequestOutcome, RequestStep

#: At full scale: 700 requests, of which 60 are open and 616 are accepted.
ACCEPTED, DECLINED, WITHDRAWN, UNANSWERED, OPEN = 616, 12, 6, 6, 60
#: Most encounters of a participant (`quotas.max_encounters`), and the number of participants who want more.
MOST_ENCOUNTERS = 12
OVERBOOKED = 2
#: Largest share of their free slots that the remaining participants fill.
_MOST_FILLED = 0.6


class _RequestDraw:
    """The draw in progress: the pairs drawn, and the number of encounters promised to participants."""

    def __init__(self, random: Random, participants: Sequence[PlannedParticipant], scale: float) -> None:
        self._random = random
        self._participants = participants
        self._fame = {participant.key: min(random.paretovariate(1.2), 12.0) for participant in participants}
        self._appetite = {participant.key: min(random.paretovariate(1.3), 8.0) for participant in participants}
        self._promised: Counter[str] = Counter()
        self._pairs: set[frozenset[str]] = set()
        famous = sorted(participants, key=lambda participant: (-self._fame[participant.key], participant.key))
        self._overbooked = {participant.key for participant in famous[: round(OVERBOOKED * scale)]}

    def draw_requester(self) -> PlannedParticipant:
        """Draw a requester, in proportion to appetite."""
        weights = [self._appetite[participant.key] for participant in self._participants]
        return self._random.choices(self._participants, weights)[0]

    def draw_target(self, requester: PlannedParticipant) -> PlannedParticipant | None:
        """Draw a target of interest to the requester, or None if no participant is left."""
        if not self._has_room(requester):
            return None
        weights = [self._weight(requester, participant) for participant in self._participants]
        target = self._random.choices(self._participants, weights)[0] if any(weights) else None
        if target is not None:
            self._pairs.add(frozenset((requester.key, target.key)))
        return target

    def promise(self, *participants: PlannedParticipant) -> None:
        """Count an encounter to come for the participants."""
        self._promised.update(participant.key for participant in participants)

    def _has_room(self, participant: PlannedParticipant) -> bool:
        if participant.key in self._overbooked:
            return self._promised[participant.key] < MOST_ENCOUNTERS + 2
        return self._promised[participant.key] < min(MOST_ENCOUNTERS - 2, int(participant.free_slots * _MOST_FILLED))

    def _weight(self, requester: PlannedParticipant, target: PlannedParticipant) -> float:
        if (
            requester.organisation is target.organisation
            or frozenset((requester.key, target.key)) in self._pairs
            or not self._has_room(target)
        ):
            return 0.0
        return self._fame[target.key] * _interest(requester.organisation, target.organisation)


def _interest(asking: PlannedOrganisation, asked: PlannedOrganisation) -> float:
    if asked.industry in asking.buys:
        interest = 10.0
    elif asking.industry in asked.buys:
        interest = 5.0
    else:
        interest = 0.1
    return interest * (1.6 if asking.country != asked.country else 1.0)


def draw_requests(
    random: Random, participants: Sequence[PlannedParticipant], scale: float
) -> tuple[PlannedRequest, ...]:
    """Draw the match requests in the order of their creation: first from every participant, then by appetite."""
    draw = _RequestDraw(random, participants, scale)
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
        requester = first_round.pop() if first_round else draw.draw_requester()
        target = draw.draw_target(requester)
        if target is None:
            continue
        outcome = outcomes.pop()
        if outcome in {RequestOutcome.ACCEPTED, RequestOutcome.UNANSWERED}:
            draw.promise(requester, target)
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
    """Draw the order of creations and answers. An answer follows its request by some other requests."""
    timed = [(float(tick), RequestStep(request, is_answer=False)) for tick, request in enumerate(requests)]
    timed += [
        (tick + random.uniform(5, 80), RequestStep(request, is_answer=True))
        for tick, request in enumerate(requests)
        if request.outcome is not RequestOutcome.UNANSWERED
    ]
    return tuple(step for _, step in sorted(timed, key=lambda pair: pair[0]))
