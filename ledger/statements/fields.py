"""Single cells of a statement → what they mean. Each raises Bad, which says what would be right."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, timezone
from fractions import Fraction
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log.entry import INTEGER_MAX
from ledger.metering.importers import decimals, times
from ledger.metering.importers.cells import as_texts
from ledger.metering.importers.report import listed, nearest
from ledger.metering.importers.tables import as_label
from ledger.registry.ranges import serial_of
from ledger.statements import model
from ledger.statements.profile import AMERICAN, MonthRules, Naming, TimeRules
from ledger.units import parse_zone, zone_offset_s

# A spreadsheet keeps 15 digits of a number, and makes the rest 0.
SPREADSHEET_DIGITS: Final = 15

_MONTHS: Final = {
    "2025-01": re.compile(r"([0-9]{4})-([0-9]{1,2})"),
    "202501": re.compile(r"([0-9]{4})([0-9]{2})"),
    "2025/1": re.compile(r"([0-9]{4})/([0-9]{1,2})"),
    "2025年1月": re.compile(r"([0-9]{4})年([0-9]{1,2})月"),
}
_MONTH_NAMES: Final = "JanFebMarAprMayJunJulAugSepOctNovDec"
_AMERICAN: Final = re.compile(
    r"([A-Z][a-z]{2}) ([0-9]{1,2}), ([0-9]{4}), ([0-9]{1,2}):([0-9]{2}):([0-9]{2})"
    "[\u202f\u00a0 ](AM|PM)"
)


class Bad(Exception):
    """A cell can't be taken; the text says why."""


def label(cell: object) -> str:
    """A cell as the name of something. Raises Bad where a spreadsheet has lost its last digits."""
    text = as_label(cell)
    if isinstance(cell, float) and len(text.lstrip("-")) > SPREADSHEET_DIGITS:
        raise Bad(
            f"is the number {text}, of which a spreadsheet keeps {SPREADSHEET_DIGITS} digits: the"
            " column must be formatted as text where the file is made"
        )
    return text


def code_of(cell: object) -> str:
    text = label(cell)
    if not text:
        raise Bad("names no code")
    return _checked_code(text)


def _checked_code(text: str) -> str:
    if not model.is_code(text):
        raise Bad(f"code {text!r} is not {model.CODE_FORM}")
    return text


def serials(from_: object, to: object) -> tuple[str, int, int, int]:
    """(code, first, end, digits) of the serial numbers from … to, the last one included."""
    said = f"serials {label(from_)!r} to {label(to)!r}"
    try:
        code, first, digits = serial_of(label(from_))
        code_to, last, digits_to = serial_of(label(to))
    except InvalidInput as error:
        raise Bad(str(error)) from error
    if (code, digits) != (code_to, digits_to):
        raise Bad(
            f"{said} differ in more than their last number: both must have the same text before it,"
            " and the same number of digits"
        )
    if last < first:
        raise Bad(f"{said} run backwards")
    return _checked_code(code), first, last + 1, digits


def whole_numbers(cells: Sequence[Any], per: Fraction, unit: str, whole: str) -> list[int | Bad]:
    """Each cell's number × `per`, exactly. `unit`: what the file counts; `whole`: what is whole."""
    texts = as_texts(cells)
    parsed = decimals.parse(texts)
    bad = dict(parsed.bad)
    found: list[int | Bad] = []
    scale = per / 10**parsed.places
    for place, mantissa in enumerate(parsed.mantissa.tolist()):
        text = texts[place]
        number = mantissa * scale
        if place in bad:
            found.append(Bad(bad[place]))
        elif number < 0:
            found.append(Bad(f"{text} {unit} is negative; 0 or more is right"))
        elif number.denominator != 1:
            found.append(Bad(f"{text} {unit} is no whole number of {whole}: none is ever split"))
        elif number > INTEGER_MAX:
            found.append(Bad(f"{text} {unit} is more than {INTEGER_MAX} {whole}"))
        else:
            found.append(int(number))
    return found


