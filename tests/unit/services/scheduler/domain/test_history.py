"""Steps of an encounter's past, read back from the scheduler's journal."""

from __future__ import annotations

from services.scheduler.domain.changes import CHANGE, Change
from services.scheduler.domain.history import pair_behind, steps_of
from services.scheduler.domain.organiser.attendance import AttendanceReport, record_attendance
from services.scheduler.domain.organiser.edits import apply_edit
from shared.contract.events import EncounterState
from shared.contract.ids import encounter_id
from shared.internal_api.edits import (
    Edit,
    InviteGuest,
    LockEncounter,
    OrderEncounters,
    PlaceEncounter,
    SwapRepresentative,
    UndoEdit,
)
from shared.storage.history import PastEntry, read_back
from shared.storage.journal_entry import Entry
from tests.support.scheduler_editions import Edition, affinity, at, edition, participant

AB, CD = encounter_id("ed", "a", "b"), encounter_id("ed", "c", "d")


class Journalled(Edition):
    """An edition that keeps an entry for every decision, as the journal does."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []
        super().__init__()
        named = [participant(each, organisation_id=f"org-{each[0]}") for each in ("a", "a2", "b", "c", "d", "g")]
        self.write(edition(), *named, affinity("a", "b"), affinity("c", "d"))

    def write(self, *events: object) -> None:
        told = len(self.changes)
        self.consume(*events)  # type: ignore[arg-type]
        self._entry(told)

    def edit(self, edit: Edit) -> None:
        told, decision = len(self.changes), self.decision()
        apply_edit(decision, edit, "*")
        self.finish(decision)
        self._entry(told)

    def attend(self, *absent: str) -> None:
        told, decision = len(self.changes), self.decision()
        outcome = EncounterState.MISSED if absent else EncounterState.HELD
        record_attendance(decision, AB, AttendanceReport(outcome=outcome, absent=absent))
        self.finish(decision)
        self._entry(told)

    def _entry(self, told: int) -> None:
        changes = [CHANGE.dump_python(change, mode="json") for change in self.changes[told:]]
        number = len(self.entries) + 1
        self.entries.append(Entry("ed", number, self.now, {"affinity.v1/0": number}, changes, [], published=True))

    @property
    def past(self) -> list[PastEntry[Change]]:
        return read_back(CHANGE, self.entries)

    def told(self, since: int = 1) -> list[tuple[str, str]]:
        """Return the steps after an entry, with their causes."""
        steps = steps_of("ed", ("a", "b"), self.past)
        return [(step.what, step.cause) for step in steps if int(step.entry.removeprefix("scheduler:")) > since]


def test_the_pair_is_found_by_the_id_of_its_encounter() -> None:
    subject = Journalled()
    assert pair_behind(AB, "ed", subject.past) == ("a", "b")
    assert pair_behind("enc_none", "ed", subject.past) is None


def test_a_placed_pair_has_its_consent_its_place_and_the_cause() -> None:
    subject = Journalled()
    (taken, _), (placed, cause) = subject.told(since=0)
    assert taken == "consent granted, score 0.5000, priority 2"
    assert placed.startswith("placed 11-19 09:")
    assert cause == "pair_granted a and b"


def test_the_cause_names_the_kind_of_edit() -> None:
    subject = Journalled()
    subject.edit(PlaceEncounter(encounter_id=AB, slot=3, zone_id="work", table="W2"))
    subject.edit(LockEncounter(encounter_id=AB, is_locked=False))
    subject.edit(OrderEncounters(encounter_id=AB, after_id=CD, is_ordered=True))
    subject.edit(InviteGuest(encounter_id=AB, participant_id="g", is_invited=True))
    subject.edit(SwapRepresentative(encounter_id=AB, participant_id="a", by="a2"))
    subject.edit(UndoEdit())
    told = subject.told()
    assert told[0][0].endswith("-> 11-19 09:45 slot 3 work/W2")
    assert told[0][1] == "organiser_edited (place)"
    assert told[1:4] == [("locked by hand", ""), ("not locked any more", ""), ("comes after: c and d", "")]
    assert told[4:] == [
        ("a and b meet, joined by g", "organiser_edited (invite)"),
        ("a2 and b meet, joined by g", "organiser_edited (swap)"),
        ("a and b meet, joined by g", "organiser_edited (undo)"),
    ]


def test_a_missed_encounter_names_the_absent_participant() -> None:
    subject = Journalled()
    subject.edit(PlaceEncounter(encounter_id=AB, slot=0, zone_id="work"))
    subject.write(edition(revision=2, phase="live"))
    subject.now = at(0.5)
    subject.attend("b")
    assert subject.told(since=3) == [("missed, absent b", f"attendance_reported {AB}")]


def test_a_lost_place_has_its_cause_and_the_reason_to_wait() -> None:
    subject = Journalled()
    subject.write(edition(revision=2, zones=()))
    lost, waits = subject.told()
    assert lost[0].startswith("lost 11-19 09:")
    assert waits == ("waits: no_table", "edition_changed")


def test_the_steps_of_a_change_tell_its_author() -> None:
    subject = Journalled()
    told, decision = len(subject.changes), subject.decision()
    decision.actor = "key:k1"
    apply_edit(decision, LockEncounter(encounter_id=CD, is_locked=True), "*")
    subject.finish(decision)
    subject._entry(told)
    assert [step.cause for step in steps_of("ed", ("c", "d"), subject.past)][-1] == "by key:k1"
    subject.write(edition(revision=2, zones=()).model_copy(update={"actor": "staff:s1"}))
    assert [step.cause for step in steps_of("ed", ("a", "b"), subject.past)][-1].endswith(" by staff:s1")
