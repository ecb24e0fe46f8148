"""A repair takes needless moves back."""

from __future__ import annotations

from services.scheduler.domain.improvement.adopt import announce
from shared.contract.events import EditionChanged
from tests.support.scheduler_editions import (
    HALL,
    Edition,
    affinity,
    edition,
    innova,
    organisation,
    participant,
    people,
    window,
    workspace,
)

COUPLES = [("prof", "maker"), ("ann", "bob")]


def fair(revision: int, *, innovas: int, works: int) -> EditionChanged:
    """An announced edition of two slots with these numbers of tables in Innova+ and in the workspace."""
    return edition(revision=revision, slots=2, phase="published", zones=(innova(innovas), workspace(works), HALL))


def slots_of(subject: Edition) -> list[int | None]:
    return [subject.slot(*couple) for couple in COUPLES]


def test_an_encounter_that_may_use_another_zone_leaves_its_table_to_one_that_lost_its_own() -> None:
    organisations = [
        organisation("org-prof", "research_group"),
        *map(organisation, ("org-maker", "org-ann", "org-bob")),
    ]
    first_hour = {"available": (window(0, 1),)}
    everybody = [*people("prof", "maker", "ann"), participant("bob", **first_hour)]
    couples = [affinity(*couple) for couple in COUPLES]
    subject = Edition(fair(1, innovas=0, works=2), *organisations, *everybody, *couples)
    announce_agendas(subject)
    assert (subject.table("prof", "maker"), subject.table("ann", "bob")) == ("W1", "W2")
    subject.consume(participant("bob", revision=2))
    subject.consume(fair(2, innovas=1, works=1))
    assert slots_of(subject) == [0, 0]
    assert (subject.table("prof", "maker"), subject.table("ann", "bob")) == ("I1", "W1")


def test_a_newcomer_that_was_told_its_hour_keeps_it_when_another_encounter_loses_its_table() -> None:
    names = ("prof", "maker", "ann", "bob")
    organisations = [organisation(f"org-{name}") for name in names]
    first_two = [participant("prof"), participant("maker"), participant("ann", available=(window(0, 1),))]
    subject = Edition(fair(1, innovas=0, works=2), *organisations, *first_two, affinity("prof", "maker"))
    announce_agendas(subject)
    subject.consume(participant("bob", available=(window(0, 1),)), affinity("ann", "bob"))
    subject.consume(participant("ann", revision=2), participant("bob", revision=2))
    lost = next(iter({"W1", "W2"} - {subject.table("ann", "bob")}))
    assert (subject.table("prof", "maker"), slots_of(subject)) == (lost, [0, 0])
    kept = workspace(2).model_copy(update={"tables": (subject.table("ann", "bob"),)})
    subject.consume(edition(revision=2, slots=2, phase="published", zones=(innova(0), kept, HALL)))
    assert slots_of(subject) == [1, 0]


def announce_agendas(subject: Edition) -> None:
    decision = subject.decision()
    announce(decision)
    subject.finish(decision)