def month_of(cells: Sequence[Any], rules: MonthRules) -> str:
    """`2026-01` of the cells of one row: one, or year and month."""
    if len(cells) == 1 and isinstance(cells[0], date):
        at = cells[0]
        if at.day != 1 or (isinstance(at, datetime) and (at.hour or at.minute or at.second)):
            raise Bad(f"{at} is a day, but a month is right")
        return f"{at:%Y-%m}"
    text = "-".join(map(as_label, cells))
    found = _MONTHS[rules.format].fullmatch(text)
    if not found:
        said = "year and month" if len(cells) > 1 else f"a month such as {rules.format}"
        raise Bad(f"{text!r} is not {said}" if text.strip("-") else "names no month")
    month = f"{found[1]}-{int(found[2]):02}"
    if not model.is_month(month):
        raise Bad(f"{text!r} is no month of a calendar")
    return month


def named(cell: object, rules: Naming, field: str) -> str | None:
    """What a cell is called in this log; None where the profile notes what it does not know."""
    text = label(cell)
    if text in rules.names:
        return rules.names[text]
    # What others call a party, only the profile can tell; and a row may be of no project.
    if field in _FORMS and _FORMS[field](text):
        return text
    if rules.noted:
        return None
    known = [*rules.names, *(model.STATUSES if field == "status" else ())]
    raise Bad(
        f"unknown {field} {text!r}{nearest(text, known)}; known are {listed(known)}: the profile's"
        f" [{field}.names] may say what it is"
    )


_FORMS: Final[Mapping[str, Callable[[str], bool]]] = {
    "status": lambda text: text in model.STATUSES,
    "class": model.is_slug,
    "project": lambda text: not text or model.is_code(text),
}


def instant_of(cell: object, rules: TimeRules, park: timezone) -> int:
    """Unix seconds of a cell with a time."""
    if isinstance(cell, date):
        local_s, offset_s = int(times.read_native([cell])[0]), None
        text = str(cell)
    else:
        text = as_label(cell)
        local_s, offset_s = _read_text(text, rules)
    if local_s == times.BAD:
        form = rules.format or "a cell with a date"
        raise Bad(f"time {text!r} does not fit the format {form!r}" if text else "has no time")
    if offset_s is None:
        if rules.zone == "file":
            raise Bad(f"time {text!r} carries no offset, but the profile's zone is 'file'")
        zone = park if rules.zone == "park" else parse_zone(rules.zone)
        offset_s = zone_offset_s(zone)
    return local_s - offset_s


def _read_text(text: str, rules: TimeRules) -> tuple[int, int | None]:
    """(local seconds or times.BAD, the offset that the text carries)."""
    if not rules.format:
        return times.BAD, None
    if rules.format == AMERICAN:
        return _read_american(text), None
    if not rules.format.endswith("%z"):
        return int(times.read_texts([text], rules.format)[0]), None
    (rest,), (offset_s,) = times.split_offsets([text])
    if offset_s is None:
        raise Bad(f"time {text!r} carries no offset, but the profile's format has %z")
    return int(times.read_texts([rest], rules.format.removesuffix("%z").rstrip())[0]), offset_s


def _read_american(text: str) -> int:
    found = _AMERICAN.fullmatch(text)
    month, rest = divmod(_MONTH_NAMES.find(found[1]), 3) if found else (0, 1)
    if not found or rest or not 1 <= int(found[4]) <= 12:
        return times.BAD
    hour = int(found[4]) % 12 + (12 if found[7] == "PM" else 0)
    plain = f"{found[3]}-{month + 1}-{found[2]} {hour}:{found[5]}:{found[6]}"
    return int(times.read_texts([plain], "%Y-%m-%d %H:%M:%S", allow_24=False)[0])


def note_of(parts: Sequence[tuple[str, str]]) -> str:
    """`column: text; column: text`, in one line; what is too long ends in "…"."""
    text = "; ".join(f"{column}: {said}" if column else said for column, said in parts if said)
    line = re.sub(r"[\u0000-\u001f\u007f]+", " ", text)
    return line if len(line) <= model.NOTE_MAX else f"{line[: model.NOTE_MAX - 1]}…"
