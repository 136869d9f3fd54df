"""Import profiles: a TOML text that says how to read one kind of file, and nothing about code.

The keys are explained by the examples in `ledger/metering/profiles/`. Reading is strict: an unknown
key, or a key that another one makes meaningless, is an error that names it and what is allowed.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from fractions import Fraction
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from ledger.errors import InvalidInput
from ledger.files import parse_toml
from ledger.metering.importers.profile import (
    ColumnsLayout,
    FileRules,
    LongLayout,
    Naming,
    Profile,
    TimeRules,
    ValueRules,
    WideLayout,
)
from ledger.metering.importers.report import listed, nearest
from ledger.metering.importers.strict import Section
from ledger.metering.importers.times import check_format
from ledger.units import BASE_UNITS, DAY_S, HOUR_S, POWER_UNITS, parse_zone

FORMATS: Final = ("csv", "xlsx", "parquet")
ENCODINGS: Final = ("utf-8", "utf-8-sig", "gb18030")
QUANTITIES: Final = ("energy", "power", "register", "gauge")
KEEP_FORMS: Final = ("%Y-%m-%d", "%Y-%m-%d %H:%M")


def read_profile(text: str, *, where: str) -> Profile:
    """TOML text → profile. `where` names it in messages. Raises InvalidInput."""
    content = parse_toml(text, where)
    root = Section(content, path="", where=where)
    title = root.text("title", "", empty=True)
    file = read_file_rules(root.section("file", required=True))
    value_section = root.section("value", required=True)
    quantity = value_section.choice("quantity", QUANTITIES)
    wide = root.has("wide")
    time = _read_time(root.section("time", required=True), quantity, wide=wide)
    value = _read_value(value_section, quantity, time.interval_s)
    layout = _read_layout(root, time)
    keep_rows = root.names("keep_rows")
    keep_from_s, keep_to_s = _read_keep(root.section("keep"))
    target_s, spread = _read_target(root.section("target"), time.interval_s)
    root.close()
    _check_stars(where, file, layout)
    return Profile(
        where=where,
        title=title,
        file=file,
        time=time,
        value=value,
        layout=layout,
        keep_rows=keep_rows,
        keep_from_s=keep_from_s,
        keep_to_s=keep_to_s,
        target_s=target_s,
        spread=spread,
    )


def read_file_rules(section: Section, formats: Sequence[str] = FORMATS) -> FileRules:
    """The table `[file]` of a profile for files of these forms. Raises InvalidInput."""
    form = section.choice("format", formats)
    name = section.text("name", "")
    if name.count("*") > 1:
        raise section.fails("name", f"is {name!r}, but may hold one '*' only")
    encoding, delimiter, final_line_break, sheet, header_row = "utf-8", ",", True, "", 1
    if form == "csv":
        encoding = section.choice("encoding", ENCODINGS, "utf-8")
        delimiter = section.text("delimiter", ",")
        if len(delimiter) != 1 or delimiter in '"\r\n':
            raise section.fails("delimiter", f"is {delimiter!r}, but must be one character")
        rule = section.choice("final_line_break", ("required", "optional"), "required")
        final_line_break = rule == "required"
    if form == "xlsx":
        sheet = section.text("sheet", "")
    if form != "parquet":
        header_row = section.whole("header_row", 1, least=1, most=1000)
    section.close()
    return FileRules(
        format=form,
        name=name,
        encoding=encoding,
        delimiter=delimiter,
        final_line_break=final_line_break,
        sheet=sheet,
        header_row=header_row,
    )


def _read_time(section: Section, quantity: str, *, wide: bool) -> TimeRules:
    columns = section.texts("columns")
    if not columns:
        raise section.fails("columns", "is empty")
    stamp_format = section.text("format", "")
    interval_s = _interval_s(section, "interval")
    if stamp_format:
        try:
            has_time, has_offset = check_format(stamp_format)
        except ValueError as error:
            raise section.fails("format", f"is {stamp_format!r}: {error}") from error
        if wide and has_time:
            raise section.fails("format", "may hold a date only, since [wide] gives the time")
        if not wide and not has_time and interval_s != DAY_S:
            raise section.fails("format", f"is {stamp_format!r}, but says no time of day (%H)")
    if quantity == "register":
        if section.has("label"):
            raise section.fails("label", "has no meaning for a register: its stamps are instants")
        ends = False
    else:
        ends = section.choice("label", ("start", "end")) == "end"
    day_closing = section.flag("day_closing", default=False)
    if day_closing and wide:
        raise section.fails("day_closing", "has no meaning for [wide], whose columns give the time")
    if day_closing and not (ends or quantity == "register"):
        raise section.fails("day_closing", "needs label = 'end'")
    zone = section.text("zone", "park")
    _check_zone(section, zone)
    if zone == "file" and stamp_format and not has_offset:
        raise section.fails("zone", "is 'file', but the format has no %z")
    ambiguous = section.choice("ambiguous", ("reject", "order"), "reject")
    shift_s = section.duration_s("shift", "0s", signed=True)
    section.close()
    return TimeRules(
        columns=columns,
        format=stamp_format,
        interval_s=interval_s,
        ends=ends,
        day_closing=day_closing,
        zone=zone,
        ambiguous_by_order=ambiguous == "order",
        shift_s=shift_s,
    )


def _interval_s(section: Section, key: str) -> int:
    interval_s = section.duration_s(key)
    if not 0 < interval_s <= DAY_S or DAY_S % interval_s:
        raise section.fails(key, "must divide a day into equal parts")
    return interval_s


def _check_zone(section: Section, zone: str) -> None:
    if zone in ("park", "file"):
        return
    try:
        if zone[:1] in "+-":
            parse_zone(zone)
        else:
            ZoneInfo(zone)
    except (InvalidInput, ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise section.fails(
            "zone",
            f"is {zone!r}, but must be 'park', 'file', an offset such as '+08:00'"
            " or an IANA name such as 'Europe/London'",
        ) from error


def _read_value(section: Section, quantity: str, interval_s: int) -> ValueRules:
    unit = section.text("unit")
    if quantity == "power":
        known, factor = {name: ("Wh", each) for name, each in POWER_UNITS.items()}, interval_s
    else:
        known, factor = BASE_UNITS, HOUR_S
    if unit not in known:
        raise section.fails(
            "unit",
            f"is {unit!r}, which is unknown for {quantity}{nearest(unit, known)};"
            f" known: {listed(known)}",
        )
    base_unit, per_unit = known[unit]
    scale = section.decimal("scale", "1")
    if scale == 0:
        raise section.fails("scale", "is 0, which would erase every value")
    register = quantity == "register"
    by_meter = section.choice("multiplier", ("none", "meter"), "meter" if register else "none")
    missing = section.choice("missing", ("reject", "skip"), "reject")
    markers = section.texts("missing_markers", ("",))
    digits, negative, zero_is = 0, "reject", "value"
    if register:
        digits = section.whole("register_digits", 0, least=1, most=15)
    else:
        negative = section.choice("negative", ("reject", "clip", "keep"), "reject")
        zero_is = section.choice("zero_is", ("value", "suspect", "missing"), "value")
    section.close()
    return ValueRules(
        quantity=quantity,
        unit=unit,
        base_unit=base_unit,
        factor=Fraction(per_unit) * scale * factor / HOUR_S,
        by_meter=by_meter == "meter",
        register_digits=digits,
        missing_rejected=missing == "reject",
        missing_markers=markers,
        negative=negative,
        zero_is=zero_is,
    )


def _read_layout(root: Section, time: TimeRules) -> ColumnsLayout | LongLayout | WideLayout:
    given = [key for key in ("points", "long", "wide") if root.has(key)]
    if len(given) != 1:
        raise root.fails("points, long, wide:", f"exactly one must be given, found {listed(given)}")
    if given == ["points"]:
        points: dict[str, str] = {}
        for each in root.sections("points"):
            column = each.text("column")
            if column in points:
                raise each.fails("column", f"{column!r} is given twice")
            point = each.text("point")
            if point in points.values():
                raise each.fails("point", f"{point!r} is given twice")
            points[column] = point
            each.close()
        return ColumnsLayout(points=points)
    section = root.section(given[0])
    naming = _read_naming(section, column_required=given == ["long"])
    if given == ["long"]:
        layout: LongLayout | WideLayout = LongLayout(
            value_column=section.text("value_column"), naming=naming
        )
    else:
        layout = _read_wide(section, naming, time.interval_s)
    section.close()
    return layout


def _read_naming(section: Section, *, column_required: bool) -> Naming:
    if not column_required and not section.has("point_column"):
        return Naming(point=section.text("point"), column="", by_meter=False, names={})
    return Naming(
        point="",
        column=section.text("point_column"),
        by_meter=section.choice("point_by", ("name", "meter"), "name") == "meter",
        names=section.names("names"),
    )


def _read_wide(section: Section, naming: Naming, interval_s: int) -> WideLayout:
    pattern = section.text("columns")
    if pattern.count("*") != 1:
        raise section.fails("columns", f"is {pattern!r}, but must hold one '*' for the number")
    count = DAY_S // interval_s
    first = section.text("first")
    try:
        at = datetime.strptime(first, "%H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        raise section.fails("first", f"is {first!r}, but must be such as '00:15'") from error
    complete_column = section.text("complete_column", "")
    complete_mark = section.text("complete_mark", "1") if complete_column else "1"
    if len(complete_mark) != 1:
        raise section.fails("complete_mark", "must be one character")
    return WideLayout(
        columns=tuple(pattern.replace("*", str(number)) for number in range(1, count + 1)),
        first_s=at.hour * HOUR_S + at.minute * 60,
        naming=naming,
        complete_column=complete_column,
        complete_mark=complete_mark,
    )


def _read_keep(section: Section) -> tuple[int | None, int | None]:
    bounds: list[int | None] = []
    for key in ("from", "to"):
        text = section.text(key, "")
        bounds.append(_wall_clock_s(section, key, text) if text else None)
    section.close()
    start_s, end_s = bounds
    if start_s is not None and end_s is not None and end_s <= start_s:
        raise section.fails("to", "is not after from")
    return start_s, end_s


def _wall_clock_s(section: Section, key: str, text: str) -> int:
    for form in KEEP_FORMS:
        try:
            return int(datetime.strptime(text, form).replace(tzinfo=UTC).timestamp())
        except ValueError:
            continue
    raise section.fails(key, f"is {text!r}, but must be such as '2018-01-01' or '2018-01-01 00:15'")


def _read_target(section: Section, interval_s: int) -> tuple[int, bool]:
    target_s = _interval_s(section, "interval") if section.has("interval") else interval_s
    spread = False
    if target_s < interval_s:
        section.choice("spread", ("even",))
        spread = True
        if interval_s % target_s:
            raise section.fails("interval", "must divide the source interval to be spread over")
    elif section.has("spread"):
        raise section.fails("spread", "needs a target interval shorter than the source interval")
    section.close()
    return target_s, spread


def _check_stars(where: str, file: FileRules, layout: object) -> None:
    """A `*` in a point's name stands for what the `*` in the file's name matched."""
    points: list[str] = []
    if isinstance(layout, ColumnsLayout):
        points = list(layout.points.values())
    elif isinstance(layout, LongLayout | WideLayout):
        points = [layout.naming.point, *layout.naming.names.values()]
    for point in points:
        if "*" in point and "*" not in file.name:
            raise InvalidInput(
                f"{where}: point {point!r} has a '*', but [file] name gives no pattern with one"
            )
