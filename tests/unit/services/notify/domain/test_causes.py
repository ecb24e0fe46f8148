from __future__ import annotations

import pytest

from services.notify.domain.causes import MOST_CAUSES, EntryCause, next_causes
from shared.contract.events import AgendaChange, AgendaChanged, AgendaEntry, Cause, CauseCode, ChangeKind
from shared.contract.ids import pair_id
from tests.support.notify_stage import agenda, encounter, session

CANCELLED = Cause(code=CauseCode.PARTICIPANT_CANCELLED, subject_id="prt_1")
FURTHER = Cause(code=CauseCode.PARTICIPANT_CHANGED, subject_id="prt_9")
PROGRAMME = Cause(code=CauseCode.EDITION_CHANGED, subject_id="edn_1")
ORGANISATION = Cause(code=CauseCode.ORGANISATION_CHANGED, subject_id="org_1")
PAIR = Cause(code=CauseCode.PAIR_REVOKED, subject_id=pair_id("edn_1", "prt_0", "prt_1"))


def removal(entry: AgendaEntry) -> AgendaChange:
    return AgendaChange(kind=ChangeKind.REMOVED, entry_id=entry.entry_id, before=entry)


def changed(*causes: Cause, changes: tuple[AgendaChange, ...] = (removal(encounter(0, 1)),)) -> AgendaChanged:
    return agenda(2).model_copy(update={"changes": changes, "causes": causes})


@pytest.mark.parametrize(
    ("causes", "expected"),
    [
        ((), None),
        ((CANCELLED,), CANCELLED),
        ((FURTHER,), FURTHER),
        ((PROGRAMME,), PROGRAMME),
        ((FURTHER, CANCELLED), CANCELLED),
        ((FURTHER, ORGANISATION), ORGANISATION),
        ((FURTHER, PAIR), PAIR),
        ((CANCELLED, ORGANISATION), None),
        ((FURTHER, PROGRAMME), None),
    ],
)
def test_an_entry_has_the_only_cause_or_the_only_one_about_its_parties(
    causes: tuple[Cause, ...], expected: Cause | None
) -> None:
    found = next_causes(changed(*causes), ())
    assert [(cause.code, cause.subject_id) for cause in found] == (
        [(expected.code, expected.subject_id)] if expected else []
    )


def test_an_entry_that_changes_again_for_an_unsure_cause_has_none() -> None:
    known = next_causes(changed(CANCELLED), ())
    assert next_causes(changed(FURTHER, PROGRAMME), known) == ()


def test_the_causes_of_other_entries_stay() -> None:
    known = next_causes(changed(CANCELLED), ())
    later = next_causes(changed(PROGRAMME, changes=(removal(session(4)),)), known)
    assert [cause.entry_id for cause in later] == ["enc_1", "ses_4"]


def test_the_causes_kept_are_bounded_and_the_newest_stay() -> None:
    known = tuple(
        EntryCause(entry_id=f"enc_old{n}", code=CauseCode.IMPROVED, subject_id="edn_1") for n in range(MOST_CAUSES)
    )
    kept = next_causes(changed(CANCELLED), known)
    assert len(kept) == MOST_CAUSES
    assert kept[-1].entry_id == "enc_1"
