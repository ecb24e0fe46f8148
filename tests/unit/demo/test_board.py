from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from demo import picture
from demo.board import BoardPage, lay_out, render_page, short_name
from demo.observer import Observed
from demo.picture import draw, fitting
from shared.contract.events import OrganisationChanged, ParticipantChanged, Session, SessionKind


def board_of(seen: Observed) -> BoardPage:
    return lay_out(
        seen.edition,
        seen.all(OrganisationChanged),
        seen.all(ParticipantChanged),
        seen.placed(),
        (("encounters", "61"),),
    )


def test_every_placed_encounter_is_at_its_table_and_slot(seen_small: Observed) -> None:
    board = board_of(seen_small)
    shown = {
        (room.name, row.table, slot): {cell.first.person, cell.second.person}
        for room in board.rooms
        for row in room.rows
        for slot, cell in enumerate(row.cells)
        if cell is not None
    }
    people, zones = seen_small.all(ParticipantChanged), {zone.zone_id: zone.name for zone in seen_small.edition.zones}
    expected = {
        (zones[encounter.place.zone_id], encounter.place.table, encounter.place.slot): {
            people[key].name for key in encounter.participant_ids
        }
        for encounter in seen_small.placed().values()
        if encounter.place is not None
    }
    assert shown == expected
    assert board.encounters == len(expected)


def test_columns_are_local_times_and_mark_breaks(seen_small: Observed) -> None:
    columns = board_of(seen_small).columns
    assert [column.clock for column in columns][:2] == ["09:00", "09:15"]
    assert [column.clock for column in columns if column.after_break] == ["11:30", "15:00"]


def test_sessions_at_the_same_time_are_in_different_lanes(seen_small: Observed) -> None:
    first = seen_small.edition.sessions[0]
    clash = Session(
        session_id="clash",
        kind=SessionKind.PANEL,
        title="At the same time",
        zone_id=first.zone_id,
        starts_at=first.starts_at,
        ends_at=first.ends_at,
    )
    edition = seen_small.edition.model_copy(update={"sessions": (*seen_small.edition.sessions, clash)})
    rooms = lay_out(edition, {}, {}, {}).rooms
    lanes = next(room.lanes for room, zone in zip(rooms, edition.zones, strict=True) if zone.zone_id == first.zone_id)
    assert len(lanes) == 2
    for lane in lanes:
        ends = [band.first + band.span for band in lane]
        assert all(end <= band.first for end, band in zip(ends, lane[1:], strict=False))


def test_the_page_stands_alone_and_escapes_names(seen_small: Observed) -> None:
    people = seen_small.all(ParticipantChanged)
    hostile = {key: one.model_copy(update={"name": "<script>alert(1)</script>"}) for key, one in people.items()}
    page = render_page(lay_out(seen_small.edition, seen_small.all(OrganisationChanged), hostile, seen_small.placed()))
    assert "<script>alert(1)" not in page
    assert "&lt;script&gt;alert(1)" in page
    assert not any(link in page for link in ("http://", "https://", "src=", "@import"))
    assert page.count('class="on') == len(seen_small.placed())


def test_an_empty_edition_has_a_board(seen_small: Observed, tmp_path: Path) -> None:
    empty = seen_small.edition.model_copy(update={"slots": (), "zones": (), "sessions": ()})
    board = lay_out(empty, {}, {}, {})
    assert render_page(board)
    draw(board, tmp_path / "board.png")


def test_the_picture_shows_the_colours_of_both_participants(seen_full: Observed, tmp_path: Path) -> None:
    board = board_of(seen_full)
    draw(board, tmp_path / "board.png")
    with Image.open(tmp_path / "board.png") as image:
        assert image.size[0] > 3000
        colours = {colour for _, colour in image.convert("RGB").getcolors(1 << 24) or []}
    assert len(colours) > 7


def test_the_picture_needs_no_font_of_the_machine(
    seen_small: Observed, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(picture, "_TYPEFACES", ("No Such Font.ttf",))
    picture._typeface.cache_clear()
    picture._font.cache_clear()
    try:
        assert picture._drawable("Áridos Brenzúa…") == "Aridos Brenzua..."
        draw(board_of(seen_small), tmp_path / "board.png")
    finally:
        monkeypatch.undo()
        picture._typeface.cache_clear()
        picture._font.cache_clear()


@pytest.mark.parametrize(
    ("name", "short"),
    [
        ("Grupo Galdorma S.A.", "Galdorma"),
        ("Calderería Brenzúa S. Coop.", "Calderería Brenzúa"),
        ("Grupo de Metrología Óptica", "Metrología Óptica"),
        ("Áridos Tordorma S.A. de C.V.", "Áridos Tordorma"),
        ("Nexo Sur Internacional", "Nexo Sur Internacional"),
    ],
)
def test_short_names(name: str, short: str) -> None:
    assert short_name(name) == short


@pytest.mark.parametrize(
    ("text", "width", "cut"), [("abc", 3, "abc"), ("abcd", 3, "ab…"), ("a cd", 3, "a…"), ("ab", 0, "…")]
)
def test_text_is_cut_to_its_width(text: str, width: int, cut: str) -> None:
    assert fitting(text, width, len) == cut
