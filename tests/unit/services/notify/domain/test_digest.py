from __future__ import annotations

import pytest

from services.notify.domain.digest import DiffKind, LineDiff, diff_of, mail_content
from shared.contract.events import AgendaEntry, Event
from tests.support.notify_stage import (
    agenda,
    audience,
    edition,
    encounter,
    everybody,
    organisation,
    participant,
    session,
)


def said(*entries: AgendaEntry, after: tuple[Event, ...] = ()):  # type: ignore[no-untyped-def] # noqa: ANN201
    return mail_content(audience(*everybody(), agenda(1, *entries), *after), "prt_0")


def kinds(items: tuple[LineDiff, ...]) -> list[tuple[DiffKind, str]]:
    return [(item.kind, item.line.entry_id) for item in items]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([encounter(0, 1)], [encounter(0, 1)], []),
        ([encounter(0, 1)], [encounter(0, 1, sequence=9)], []),
        ([], [encounter(0, 1)], [(DiffKind.ADDED, "enc_1")]),
        ([encounter(0, 1)], [], [(DiffKind.REMOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(2, 1)], [(DiffKind.MOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(0, 1, table="2")], [(DiffKind.MOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(0, 1, 2)], [(DiffKind.CHANGED, "enc_1")]),
        ([encounter(0, 1, 2)], [encounter(0, 1, 3)], [(DiffKind.CHANGED, "enc_1")]),
        ([encounter(0, 1, 2)], [encounter(1, 1)], [(DiffKind.MOVED, "enc_1")]),
        ([session(0)], [session(0, "Panel")], [(DiffKind.CHANGED, "ses_0")]),
        (
            [encounter(0, 1), encounter(1, 2)],
            [encounter(3, 1), encounter(2, 3)],
            [(DiffKind.REMOVED, "enc_2"), (DiffKind.ADDED, "enc_3"), (DiffKind.MOVED, "enc_1")],
        ),
    ],
)
def test_news_is_the_net_change_in_time_order(
    before: list[AgendaEntry], now: list[AgendaEntry], expected: list[tuple[DiffKind, str]]
) -> None:
    assert kinds(diff_of(said(*before), said(*now))) == expected


def test_a_first_mail_has_no_news() -> None:
    assert diff_of(None, said(encounter(0, 1))) == ()


def test_the_first_mail_to_another_person_has_no_news() -> None:
    swapped = said(encounter(2, 1), after=(participant(0, 2, email="new@example.org"),))
    assert diff_of(said(encounter(0, 1)), swapped) == ()


def test_another_person_in_a_guests_seat_is_news() -> None:
    swapped = said(encounter(0, 1, 2), after=(participant(2, 2, email="new@example.org"),))
    assert kinds(diff_of(said(encounter(0, 1, 2)), swapped)) == [(DiffKind.CHANGED, "enc_1")]


def test_a_line_stands_for_nobody_until_all_are_known() -> None:
    assert said(encounter(0, 1, 2)).lines[0].person is not None
    assert said(encounter(0, 1, 9)).lines[0].person is None


def test_another_person_at_the_same_time_is_news() -> None:
    swapped = said(encounter(0, 1), after=(participant(1, 2, email="new@example.org"),))
    assert kinds(diff_of(said(encounter(0, 1)), swapped)) == [(DiffKind.CHANGED, "enc_1")]


def test_a_corrected_name_of_who_is_met_is_no_news() -> None:
    corrected = said(encounter(0, 1), after=(participant(1, 2, name="Persona"), organisation(1, 2, name="Metals")))
    assert corrected == said(encounter(0, 1))


def test_a_zone_with_another_name_is_news() -> None:
    renamed = said(encounter(0, 1), after=(edition(2, zones=()),))
    assert kinds(diff_of(said(encounter(0, 1)), renamed)) == [(DiffKind.MOVED, "enc_1")]


def test_what_is_said_holds_no_personal_data() -> None:
    text = said(encounter(0, 1)).model_dump_json()
    assert "Person" not in text
    assert "example.org" not in text


def test_lines_are_in_time_order_however_they_came() -> None:
    assert [line.entry_id for line in said(encounter(5, 1), session(0), encounter(3, 2)).lines] == [
        "ses_0",
        "enc_2",
        "enc_1",
    ]
