"""Property: changes of organisations and editions leave a valid agenda, verified as a whole.

The verification after a step looks at meetings that the step placed, or whose pair or participants changed. It does not
look at all meetings after a change of an organisation or an edition, so these tests do.
"""

from __future__ import annotations

from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from services.scheduler.domain.improvement.adopt import announce
from tests.support.scheduler_day import check_agenda, check_indexes
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    edition,
    innova,
    organisation,
    participant,
    session,
    workspace,
)

#: Two representatives of every organisation; every third organisation is a research group.
ORGANISATIONS = {f"o{number}": "research_group" if number % 3 == 0 else "sme" for number in range(5)}
PEOPLE = {f"p{number}": f"o{number // 2}" for number in range(10)}
PAIRS = [
    (first, second)
    for first in PEOPLE
    for second in PEOPLE
    if first < second and PEOPLE[first] != PEOPLE[second] and (int(first[1:]) + int(second[1:])) % 3
]
TABLES = ("W1", "W2", "W3", "W4")

organisation_changes = st.fixed_dictionaries(
    {
        "organisation_id": st.sampled_from(sorted(ORGANISATIONS)),
        "kind": st.sampled_from(["sme", "research_group", "consultant"]),
        "status": st.sampled_from(["active", "active", "active", "cancelled"]),
        "interchangeable": st.booleans(),
        "country": st.sampled_from(["ES", "MX"]),
    }
)
#: Any table may be lost or come back, the middle tables and all tables of Innova+ too.
edition_changes = st.fixed_dictionaries(
    {
        "tables": st.sets(st.sampled_from(TABLES), min_size=1).map(sorted).map(tuple),
        "innova_tables": st.integers(0, 2),
        "sessions": st.sampled_from([(), (session("k", 1, 2),), (session("k", 2.5, 4),)]),
        "quotas": st.sampled_from([{}, {}, {}, {"max_encounters": 3}]),
    }
)
changes = st.lists(st.one_of(organisation_changes, edition_changes), min_size=1, max_size=8)


def full_edition(is_announced: bool) -> Edition:
    """An edition with more demand than room, in which half of the participants attend a session."""
    fields: dict[str, Any] = {"slots": 5, "zones": (workspace(4), innova(2), HALL)}
    subject = Edition(
        edition(**fields),
        *(organisation(organisation_id, kind) for organisation_id, kind in ORGANISATIONS.items()),
        *(
            participant(name, organisation_id=PEOPLE[name], session_ids=("k",) if number % 2 else ())
            for number, name in enumerate(PEOPLE)
        ),
        *(affinity(*sides) for sides in PAIRS),
    )
    if is_announced:
        subject.consume(edition(revision=2, phase="published", **fields))
        decision = subject.decision()
        announce(decision)
        subject.finish(decision)
    return subject


def apply_change(subject: Edition, fields: dict[str, Any], revision: int) -> None:
    """Send an organisation, or the edition with other tables, sessions and quotas, at a revision."""
    if "organisation_id" in fields:
        subject.consume(organisation(revision=revision, **fields))
        return
    known = subject.state.edition
    assert known is not None
    work = workspace(4).model_copy(update={"tables": fields["tables"]})
    zones = (work, innova(fields["innova_tables"]), HALL)
    subject.consume(
        edition(
            revision=revision,
            slots=5,
            zones=zones,
            sessions=fields["sessions"],
            quotas=fields["quotas"],
            phase=known.phase,
        )
    )


@settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.booleans(), changes)
def test_changes_of_organisations_and_editions_leave_a_valid_agenda(
    is_announced: bool, drawn: list[dict[str, Any]]
) -> None:
    subject = full_edition(is_announced)
    check_agenda(subject)
    for revision, fields in enumerate(drawn, start=3):
        apply_change(subject, fields, revision)
        check_agenda(subject)
    check_indexes(subject)
