"""The board as a PNG, drawn without a browser."""

from __future__ import annotations

import textwrap
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from functools import cache
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from demo.board import KINDS, Band, BoardPage, Cell, Room

#: Everything is drawn at twice its size, so that it stays sharp on a dense screen.
_SCALE = 2
_CELL_WIDTH, _CELL_HEIGHT, _GAP, _BREAK = 60, 26, 2, 8
_LEFT, _MARGIN, _HEADER, _ZONE_HEIGHT, _LANE_HEIGHT = 64, 24, 132, 30, 44
_LANE_LINES = 3
_TYPEFACES = ("DejaVuSans.ttf", "LiberationSans-Regular.ttf", "NotoSans-Regular.ttf", "Arial.ttf")
_INK, _SOFT, _SHADE, _PAPER, _BAND, _BAND_INK = "#1c2430", "#5d6877", "#f0f2f5", "#ffffff", "#e7dcc3", "#4b3a10"


@cache
def _typeface() -> str | None:
    """Return a font of the machine that has accents, or None: Pillow's own font has ASCII only."""
    for name in _TYPEFACES:
        try:
            ImageFont.truetype(name)
        except OSError:
            continue
        return name
    return None


@cache
def _font(size: float) -> ImageFont.FreeTypeFont:
    typeface = _typeface()
    font = ImageFont.truetype(typeface, size * _SCALE) if typeface else ImageFont.load_default(size * _SCALE)
    if not isinstance(font, ImageFont.FreeTypeFont):
        raise TypeError("Pillow was built without FreeType: no text of a given size can be drawn")
    return font


def _drawable(text: str) -> str:
    """Return the text as the font can draw it: without accents where no font has them."""
    if _typeface():
        return text
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


class _Canvas:
    """Draws in pixels of the board, and applies `_SCALE`."""

    def __init__(self, width: int, height: int) -> None:
        self.image = Image.new("RGB", (width * _SCALE, height * _SCALE), _PAPER)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, x: int, y: int, width: int, height: int, colour: str) -> None:
        corners = [value * _SCALE for value in (x, y, x + width, y + height)]
        self._draw.rectangle((corners[0], corners[1], corners[2] - 1, corners[3] - 1), fill=colour)

    def text(self, x: int, y: int, text: str, size: float, colour: str = _INK, width: int | None = None) -> int:
        """Write a text, cut to `width` with an ellipsis. Return the width written."""
        font = _font(size)
        text = _drawable(text)
        if width is not None:
            text = fitting(text, width * _SCALE, font.getlength)
        self._draw.text((x * _SCALE, y * _SCALE), text, fill=colour, font=font)
        return round(font.getlength(text) / _SCALE)


def fitting(text: str, width: float, measure: Callable[[str], float]) -> str:
    """Return the text, or its longest beginning that fits with an ellipsis."""
    if measure(text) <= width:
        return text
    kept = bisect_right(range(1, len(text)), width, key=lambda length: measure(text[:length] + "…"))
    return text[:kept].rstrip() + "…"


def draw(board: BoardPage, path: Path) -> None:
    """Write the board as a PNG."""
    lefts = _lefts(board)
    width = lefts[-1] + _CELL_WIDTH + _MARGIN if lefts else 800
    canvas = _Canvas(width, _height(board))
    _draw_header(canvas, board, lefts, width)
    top = _HEADER
    for room in board.rooms:
        if room.rows or room.lanes:
            top = _draw_room(canvas, room, lefts, top)
    # Few colours: a palette makes the file a third of the size.
    canvas.image.quantize(64, Image.Quantize.FASTOCTREE).save(path)


def _lefts(board: BoardPage) -> list[int]:
    lefts, x = [], _LEFT
    for column in board.columns:
        x += _BREAK if column.after_break else 0
        lefts.append(x)
        x += _CELL_WIDTH + _GAP
    return lefts


def _height(board: BoardPage) -> int:
    rows = sum(len(room.rows) for room in board.rooms)
    lanes = sum(len(room.lanes) for room in board.rooms)
    zones = sum(bool(room.rows or room.lanes) for room in board.rooms)
    lines = rows * (_CELL_HEIGHT + _GAP) + lanes * (_LANE_HEIGHT + _GAP)
    return _HEADER + lines + zones * _ZONE_HEIGHT + _MARGIN


def _draw_header(canvas: _Canvas, board: BoardPage, lefts: list[int], width: int) -> None:
    canvas.text(_MARGIN, 16, board.title, 20, width=width - 2 * _MARGIN)
    x = _MARGIN
    for name, value in board.figures:
        x += canvas.text(x, 46, value, 15) + 5
        x += canvas.text(x, 50, name, 10.5, _SOFT) + 22
    x = _MARGIN
    for label, colour in KINDS.values():
        canvas.box(x, 81, 11, 11, colour)
        x += 16 + canvas.text(x + 16, 79, label, 10.5, _SOFT) + 16
    for left, column in zip(lefts, board.columns, strict=True):
        canvas.text(left, _HEADER - 18, column.clock, 10.5, _SOFT)


def _draw_room(canvas: _Canvas, room: Room, lefts: list[int], top: int) -> int:
    wide = canvas.text(_MARGIN, top + 8, room.name, 12.5)
    if room.rows:
        canvas.text(_MARGIN + wide + 10, top + 10, f"{len(room.rows)} tables, {room.fill:.0%} in use", 10.5, _SOFT)
    top += _ZONE_HEIGHT
    for row in room.rows:
        canvas.text(_MARGIN, top + 7, row.table, 10.5, width=_LEFT - _MARGIN)
        for left, cell in zip(lefts, row.cells, strict=True):
            _draw_cell(canvas, left, top, cell)
        top += _CELL_HEIGHT + _GAP
    for lane in room.lanes:
        for band in lane:
            _draw_band(canvas, band, lefts, top)
        top += _LANE_HEIGHT + _GAP
    return top


def _draw_band(canvas: _Canvas, band: Band, lefts: list[int], top: int) -> None:
    width = lefts[band.first + band.span - 1] + _CELL_WIDTH - lefts[band.first]
    canvas.box(lefts[band.first], top, width, _LANE_HEIGHT, _BAND)
    lines = textwrap.wrap(band.title, max(8, round((width - 12) / 4.9)), max_lines=_LANE_LINES, placeholder="…")
    for number, line in enumerate(lines):
        canvas.text(lefts[band.first] + 6, top + 5 + 12 * number, line, 8.5, _BAND_INK, width - 8)


def _draw_cell(canvas: _Canvas, left: int, top: int, cell: Cell | None) -> None:
    if cell is None:
        canvas.box(left, top, _CELL_WIDTH, _CELL_HEIGHT, _SHADE)
        return
    half = _CELL_HEIGHT // 2
    for number, attendee in enumerate((cell.first, cell.second)):
        canvas.box(left, top + number * half, _CELL_WIDTH, half, attendee.colour)
        canvas.text(left + 3, top + number * half + 1, attendee.short, 8.5, _PAPER, _CELL_WIDTH - 6)
