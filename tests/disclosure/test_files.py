"""CSV, XLSX and PDF, read back by programs that did not write them."""

import csv
import io
import re
from contextlib import closing
from pathlib import Path

import pytest
from openpyxl import load_workbook
from pypdfium2 import PdfDocument

from ledger.disclosure.csv_file import harmless, write_csv
from ledger.disclosure.fonts import Fonts, find_fonts
from ledger.disclosure.pdf_file import Report, Section, write_pdf
from ledger.disclosure.tables import (
    Table,
    exact,
    number_column,
    shown,
    text_column,
    words,
)
from ledger.disclosure.wrapping import wrap
from ledger.disclosure.xlsx_file import write_xlsx
from ledger.errors import InvalidInput, Unavailable
from tests.disclosure.park import font

AT_S = 1_798_761_600  # 2027-01-01T00:00:00Z
HOSTILE = ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "＝1+1", "  =1+1", "\r=1", '=cmd|"/c calc"!A1']


def table(*names: str) -> Table:
    """A row for each name: 1,234,567 g times its place, and a share."""
    return Table(
        name="regimes",
        title=words("各规则下的排放", "Emissions by regime"),
        columns=[
            text_column("规则", "Regime"),
            number_column("合计", "Total", "t", scale=10**6, places=3),
            number_column("占比", "Share", "%", scale=10**4, places=2),
        ],
        rows=[[name, 1_234_567 * place, None] for place, name in enumerate(names, 1)],
        notes=[words("不可相加。", "Never added.")],
    )


@pytest.fixture(scope="module")
def fonts() -> Fonts:
    return find_fonts(font())


def rows_of(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline=""), strict=True))


# Numbers


@pytest.mark.parametrize(
    ("amount", "scale", "text"),
    [
        (1_234_567, 10**6, "1.234567"),
        (1_000_000, 10**6, "1"),
        (-500_000, 10**6, "-0.5"),
        (0, 10**6, "0"),
        (10, 10**6, "0.00001"),
        (10**24, 10**6, "1" + "0" * 18),
        (7, 1, "7"),
        (100, 1, "100"),
    ],
)
def test_exact_numbers(amount: int, scale: int, text: str) -> None:
    assert exact(amount, scale) == text


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        (1_234_567_890, "1,234.568"),
        (500, "0.000"),
        (1_500, "0.002"),
        (2_500, "0.002"),
        (-1, "-0.000"),
        (None, "–"),
        ("", "–"),
        ("x", "x"),
    ],
)
def test_shown_numbers_round_half_to_even(cell: str | int | None, text: str) -> None:
    assert shown(cell, number_column("合计", "Total", "t", scale=10**6, places=3)) == text


# CSV


def test_csv_begins_with_a_byte_order_mark_and_keeps_each_digit() -> None:
    raw = write_csv(table("基于位置", 'a "quoted", name\nin two lines'))
    assert raw.startswith(b"\xef\xbb\xbf")
    assert raw.count(b"\r\n") == 3
    assert rows_of(raw) == [
        ["规则 Regime", "合计 Total (t)", "占比 Share (%)"],
        ["基于位置", "1.234567", ""],
        ['a "quoted", name\nin two lines', "2.469134", ""],
    ]


@pytest.mark.parametrize("text", HOSTILE)
def test_csv_text_never_begins_a_formula(text: str) -> None:
    cell = rows_of(write_csv(table(text)))[1][0]
    assert cell == "'" + text


def test_csv_leaves_harmless_text_and_negative_numbers_alone() -> None:
    assert [harmless(text) for text in ("a=b", "1-2", "", "'x")] == ["a=b", "1-2", "", "'x"]
    negative = Table(
        name="one",
        title=words("一", "one"),
        columns=[number_column("数", "Number", scale=10)],
        rows=[[-15]],
    )
    assert rows_of(write_csv(negative))[1] == ["-1.5"]


# XLSX


def test_xlsx_has_frozen_headers_numbers_and_no_formula() -> None:
    raw = write_xlsx([table("基于位置", *HOSTILE)], title=words("披露", "Disclosure"), at_s=AT_S)
    book = load_workbook(io.BytesIO(raw))
    assert book.sheetnames == ["各规则下的排放"]
    sheet = book["各规则下的排放"]
    assert sheet.freeze_panes == "A2"
    assert sheet["A1"].value == "规则 Regime"
    assert (sheet["B2"].value, sheet["B2"].number_format) == (1.234567, "#,##0.000")
    texts = [sheet.cell(row, 1) for row in range(3, 3 + len(HOSTILE))]
    assert [cell.data_type for cell in texts] == ["s"] * len(HOSTILE)
    assert texts[0].value == "=1+1"
    assert sheet["C2"].value is None


