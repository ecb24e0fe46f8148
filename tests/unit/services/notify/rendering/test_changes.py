"""A changed line names its cause, and all that was otherwise before."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import pytest

from services.notify.domain.digest import diff_of, mail_content
from services.notify.domain.phrases import CAUSE_PHRASES
from services.notify.rendering.page import ChangedRow, PageWriter
from shared.contract.events import (
    AgendaChange,
    AgendaChanged,
    AgendaEntry,
    Cause,
    CauseCode,
    ChangeKind,
    Event,
    Language,
    Session,
    SessionKind,
)
from shared.contract.ids import pair_id
from tests.support.notify_stage import (
    OPENING,
    QUARTER,
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    participant,
    read,
    rendered,
    session,
)

FIRST = encounter(0, 1)
OWN_PAIR = pair_id("edn_1", "prt_0", "prt_1")


def becoming(entry: AgendaEntry | None, *causes: Cause) -> AgendaChanged:
    change = AgendaChange(kind=ChangeKind.MOVED, entry_id=FIRST.entry_id, before=FIRST, after=entry)
    return agenda(2, *[entry] if entry else []).model_copy(update={"changes": (change,), "causes": causes})


def row(entry: AgendaEntry | None, *causes: Cause, after: tuple[Event, ...] = ()) -> ChangedRow:
    """Return the only changed row of participant 0, whose first entry became `entry`."""
    before = audience(*everybody(), agenda(1, FIRST))
    now = audience(*everybody(), agenda(1, FIRST), becoming(entry, *causes), *after)
    content = mail_content(now, "prt_0")
    page = PageWriter(now, "prt_0", "Europe/Madrid").page(mail_content(before, "prt_0"), content)
    (changed,) = page.changed_rows
    return changed


@pytest.mark.parametrize(
    ("code", "subject_id", "expected"),
    [
        (CauseCode.PARTICIPANT_CANCELLED, "prt_1", "Person 1 no longer takes part."),
        (CauseCode.PARTICIPANT_CANCELLED, "prt_3", "Another participant no longer takes part."),
        (CauseCode.PARTICIPANT_CHANGED, "prt_0", "Your own details or hours have changed."),
        (CauseCode.PARTICIPANT_CHANGED, "prt_1", "The details or hours of Person 1 have changed."),
        (CauseCode.ORGANISATION_CHANGED, "org_1", "The details of Metal 1 have changed."),
        (CauseCode.ORGANISATION_CHANGED, "org_3", "The details of an organisation have changed."),
        (CauseCode.EDITION_CHANGED, "edn_1", "The organiser has changed the programme, the hours or the tables."),
        (CauseCode.ORGANISER_EDITED, "edn_1", "The organiser has made this change."),
        (CauseCode.IMPROVED, "edn_1", "With this change all agendas fit better."),
        (CauseCode.PAIR_GRANTED, OWN_PAIR, "This encounter was agreed."),
        (CauseCode.PAIR_GRANTED, "pair_9", "This makes room for another encounter that was agreed."),
        (CauseCode.PAIR_REVOKED, OWN_PAIR, "The agreement to this encounter was withdrawn."),
        (CauseCode.ATTENDANCE_REPORTED, "enc_9", "Another participant was reported absent."),
        (CauseCode.CHECKED_IN, "prt_1", "Person 1 has arrived."),
        (CauseCode.EDITION_PUBLISHED, "edn_1", ""),
    ],
)
def test_a_changed_line_names_its_cause(code: CauseCode, subject_id: str, expected: str) -> None:
    assert row(encounter(2, 1), Cause(code=code, subject_id=subject_id)).cause == expected


@pytest.mark.parametrize(
    ("entry", "after", "expected"),
    [
        (encounter(0, 1, table="2"), (), "Workspace · table 1"),
        (encounter(2, 1), (), "Thursday, 26 November 2026, 09:00-09:15, Workspace · table 1"),
        (encounter(0, 1, 2), (), "Encounter with Metal 1, Person 1"),
        (FIRST, (participant(1, 2, name="Eva Sanz", email="eva@example.org"),), "Person 1"),
        (None, (), ""),
    ],
)
def test_a_changed_line_shows_all_that_was_otherwise(
    entry: AgendaEntry | None, after: tuple[Event, ...], expected: str
) -> None:
    assert row(entry, after=after).before == expected


def test_a_session_that_is_still_held_is_not_told_as_cancelled() -> None:
    talk = Session(
        session_id="ses_4",
        title="Keynote",
        kind=SessionKind.PANEL,
        zone_id="zn_talk",
        starts_at=OPENING + 4 * QUARTER,
        ends_at=OPENING + 6 * QUARTER,
    )
    for sessions, label in (((talk,), "No longer in your agenda"), ((), "Cancelled")):
        programme = edition(2, sessions=sessions)
        before = mail_content(audience(*everybody(), programme, agenda(1, FIRST, session(4))), "prt_0")
        now = audience(*everybody(), programme, agenda(1, FIRST))
        (diff,) = diff_of(before, mail_content(now, "prt_0"))
        page = PageWriter(now, "prt_0", "Europe/Madrid").page(before, mail_content(now, "prt_0"))
        assert (diff.line.entry_id, page.changed_rows[0].label) == ("ses_4", label)


def test_both_bodies_show_the_cause() -> None:
    before = mail_content(audience(*everybody(), agenda(1, FIRST)), "prt_0")
    cause = Cause(code=CauseCode.PARTICIPANT_CHANGED, subject_id="prt_1")
    announced = agenda(3, FIRST), becoming(encounter(2, 1), cause).model_copy(update={"revision": 4})
    mail = read(rendered(*announced, before=before))
    for kind in ("plain", "html"):
        body = mail.get_body((kind,))
        assert body
        assert "The details or hours of Person 1 have changed." in " ".join(body.get_content().split())


@pytest.mark.parametrize("language", Language)
def test_every_language_has_the_same_causes(language: Language) -> None:
    phrases, english = CAUSE_PHRASES[language], CAUSE_PHRASES[Language.ENGLISH]
    for part in fields(phrases):
        sentences: dict[CauseCode, str] = getattr(phrases, part.name)
        expected: dict[CauseCode, str] = getattr(english, part.name)
        assert sentences.keys() == expected.keys()
        assert all(("{partner}" in text) is (part.name == "partner") and text[-1] == "." for text in sentences.values())


def test_every_cause_of_a_change_has_words_but_the_announcement() -> None:
    told: set[Any] = set(CAUSE_PHRASES[Language.ENGLISH].others)
    assert set(CauseCode) - told == {CauseCode.EDITION_PUBLISHED}
