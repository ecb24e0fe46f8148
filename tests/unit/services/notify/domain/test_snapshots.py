"""Deliveries that follow from a change of each field of a snapshot. A new field fails until it has a row here."""

from __future__ import annotations

import pytest

from services.notify.domain.decide import decide
from services.notify.domain.snapshots import (
    AgendaSnapshot,
    ContactSnapshot,
    EditionSnapshot,
    FrozenModel,
    OrganisationSnapshot,
)
from services.notify.domain.state import Audience
from shared.contract.events import (
    AgendaChange,
    Cause,
    CauseCode,
    ChangeKind,
    Event,
    HelpContact,
    Language,
    OrganisationErased,
    ParticipantErased,
    Profile,
    Session,
    SessionKind,
    Status,
    Venue,
    WaitingEncounter,
    WaitingReason,
)
from tests.support.notify_stage import (
    COMMON,
    NOW,
    QUARTER,
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
)

KEYNOTE = Session(
    session_id="keynote",
    kind=SessionKind.KEYNOTE,
    title="Keynote",
    zone_id="zn_talk",
    starts_at=NOW,
    ends_at=NOW + QUARTER,
)
#: Field of a snapshot: an event that changes it, and the participants who get a delivery. `prt_0` and `prt_1` meet.
#: The edition, the organisation of `prt_1`, the contact `prt_1` and the agenda of `prt_1` change.
Rows = dict[str, tuple[Event, set[str]]]
EDITION: Rows = {
    "revision": (edition(2), set()),
    "operator_id": (edition(2).model_copy(update={"operator_id": "op_2"}), set()),
    "name": (edition(2, name="Encuentro B2B 2027"), set()),
    "timezone": (edition(2, timezone="Atlantic/Canary"), {"prt_0", "prt_1"}),
    # A zone with another name alone is no change: see `test_a_clearer_name_of_a_zone_is_mailed_to_nobody`.
    "zones": (edition(2, zones=()), {"prt_0", "prt_1"}),
    "sessions": (edition(2, sessions=(KEYNOTE,)), set()),
    "venue": (edition(2, venue=Venue(name="Palace", address="Calle Mayor 1, Toledo")), {"prt_0", "prt_1"}),
    "help_email": (edition(2, contact=HelpContact(email="help@example.org")), set()),
    "help_phone": (edition(2, contact=HelpContact(phone="+34 925 11 22 33")), set()),
}
ORGANISATION: Rows = {
    "revision": (organisation(1, 2), set()),
    "name": (organisation(1, 2, name="Acme"), set()),
    "texts": (organisation(1, 2, name="Acme"), set()),
    "shown": (organisation(1, 2, name="Acme"), set()),
    "erased": (OrganisationErased(**COMMON, revision=2, organisation_id="org_1", kind="sme", country="ES"), set()),
}
CONTACT: Rows = {
    "revision": (participant(1, 2), set()),
    "name": (participant(1, 2, name="Ana"), {"prt_1"}),
    "email": (participant(1, 2, email="ana@example.org"), {"prt_1"}),
    "first_known": (participant(1, 2, email="ana@example.org"), {"prt_1"}),
    "language": (participant(1, 2, languages=(Language.SPANISH,)), {"prt_1"}),
    "active": (participant(1, 2, status=Status.CANCELLED), {"prt_1"}),
    "offers": (participant(1, 2, profile=Profile(offers=("Welding",))), set()),
    "needs": (participant(1, 2, profile=Profile(needs=("Welding",))), set()),
    "links": (participant(1, 2, links=1), set()),
    "waits_for": (participant(1, 2, waiting_since={"keynote": NOW}), set()),
    "texts": (participant(1, 2, name="Ana"), {"prt_1"}),
    "first": (participant(1, 2, name="Ana", email="ana@example.org"), {"prt_0", "prt_1"}),
    # Of partners, `prt_0` reads another name.
    "person": (participant(1, 2, name="Ana", email="ana@example.org"), {"prt_0", "prt_1"}),
    "addressed": (participant(1, 2, email="ana@example.org"), {"prt_1"}),
    "shown": (participant(1, 2, profile=Profile(offers=("Welding",))), set()),
    "registered": (participant(1, 2, person=0), set()),
    # Partners are mailed when the scheduler cancels their encounters.
    "erased": (ParticipantErased(**COMMON, revision=2, participant_id="prt_1", organisation_id="org_1"), set()),
}
WAITING = WaitingEncounter(encounter_id="enc_2", parties=(), reason=WaitingReason.NO_TABLE)
REMOVED = AgendaChange(kind=ChangeKind.REMOVED, entry_id="enc_0", before=encounter(0, 0))
CAUSE = Cause(code=CauseCode.IMPROVED, subject_id="edn_1")
AGENDA: Rows = {
    "revision": (agenda(2, encounter(0, 0), number=1), {"prt_1"}),
    "issued_at": (agenda(2, encounter(0, 0), number=1).model_copy(update={"occurred_at": NOW + QUARTER}), {"prt_1"}),
    "entries": (agenda(2, number=1), {"prt_1"}),
    "waiting": (agenda(2, encounter(0, 0), number=1).model_copy(update={"waiting": (WAITING,)}), {"prt_1"}),
    "causes": (agenda(2, number=1).model_copy(update={"changes": (REMOVED,), "causes": (CAUSE,)}), {"prt_1"}),
}


def before() -> Audience:
    return audience(*everybody(2), agenda(1, encounter(0, 1)), agenda(1, encounter(0, 0), number=1))


def snapshot(state: Audience, kind: type[FrozenModel]) -> FrozenModel | None:
    return {
        EditionSnapshot: state.edition,
        OrganisationSnapshot: state.organisations["org_1"],
        ContactSnapshot: state.contacts["prt_1"],
        AgendaSnapshot: state.agendas["prt_1"],
    }[kind]


TABLES: list[tuple[type[FrozenModel], Rows]] = [
    (EditionSnapshot, EDITION),
    (OrganisationSnapshot, ORGANISATION),
    (ContactSnapshot, CONTACT),
    (AgendaSnapshot, AGENDA),
]
ROWS = [(kind, field, *row) for kind, rows in TABLES for field, row in rows.items()]


@pytest.mark.parametrize(("kind", "rows"), TABLES)
def test_every_field_has_a_row(kind: type[FrozenModel], rows: Rows) -> None:
    assert set(kind.model_fields) == set(rows)


@pytest.mark.parametrize(("kind", "field", "event", "delivered"), ROWS)
def test_a_changed_field_wants_the_deliveries_of_its_row(
    kind: type[FrozenModel], field: str, event: Event, delivered: set[str]
) -> None:
    state = before()
    _, wanted = decide(state, [event], NOW)
    assert {delivery.participant_id for delivery in wanted} == delivered
    assert getattr(snapshot(state, kind), field) != getattr(snapshot(before(), kind), field)
