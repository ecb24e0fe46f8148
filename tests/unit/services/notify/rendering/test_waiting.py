"""Encounters that wait, as a mail tells them: the reason and the remedy of the agenda, in the reader's language."""

from __future__ import annotations

from datetime import timedelta
from html import unescape
from typing import Any

import pytest

from services.notify.domain.digest import mail_content
from shared.contract.events import (
    Interval,
    Language,
    Party,
    Remedy,
    RemedyKind,
    RemedyStep,
    Status,
    WaitingEncounter,
    WaitingReason,
)
from tests.support.notify_stage import (
    NOW,
    OPENING,
    agenda,
    audience,
    encounter,
    everybody,
    participant,
    read,
    rendered,
)

SLOT = Interval(starts_at=OPENING, ends_at=OPENING + timedelta(minutes=15))
TABLE = RemedyStep(kind=RemedyKind.TABLE, zone_id="zn_work", tables=1)
HOURS = RemedyStep(kind=RemedyKind.HOURS, slot=0, time=SLOT, participant_id="prt_2")
PLACE = RemedyStep(kind=RemedyKind.PLACE, slot=0, time=SLOT, zone_id="zn_work", table="1")


def waits(*steps: RemedyStep, reason: WaitingReason = WaitingReason.NO_TABLE, **fields: Any) -> WaitingEncounter:
    """An encounter with participant 2 that waits, with the remedy of these steps."""
    remedy = Remedy(steps=steps, place=SLOT, as_of=NOW, **fields) if steps else None
    return WaitingEncounter(
        encounter_id="enc_9",
        parties=(Party(participant_id="prt_2", organisation_id="org_2"),),
        reason=reason,
        remedy=remedy,
    )


def texts(*events: Any, waiting: WaitingEncounter) -> list[str]:
    """The plain text and the HTML of the mail, with single spaces."""
    mail = read(rendered(*events, entries=(encounter(0, 1),), waiting=(waiting,)))
    bodies = [mail.get_body(("plain",)), mail.get_body(("html",))]
    return [" ".join(body.get_content().split()) for body in bodies if body]


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        (
            Language.ENGLISH,
            ("Encounter with Metal 2", "No table is free when the participants are.", "one more table in Workspace"),
        ),
        (
            Language.SPANISH,
            ("Encuentro con Metal 2", "No hay mesa libre cuando los participantes lo están.", "una mesa más en"),
        ),
        (
            Language.PORTUGUESE,
            ("Encontro com Metal 2", "Não há mesa livre quando os participantes o estão.", "mais uma mesa em"),
        ),
        (
            Language.FRENCH,
            ("Rendez-vous avec Metal 2", "Aucune table n'est libre", "avec : une table de plus dans la zone Workspace"),
        ),
        (
            Language.GERMAN,
            (
                "Treffen mit Metal 2",
                "Wenn die Beteiligten Zeit haben, ist kein Tisch frei.",
                "Möglicher Termin: Donnerstag, 26. November 2026, 09:00 Uhr. Nötig dafür: ein weiterer Tisch im",
            ),
        ),
        (
            Language.ITALIAN,
            ("Incontro con Metal 2", "Nessun tavolo è libero quando lo sono i partecipanti.", "un tavolo in più nella"),
        ),
    ],
)
def test_a_mail_names_the_reason_and_the_remedy_in_the_language_of_its_reader(
    language: Language, shown: tuple[str, ...]
) -> None:
    for text in texts(participant(0, 2, languages=(language,)), waiting=waits(TABLE)):
        assert all(words in unescape(text) for words in shown)


def test_a_remedy_names_the_person_the_time_and_the_encounters_that_would_wait() -> None:
    for text in texts(waiting=waits(HOURS, PLACE, reason=WaitingReason.NO_COMMON_SLOT, lost_ids=("enc_3",))):
        assert "Person 2 present on Thursday" in text
        assert "a change by the organiser" in text
        assert "another encounter would wait" in text
        assert "(As of " in text


def test_a_mail_without_a_remedy_names_the_reason_alone() -> None:
    for text in texts(waiting=waits()):
        assert "No table is free when the participants are." in text
        assert "It could be held" not in text


def test_a_waiting_encounter_of_a_cancelled_participant_is_left_out() -> None:
    for text in texts(participant(2, 2, status=Status.CANCELLED), waiting=waits(TABLE)):
        assert "Metal 2" not in text


def test_waiting_encounters_alone_are_no_news() -> None:
    entries = (encounter(0, 1),)
    before = mail_content(audience(*everybody(), agenda(1, *entries)), "prt_0")
    listed = agenda(2, *entries).model_copy(update={"waiting": (waits(TABLE),)})
    after = mail_content(audience(*everybody(), agenda(1, *entries), listed), "prt_0")
    assert before is not None
    assert after is not None
    assert before.is_like(after)
