"""The cover report: one PDF, A4, in Chinese and English side by side.

It says what `Report` holds, and computes nothing. Not promised to be byte-stable: fonts differ.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Final

from fpdf import FPDF
from fpdf.enums import XPos, YPos

from ledger.disclosure.fonts import Face, Fonts
from ledger.disclosure.tables import Table, Words, words
from ledger.disclosure.wrapping import column_widths, longest_piece, wrap

_MARGIN_MM: Final = 18.0
_FAMILY: Final = "text"
_GREEN: Final = (31, 92, 67)
_PALE: Final = (232, 242, 236)
_RULE: Final = (190, 205, 197)
_INK: Final = (33, 37, 41)
_GREY: Final = (104, 112, 118)
_AMBER: Final = (150, 84, 0)
_POINT_MM: Final = 25.4 / 72
_GAP_MM: Final = 1.6
# Stands for a character that the font lacks; printers have used it for that for a century.
_LACKING: Final = "〓"


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """A heading with tables and paragraphs. `alone`: begins a page."""

    title: Words
    tables: Sequence[Table] = ()
    before: Sequence[Words] = ()
    after: Sequence[Words] = ()
    code: Sequence[str] = ()
    alone: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """`facts`: what stands on the first page, name and value. `mark`: such as "draft"; `""`: none.
    `at_s`: when it says that it was made."""

    title: Words
    subject: str
    period: str
    facts: Sequence[tuple[Words, str]]
    sections: Sequence[Section]
    at_s: int
    mark: Words = field(default_factory=lambda: words("", ""))


def write_pdf(report: Report, fonts: Fonts) -> bytes:
    """Raises nothing for any text: characters that the font lacks are shown as 〓."""
    # It names each table of a font that it leaves out; nobody can act on that.
    logging.getLogger("fontTools").setLevel(logging.ERROR)
    page = _Pages(report, fonts)
    page.cover()
    for section in report.sections:
        page.section(section)
    return bytes(page.output())


class _Pages(FPDF):
    def __init__(self, report: Report, fonts: Fonts) -> None:
        super().__init__(format="A4")
        self._report = report
        self._character_widths: dict[tuple[str, float], dict[str, float]] = {}
        self._characters = fonts.regular.characters & fonts.bold.characters
        self._add(fonts.regular, "")
        # The same file read again would take as long again.
        self._bold = "B" if fonts.bold != fonts.regular else ""
        if self._bold:
            self._add(fonts.bold, self._bold)
        self.set_creation_date(datetime.fromtimestamp(report.at_s, UTC))
        self.set_title(self._clean(f"{report.subject} {report.period} {report.title.together}"))
        self.set_creator("greenledger")
        self.set_lang("zh-CN")
        self.set_margin(_MARGIN_MM)
        self.set_auto_page_break(False)

    def _add(self, face: Face, style: str) -> None:
        self.add_font(_FAMILY, style, face.path, collection_font_number=face.number)

    # Pages

    def header(self) -> None:
        if self.page_no() == 1:
            return
        report = self._report
        self.set_y(10)
        self._line(f"{report.subject} · {report.period}", size=7.5, color=_GREY)
        self.set_xy(_MARGIN_MM, 10)
        mark = f"{report.mark.zh} · " if report.mark.zh else ""
        self._line(mark + report.title.zh, size=7.5, color=_GREY, align="R")
        self._rule(15)
        self.set_y(20)

    def footer(self) -> None:
        self.set_y(-13)
        self._line(f"{self.page_no()} / {{nb}}", size=7.5, color=_GREY, align="C")

    @property
    def _room_mm(self) -> float:
        """How far down a page is written on."""
        return float(self.h) - _MARGIN_MM - 2

    def _need(self, height_mm: float) -> bool:
        """A new page unless so much is free; whether there was one."""
        if self.get_y() + height_mm <= self._room_mm:
            return False
        self.add_page()
        return True

    # Parts

    def cover(self) -> None:
        report = self._report
        self.add_page()
        self.set_fill_color(*_GREEN)
        self.rect(0, 0, self.w, 74, style="F")
        self.set_y(24)
        white = (255, 255, 255)
        self._line(report.title.zh, size=24, bold=True, color=white)
        self._line(report.title.en, size=13, color=white)
        self.ln(6)
        self._line(f"{report.subject}  ·  {report.period}", size=15, bold=True, color=white)
        self.set_y(82)
        if report.mark.zh:
            self._line(report.mark.together, size=10, bold=True, color=_AMBER)
            self.ln(2)
        for name, value in report.facts:
            self._fact(name, value)
        self.ln(3)

    def section(self, section: Section) -> None:
        if section.alone:
            self.add_page()
        # A heading does not stand alone at the foot of a page.
        self._need(34)
        if self.get_y() > 24:
            self.ln(4)
        self._line(section.title.zh, size=13, bold=True, color=_GREEN)
        self._line(section.title.en, size=9, color=_GREEN)
        self._rule(self.get_y() + 0.8)
        self.ln(2.6)
        for paragraph in section.before:
            self._both(paragraph)
        for table in section.tables:
            self._table(table, headed=len(section.tables) > 1)
        for paragraph in section.after:
            self._both(paragraph)
        for line in section.code:
            self._code(line)

    def _fact(self, name: Words, value: str) -> None:
        self.set_font(_FAMILY, "", 8.5)
        left = 46.0
        lines = self._wrapped(value, self.epw - left)
        height = 4.4 * max(len(lines), 2) + 1.2
        self._need(height)
        top = self.get_y()
        self._lines([name.zh, name.en], _MARGIN_MM, left, size=8, color=_GREY)
        self.set_y(top)
        self._lines(lines, _MARGIN_MM + left, self.epw - left, size=8.5)
        self.set_y(top + height)
        self._rule(self.get_y() - 0.8)

    def _both(self, paragraph: Words) -> None:
        """Chinese on the left, English on the right."""
        self.set_font(_FAMILY, "", 8)
        width = (self.epw - 6) / 2
        left, right = self._wrapped(paragraph.zh, width), self._wrapped(paragraph.en, width)
        height = 4.1 * max(len(left), len(right)) + 1.6
        self._need(height)
        top = self.get_y()
        self._lines(left, _MARGIN_MM, width, size=8, height=4.1)
        self.set_y(top)
        self._lines(right, _MARGIN_MM + width + 6, width, size=8, height=4.1, color=_GREY)
        self.set_y(top + height)

    def _code(self, text: str) -> None:
        self.set_font(_FAMILY, "", 7.5)
        lines = self._wrapped(text, self.epw - 6)
        height = 4.0 * len(lines) + 3
        self._need(height + 1.5)
        top = self.get_y()
        self.set_fill_color(*_PALE)
        self.rect(_MARGIN_MM, top, self.epw, height, style="F")
        self.set_y(top + 1.5)
        self._lines(lines, _MARGIN_MM + 3, self.epw - 6, size=7.5, height=4.0)
        self.set_y(top + height + 1.5)

    def _table(self, table: Table, *, headed: bool) -> None:
        columns, rows = table.page()
        size = 7.2 if len(columns) > 6 else 7.8
        names = [
            f"{one.title.zh}\n{one.title.en}" + (f" ({one.unit})" if one.unit else "")
            for one in columns
        ]
        widths = self._widths([names, *rows], size)
        right = [one.number for one in columns]
        if headed:
            self._need(24)
            self._line(table.title.together, size=9, bold=True)
            self.ln(0.8)
        # A header does not stand alone at the foot of a page.
        first = self._height(rows[0], widths, size) if rows else 0.0
        self._need(self._height(names, widths, size) + first)
        self._row(names, widths, right, size=size, head=True)
        for cells in rows:
            if self._need(self._height(cells, widths, size)):
                self._row(names, widths, right, size=size, head=True)
            self._row(cells, widths, right, size=size)
        if not rows:
            self.ln(1.2)
            self._line("无 none", size=size, color=_GREY)
        for note in table.notes:
            self.ln(1.2)
            self._both(note)
        self.ln(3)

    def _widths(self, rows: Sequence[Sequence[str]], size: float) -> list[float]:
        self.set_font(_FAMILY, "", size)
        columns = [[self._clean(cell) for cell in column] for column in zip(*rows, strict=True)]
        natural = [max(map(self._natural, column)) for column in columns]
        least = [max(longest_piece(cell, self._width_of) for cell in column) for column in columns]
        # A hash or an address may be cut; a column that holds one does not take the page.
        most = self.epw / 3
        padding = 2 * _GAP_MM + 0.3
        return column_widths(
            [one + padding for one in natural],
            [min(one, most) + padding for one in least],
            self.epw,
        )

    def _natural(self, cell: str) -> float:
        return max(self._width_of(line) for line in cell.split("\n"))

    def _height(self, cells: Sequence[str], widths: Sequence[float], size: float) -> float:
        self.set_font(_FAMILY, "", size)
        most = max(
            len(self._wrapped(cell, width - 2 * _GAP_MM))
            for cell, width in zip(cells, widths, strict=True)
        )
        return most * self._line_mm(size) + 1.6

    def _row(
        self,
        cells: Sequence[str],
        widths: Sequence[float],
        right: Sequence[bool],
        *,
        size: float,
        head: bool = False,
    ) -> None:
        height = self._height(cells, widths, size)
        top, left = self.get_y(), _MARGIN_MM
        if head:
            self.set_fill_color(*_PALE)
            self.rect(left, top, self.epw, height, style="F")
        for cell, width, to_the_right in zip(cells, widths, right, strict=True):
            self.set_font(_FAMILY, "", size)
            self.set_y(top + 0.8)
            self._lines(
                self._wrapped(cell, width - 2 * _GAP_MM),
                left + _GAP_MM,
                width - 2 * _GAP_MM,
                size=size,
                height=self._line_mm(size),
                align="R" if to_the_right else "L",
                color=_GREEN if head else _INK,
            )
            left += width
        self.set_y(top + height)
        self._rule(self.get_y())

    # Text

    def _line_mm(self, size: float) -> float:
        return size * _POINT_MM * 1.36

    def _width_of(self, text: str) -> float:
        """As `get_string_width`, in the font that is set, from the widths of single characters:
        they are not kerned."""
        known = self._character_widths.setdefault((self.font_style, self.font_size_pt), {})
        total = 0.0
        for one in text:
            width = known.get(one)
            if width is None:
                width = known[one] = float(self.get_string_width(one))
            total += width
        return total

    def _clean(self, text: str) -> str:
        return "".join(
            one if one == "\n" or ord(one) in self._characters else _LACKING for one in text
        )

    def _wrapped(self, text: str, width: float) -> list[str]:
        """In the font that is set."""
        return wrap(self._clean(text), width - 0.2, self._width_of)

    def _line(
        self,
        text: str,
        *,
        size: float,
        bold: bool = False,
        color: tuple[int, int, int] = _INK,
        align: str = "L",
    ) -> None:
        self.set_font(_FAMILY, self._bold if bold else "", size)
        lines = self._wrapped(text, self.epw)
        self._lines(lines, _MARGIN_MM, self.epw, size=size, bold=bold, color=color, align=align)

    def _lines(
        self,
        lines: Sequence[str],
        x: float,
        width: float,
        *,
        size: float,
        height: float | None = None,
        bold: bool = False,
        color: tuple[int, int, int] = _INK,
        align: str = "L",
    ) -> None:
        self.set_font(_FAMILY, self._bold if bold else "", size)
        self.set_text_color(*color)
        for line in lines:
            self.set_x(x - self.c_margin)
            self.cell(
                width + 2 * self.c_margin,
                height or self._line_mm(size),
                line,
                align=align,
                new_x=XPos.LEFT,
                new_y=YPos.NEXT,
            )

    def _rule(self, y: float) -> None:
        self.set_draw_color(*_RULE)
        self.set_line_width(0.2)
        self.line(_MARGIN_MM, y, float(self.w) - _MARGIN_MM, y)
