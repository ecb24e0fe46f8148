"""The figures of a run: as a table to read, and as `summary.json`."""

from __future__ import annotations

import json
import math
import statistics
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from rich.table import Table

from demo.changes import Effect
from demo.observer import Observed
from shared.contract.events import (
    AgendaChanged,
    Certificate,
    EntryKind,
    MatchRequestChanged,
    OrganisationChanged,
    OrganisationKind,
    ParticipantChanged,
    RequestState,
    Slot,
)

_COMPANIES = frozenset({OrganisationKind.SME, OrganisationKind.LARGE_COMPANY})


@dataclass(frozen=True)
class Summary:
    """Figures of a run. Organisations and participants are counted as registered, cancelled included."""

    seed: int
    scale: float
    companies: int
    organisations: int
    participants: int
    requests: int
    requests_accepted: int
    encounters: int
    waiting: int
    fill: float
    idle_slots: float
    fairness: float
    least_served: float
    mails: int
    seconds: float
    accepted_to_published_p50_seconds: float
    accepted_to_published_p99_seconds: float
    bound: int
    gap: float
    moves_per_change: float
    late_changes: tuple[Effect, ...]
    verifier_violations: int
    faults: tuple[str, ...]

    def write(self, path: Path) -> None:
        """Write the figures as JSON."""
        path.write_text(json.dumps(asdict(self), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")

    def figures(self) -> tuple[tuple[str, str], ...]:
        """Return the figures to print, as (name, text) in reading order."""
        return (
            ("companies", str(self.companies)),
            ("organisations", str(self.organisations)),
            ("actors", str(self.participants)),
            ("match requests", str(self.requests)),
            ("of them accepted", str(self.requests_accepted)),
            ("encounters placed", str(self.encounters)),
            ("waiting, with a reason", str(self.waiting)),
            ("tables in use", f"{self.fill:.1%}"),
            ("idle slots a participant", f"{self.idle_slots:.2f}"),
            ("fairness (Jain, wanted met)", f"{self.fairness:.3f}"),
            ("least served", f"{self.least_served:.0%}"),
            ("mails", str(self.mails)),
            ("accepted to published, p50", f"{self.accepted_to_published_p50_seconds:.2f} s"),
            ("accepted to published, p99", f"{self.accepted_to_published_p99_seconds:.2f} s"),
            ("proven bound", str(self.bound)),
            ("gap", f"{self.gap:.2%}"),
            ("moves a late change", f"{self.moves_per_change:.1f}"),
            ("verifier's violations", str(self.verifier_violations)),
            ("whole run", f"{self.seconds:.1f} s"),
        )

    def table(self) -> Table:
        """Return the figures as a table for the terminal."""
        table = Table(title=f"The edition, seed {self.seed}", show_header=False, title_justify="left")
        table.add_column(justify="left")
        table.add_column(justify="right")
        for name, value in self.figures():
            table.add_row(name, value)
        return table


@dataclass(frozen=True)
class Quality:
    """Quality of the published agendas for their participants.

    `fill`: share of the tables' slots in use. `idle_slots`: mean of empty slots between a participant's first and last
    encounter. `fairness`: Jain's index of the participants' shares of wanted encounters with a place, 1 if all are
    equal. `least_served`: the smallest of these shares.
    """

    fill: float
    idle_slots: float
    fairness: float
    least_served: float


def measure_quality(seen: Observed) -> Quality:
    """Measure the quality of the published agendas."""
    edition = seen.edition
    places = len(edition.slots) * sum(len(zone.tables) for zone in edition.zones)
    agendas = [agenda for agenda in seen.all(AgendaChanged).values() if agenda.entries]
    shares = _shares(seen)
    return Quality(
        fill=round(len(seen.placed()) / places, 4) if places else 0.0,
        idle_slots=round(statistics.fmean(idle_slots(agenda, edition.slots) for agenda in agendas), 3)
        if agendas
        else 0.0,
        fairness=round(jain(shares), 4),
        least_served=round(min(shares, default=1.0), 4),
    )


def _shares(seen: Observed) -> list[float]:
    """Return, for every participant with a granted pair, the share of granted pairs with a place."""
    wanted = Counter(participant_id for pair in seen.granted() for participant_id in pair.participant_ids)
    placed = Counter(
        participant_id for encounter in seen.placed().values() for participant_id in encounter.participant_ids
    )
    return [placed[participant_id] / count for participant_id, count in sorted(wanted.items())]


def idle_slots(agenda: AgendaChanged, slots: Sequence[Slot]) -> int:
    """Count the empty slots between the first and the last encounter. Breaks are not slots."""
    meetings = [entry for entry in agenda.entries if entry.kind is EntryKind.ENCOUNTER]
    met = [slot.index for slot in slots if any(slot.overlaps(entry) for entry in meetings)]
    busy = {slot.index for slot in slots if any(slot.overlaps(entry) for entry in agenda.entries)}
    return sum(index not in busy for index in range(met[0], met[-1])) if met else 0


def jain(shares: Sequence[float]) -> float:
    """Return Jain's fairness index (Jain, Chiu, Hawe 1984): the square of the sum over n times the sum of squares.

    The shares, none negative, are scaled to the largest first: squares of tiny numbers would lose digits.
    """
    largest = max(shares, default=0.0)
    if not largest:
        return 1.0
    scaled = [share / largest for share in shares]
    return sum(scaled) ** 2 / (len(scaled) * sum(share * share for share in scaled))


def percentile(ascending: Sequence[float], share: float) -> float:
    """Return the nearest-rank percentile, or 0 if there are no values."""
    return ascending[max(0, math.ceil(share * len(ascending)) - 1)] if ascending else 0.0


def summarise(
    seen: Observed,
    certificate: Certificate,
    *,
    effects: Sequence[Effect],
    mails: int,
    seconds: float,
    violations: int,
    faults: Sequence[str],
    seed: int,
    scale: float,
) -> Summary:
    """Compute all figures of a run."""
    quality = measure_quality(seen)
    requests = seen.all(MatchRequestChanged).values()
    waits = seen.seconds_to_publish()
    return Summary(
        seed=seed,
        scale=scale,
        companies=sum(organisation.kind in _COMPANIES for organisation in seen.all(OrganisationChanged).values()),
        organisations=len(seen.all(OrganisationChanged)),
        participants=len(seen.all(ParticipantChanged)),
        requests=len(requests),
        requests_accepted=sum(request.state is RequestState.ACCEPTED for request in requests),
        encounters=len(seen.placed()),
        waiting=len(seen.waiting()),
        fill=quality.fill,
        idle_slots=quality.idle_slots,
        fairness=quality.fairness,
        least_served=quality.least_served,
        mails=mails,
        seconds=round(seconds, 2),
        accepted_to_published_p50_seconds=round(percentile(waits, 0.5), 3),
        accepted_to_published_p99_seconds=round(percentile(waits, 0.99), 3),
        bound=certificate.bound,
        gap=round(certificate.gap, 4),
        moves_per_change=round(statistics.fmean(effect.moved for effect in effects), 2) if effects else 0.0,
        late_changes=tuple(effects),
        verifier_violations=violations,
        faults=tuple(faults),
    )