def test_xlsx_survives_any_name() -> None:
    odd = Table(
        name="odd",
        title=words("a/b:c*?[d]" * 5, "odd"),
        columns=[text_column("名", "Name")],
        rows=[["\x00\x1b bell"], ["x" * 40_000]],
    )
    book = load_workbook(io.BytesIO(write_xlsx([odd, odd], title=words("t", "t"), at_s=AT_S)))
    assert len(book.sheetnames) == 2
    sheet = book.worksheets[0]
    assert sheet["A2"].value == "\ufffd\ufffd bell"
    assert len(str(sheet["A3"].value)) == 32_767


# PDF


def report(*sections: Section, subject: str = "恩赐制造") -> Report:
    return Report(
        title=words("绿色电力与碳排放披露", "Green power and carbon disclosure"),
        subject=subject,
        period="2026",
        facts=[(words("日志", "Log"), "park.example/2026")],
        sections=sections,
        at_s=AT_S,
        mark=words("草稿", "Draft"),
    )


def pages_of(raw: bytes) -> list[str]:
    """The text of each page, as PDFium reads it."""
    with closing(PdfDocument(raw)) as document:
        return [page.get_textpage().get_text_range() for page in document]


def test_pdf_says_both_languages_totals_and_page_numbers(fonts: Fonts) -> None:
    section = Section(
        title=words("各规则下的排放", "Emissions by regime"),
        tables=[table("发改环资〔2025〕910号", "GHG Protocol")],
        code=["greenledger-verify pack x.zip --vkey 'a+b+c'"],
    )
    alone = Section(title=words("抵销", "Offsets"), alone=True)
    raw = write_pdf(report(section, alone), fonts)
    first, second = pages_of(raw)
    for text in ("绿色电力与碳排放披露", "Green power and carbon disclosure", "恩赐制造", "草稿"):
        assert text in first
    for text in ("发改环资〔2025〕910号", "1.235", "2.469", "合计", "Total (t)", "不可相加。"):
        assert text in first
    assert "Never added." in first
    assert "greenledger-verify pack x.zip" in first
    assert "1 / 2" in first
    assert "抵销" in second
    assert "2 / 2" in second


def test_pdf_repeats_the_header_of_a_long_table(fonts: Fonts) -> None:
    many = table(*(f"规则 {number}" for number in range(120)))
    pages = pages_of(write_pdf(report(Section(title=many.title, tables=[many])), fonts))
    assert len(pages) > 2
    with_rows = [page for page in pages if "规则 " in page]
    assert all("Total (t)" in page for page in with_rows)
    found = re.findall(r"规则 (\d+)", "".join(pages))
    assert [int(number) for number in found] == list(range(120))


def test_pdf_embeds_what_it_needs_and_no_more() -> None:
    """With whatever font is found first: outlines of either kind."""
    raw = write_pdf(report(), find_fonts(None))
    assert len(raw) < 200_000
    assert 1 <= len(re.findall(rb"/FontFile[23] ", raw)) <= 2


def test_pdf_of_the_same_report_is_the_same(fonts: Fonts) -> None:
    assert write_pdf(report(), fonts) == write_pdf(report(), fonts)


def test_pdf_shows_a_mark_for_what_its_font_lacks(fonts: Fonts) -> None:
    assert "〓" in pages_of(write_pdf(report(subject="\U000e0041"), fonts))[0]


def test_a_font_is_named_or_found_or_what_to_install_is_said(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match=r"apt-get install fonts-wqy-microhei.*GREENLEDGER_PDF"):
        find_fonts(None, [(str(tmp_path / "none.ttc"), "")])
    with pytest.raises(InvalidInput, match="is no file"):
        find_fonts(tmp_path / "none.ttf")
    (tmp_path / "broken.ttf").write_bytes(b"no font")
    with pytest.raises(InvalidInput, match="not a font that can be read"):
        find_fonts(tmp_path / "broken.ttf")


# Lines


@pytest.mark.parametrize(
    ("text", "width", "lines"),
    [
        ("绿色电力", 2, ["绿色", "电力"]),
        ("绿色，电力。", 3, ["绿色，", "电力。"]),
        ("绿电（二）", 3, ["绿电", "（二）"]),
        ("two words", 5, ["two", "words"]),
        ("绿 power", 5, ["绿", "power"]),
        ("abcdefgh", 3, ["abc", "def", "gh"]),
        ("a\nb", 9, ["a", "b"]),
        ("", 9, [""]),
    ],
)
def test_wrapping(text: str, width: int, lines: list[str]) -> None:
    assert wrap(text, width, len) == lines


def test_wrapping_loses_no_character() -> None:
    text = "规则不同，数字不可相加；a figure has a meaning only under 其规则、边界（boundary）。"
    for width in range(4, 40):
        lines = wrap(text, width, len)
        assert "".join(lines).replace(" ", "") == text.replace(" ", "")
        assert all(len(line) <= width for line in lines)
