from __future__ import annotations

import pytest

from services.notify.domain.digest import DiffKind, LineDiff, MailContent, diff_of, mail_content
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


def content(*entries: AgendaEntry, after: tuple[Event, ...] = ()) -> MailContent:
    return mail_content(audience(*everybody(), agenda(1, *entries), *after), "prt_0")


def kinds(diffs: tuple[LineDiff, ...]) -> list[tuple[DiffKind, str]]:
    return [(diff.kind, diff.line.entry_id) for diff in diffs]


@pytest.mark.parametrize(
    ("before", "now", "expected"),
    [
        ([encounter(0, 1)], [encounter(0, 1)], []),
        ([encounter(0, 1)], [encounter(0, 1, sequence=9)], []),
        ([], [encounter(0, 1)], [(DiffKind.ADDED, "enc_1")]),
        ([encounter(0, 1)], [], [(DiffKind.REMOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(2, 1)], [(DiffKind.MOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(0, 1, table="2")], [(DiffKind.TABLE, "enc_1")]),
        ([encounter(0, 1)], [encounter(1, 1, table="2")], [(DiffKind.MOVED, "enc_1")]),
        ([encounter(0, 1)], [encounter(0, 1, 2, table="2")], [(DiffKind.CHANGED, "enc_1")]),
        ([encounter(0, 1)], [encounter(0, 1, 2)], [(DiffKind.CHANGED, "enc_1")]),
        ([encounter(0, 1, 2)], [encounter(0, 1, 3)], [(DiffKind.CHANGED, "enc_1")]),
        ([encounter(0, 1, 2)], [encounter(1, 1)], [(DiffKind.MOVED, "enc_1")]),
        ([session(0)], [session(0, "Panel")], [(DiffKind.CHANGED, "ses_0")]),
        ([session(0, "Panel: exportar")], [session(0, "PANEL - Exportár!")], []),
        ([session(0, "Panel 1")], [session(0, "Panel 2")], [(DiffKind.CHANGED, "ses_0")]),
        (
            [encounter(0, 1), encounter(1, 2)],
            [encounter(3, 1), encounter(2, 3)],
            [(DiffKind.REMOVED, "enc_2"), (DiffKind.ADDED, "enc_3"), (DiffKind.MOVED, "enc_1")],
        ),
    ],
)
def test_the_diff_is_the_net_change_in_time_order(
    before: list[AgendaEntry], now: list[AgendaEntry], expected: list[tuple[DiffKind, str]]
) -> None:
    assert kinds(diff_of(content(*before), content(*now))) == expected


@pytest.mark.parametrize(
    ("before", "now", "is_like"),
    [
        ("Europe/Kiev", "Europe/Kyiv", True),
        ("Europe/Madrid", "Africa/Ceuta", True),
        ("UTC", "Etc/UTC", True),
        ("Europe/Madrid", "Atlantic/Canary", False),
        ("Europe/Madrid", "Africa/Lagos", True),  # in November both are an hour ahead of UTC
    ],
)
def test_a_time_zone_with_the_same_hours_is_no_news(before: str, now: str, is_like: bool) -> None:
    was, becomes = (content(encounter(0, 1), after=(edition(2, timezone=zone),)) for zone in (before, now))
    assert was.is_like(becomes) is is_like


def test_a_first_mail_has_no_diff() -> None:
    assert diff_of(None, content(encounter(0, 1))) == ()


def test_the_first_mail_to_another_person_has_no_diff() -> None:
    replaced = content(encounter(2, 1), after=(participant(0, 2, email="new@example.org"),))
    assert diff_of(content(encounter(0, 1)), replaced) == ()


def test_another_person_in_a_guest_s_place_is_a_change() -> None:
    replaced = content(encounter(0, 1, 2), after=(participant(2, 2, name="Eva", email="new@example.org"),))
    assert kinds(diff_of(content(encounter(0, 1, 2)), replaced)) == [(DiffKind.CHANGED, "enc_1")]


def test_a_line_has_no_person_until_all_partners_are_known() -> None:
    assert content(encounter(0, 1, 2)).lines[0].person is not None
    assert content(encounter(0, 1, 9)).lines[0].person is None


def test_another_partner_at_the_same_time_is_a_change() -> None:
    replaced = content(encounter(0, 1), after=(participant(1, 2, name="Eva", email="new@example.org"),))
    assert kinds(diff_of(content(encounter(0, 1)), replaced)) == [(DiffKind.CHANGED, "enc_1")]


def test_a_partner_s_corrected_name_is_no_change() -> None:
    corrected = content(encounter(0, 1), after=(participant(1, 2, name="Persona"), organisation(1, 2, name="Metals")))
    assert corrected == content(encounter(0, 1))


@pytest.mark.parametrize("email", ["anna@example.org", "PERSON1@Example.org", "person1@example.com"])
def test_a_partner_s_corrected_address_is_no_change(email: str) -> None:
    corrected = content(encounter(0, 1), after=(participant(1, 2, email=email),))
    assert corrected == content(encounter(0, 1))


def test_a_correction_of_the_name_in_another_step_is_still_of_the_same_person() -> None:
    renamed = participant(1, 2, name="Persona")
    once_more = participant(1, 3, name="Persona", email="person1@example.org")
    assert content(encounter(0, 1), after=(renamed, once_more)) == content(encounter(0, 1))
    new_person = participant(1, 3, name="Persona", email="new@example.org")
    diffs = diff_of(content(encounter(0, 1)), content(encounter(0, 1), after=(renamed, new_person)))
    assert kinds(diffs) == [(DiffKind.CHANGED, "enc_1")]


def test_a_name_in_another_spelling_and_then_another_address_is_still_of_the_same_person() -> None:
    respelt = participant(1, 2, name="PÉRSON  1")
    readdressed = participant(1, 3, name="PÉRSON  1", email="new@example.org")
    assert content(encounter(0, 1), after=(respelt, readdressed)) == content(encounter(0, 1))


def test_an_own_name_in_another_spelling_is_no_change() -> None:
    respelt = content(encounter(0, 1), after=(participant(0, 2, name="pérson-0"),))
    assert respelt.is_like(content(encounter(0, 1)))
    renamed = content(encounter(0, 1), after=(participant(0, 2, name="Persona 0"),))
    assert not renamed.is_like(content(encounter(0, 1)))


def test_an_own_address_in_another_case_is_no_change() -> None:
    corrected = content(encounter(0, 1), after=(participant(0, 2, email="Person0@Example.org"),))
    assert corrected.is_like(content(encounter(0, 1)))
    moved = content(encounter(1, 1), after=(participant(0, 2, email="Person0@Example.org"),))
    assert kinds(diff_of(content(encounter(0, 1)), moved)) == [(DiffKind.MOVED, "enc_1")]


def test_a_clearer_name_of_a_zone_is_no_change() -> None:
    zones = tuple(zone.model_copy(update={"name": f"{zone.name}, ground floor"}) for zone in edition().zones)
    renamed = content(encounter(0, 1), after=(edition(2, zones=zones),))
    assert renamed.lines[0].zone == "Workspace, ground floor"
    assert renamed.is_like(content(encounter(0, 1)))
    assert diff_of(content(encounter(0, 1)), renamed) == ()


def test_contents_of_older_mails_are_compared_by_the_fields_that_they_have() -> None:
    def older(content: MailContent) -> MailContent:
        lines = tuple(line.model_copy(update={"zone_id": None}) for line in content.lines)
        return content.model_copy(update={"reader": None, "lines": lines})

    now = content(encounter(0, 1))
    assert now.is_like(older(now))
    assert kinds(diff_of(older(now), content(encounter(0, 1, table="2")))) == [(DiffKind.TABLE, "enc_1")]
    assert not now.is_like(older(content(encounter(0, 1), after=(edition(2, zones=()),))))


def test_a_zone_that_has_no_name_any_more_is_a_move() -> None:
    renamed = content(encounter(0, 1), after=(edition(2, zones=()),))
    assert kinds(diff_of(content(encounter(0, 1)), renamed)) == [(DiffKind.MOVED, "enc_1")]


def test_mail_content_holds_no_personal_data() -> None:
    text = content(encounter(0, 1)).model_dump_json()
    assert "Person" not in text
    assert "example.org" not in text


def test_lines_are_in_time_order() -> None:
    assert [line.entry_id for line in content(encounter(5, 1), session(0), encounter(3, 2)).lines] == [
        "ses_0",
        "enc_2",
        "enc_1",
    ]
