"""Statement profiles: a TOML text that says what one kind of official statement means.

The keys are explained in docs/statement-profiles.md, and shown by the examples in
`ledger/statements/profiles/`. Reading is strict, as of import profiles: an unknown key, or one that
another makes meaningless, is an error that names what is allowed.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from typing import Final

from ledger.errors import InvalidInput
from ledger.files import parse_toml
from ledger.log import entry as e
from ledger.metering.importers.profile import FileRules
from ledger.metering.importers.profile_toml import read_file_rules
from ledger.metering.importers.report import listed, nearest
from ledger.metering.importers.strict import Section
from ledger.metering.importers.times import check_format
from ledger.statements import model
from ledger.units import BASE_UNITS, parse_zone

FORMATS: Final = ("csv", "xlsx")
MONTH_FORMATS: Final = ("2025-01", "202501", "2025/1", "2025年1月")
# As browsers write a time in American English, with U+202F before AM and PM.
AMERICAN: Final = "Jan 31, 2025, 1:30:00 PM"
ENERGY_UNITS: Final = tuple(name for name, (base, _) in BASE_UNITS.items() if base == "Wh")


@dataclass(frozen=True, slots=True, kw_only=True)
class Part:
    """A column with how many units of a row are of one class."""

    column: str
    class_: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRules:
    """Which units a row is about: `code` and `quantity`; or serials `from_` to `to`; or `quantity`
    alone, where the statement names no code. `parts`: its columns sum to `quantity`."""

    code: str
    from_: str
    to: str
    quantity: str
    parts: tuple[Part, ...]

    @property
    def by_serial(self) -> bool:
        return bool(self.from_)


@dataclass(frozen=True, slots=True, kw_only=True)
class EnergyRules:
    """`factor`: Wh per number in the file."""

    column: str
    unit: str
    factor: Fraction


@dataclass(frozen=True, slots=True, kw_only=True)
class MonthRules:
    """`columns`: one, or year and month."""

    columns: tuple[str, ...]
    format: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Naming:
    """What a row's class (status, project, party) is: always `value`, or what stands in `column`,
    by `names` or, where it has the right form, as it is. `noted`: what is neither goes to the
    note; else it is refused."""

    value: str = ""
    column: str = ""
    names: Mapping[str, str]
    noted: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeRules:
    """`zone`: "park", "file" (each stamp carries its offset) or an offset."""

    column: str
    format: str
    zone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class StatementProfile:
    """How to read one kind of statement. `where` names it in messages."""

    where: str
    title: str
    kind: str
    scheme: str
    issuer: str
    file: FileRules
    units: UnitRules | None
    energy: EnergyRules | None
    month: MonthRules | None
    class_: Naming | None
    status: Naming
    project: Naming | None
    party: Naming | None
    time: TimeRules | None
    note: tuple[str, ...]
    zero_skipped: bool
    keep_rows: Mapping[str, str]


def read_statement_profile(text: str, *, where: str) -> StatementProfile:
    """TOML text → profile. Raises InvalidInput."""
    content = parse_toml(text, where)
    root = Section(content, path="", where=where)
    title = root.text("title", "", empty=True)
    kind = root.choice("kind", model.KINDS)
    scheme = _slug(root, "scheme", root.text("scheme"))
    issuer = root.text("issuer")
    if not e.NAME.check(issuer):
        raise root.fails("issuer", f"is {issuer!r}, but must be {e.NAME.expected}")
    file = read_file_rules(root.section("file", required=True), FORMATS)
    units = _read_units(root.section("units")) if root.has("units") else None
    energy = _read_energy(root.section("energy")) if root.has("energy") else None
    if not units and (kind != model.GREEN_TRADE or not energy):
        raise root.fails("units", "is missing: only a green-trade statement may give energy alone")
    if units and units.parts and energy:
        raise root.fails(
            "energy", "has no meaning beside [[units.parts]]: whose it is, is not said"
        )
    class_ = _read_naming(root, "class", model.is_slug, model.SLUG_FORM)
    if class_ and units and units.parts:
        raise root.fails("class", "has no meaning beside [[units.parts]], which give the classes")
    status = _read_naming(
        root, "status", lambda value: value in model.STATUSES, f"one of {listed(model.STATUSES)}"
    )
    if not status:
        raise root.fails("status", "is missing: it says what became of the units")
    found = StatementProfile(
        where=where,
        title=title,
        kind=kind,
        scheme=scheme,
        issuer=issuer,
        file=file,
        units=units,
        energy=energy,
        month=_read_month(root.section("month")) if root.has("month") else None,
        class_=class_,
        status=status,
        project=_read_naming(root, "project", model.is_code, model.CODE_FORM, noted=True),
        party=_read_naming(root, "party", model.is_slug, model.SLUG_FORM, noted=True),
        time=_read_time(root.section("time")) if root.has("time") else None,
        note=root.texts("note", ()),
        zero_skipped=root.choice("zero", ("reject", "skip"), "reject") == "skip",
        keep_rows=root.names("keep_rows"),
    )
    root.close()
    return found


def _slug(section: Section, key: str, value: str) -> str:
    if not model.is_slug(value):
        raise section.fails(key, f"is {value!r}, but must be {model.SLUG_FORM}")
    return value


def _read_units(section: Section) -> UnitRules:
    code, from_, to, quantity = "", "", "", ""
    parts: list[Part] = []
    if section.has("from"):
        from_, to = section.text("from"), section.text("to")
        if section.has("code"):
            raise section.fails("code", "has no meaning beside from and to, which hold the code")
        if section.has("parts"):
            raise section.fails("parts", "have no meaning beside from and to")
        quantity = section.text("quantity", "")
    else:
        code = section.text("code", "")
        quantity = section.text("quantity")
        for each in section.sections("parts"):
            parts.append(
                Part(column=each.text("column"), class_=_slug(each, "class", each.text("class")))
            )
            each.close()
    for name, values in (
        ("class", [part.class_ for part in parts]),
        ("column", [part.column for part in parts]),
    ):
        if len(set(values)) < len(values):
            raise section.fails("parts", f"have a {name} twice: {listed(values)}")
    section.close()
    return UnitRules(code=code, from_=from_, to=to, quantity=quantity, parts=tuple(parts))


def _read_energy(section: Section) -> EnergyRules:
    column = section.text("column")
    unit = section.choice("unit", ENERGY_UNITS)
    section.close()
    return EnergyRules(column=column, unit=unit, factor=Fraction(BASE_UNITS[unit][1]))


def _read_month(section: Section) -> MonthRules:
    columns = section.texts("columns")
    if len(columns) not in (1, 2):
        raise section.fails("columns", "must be one column, or those of year and month")
    form = MONTH_FORMATS[0]
    if len(columns) == 1:
        form = section.choice("format", MONTH_FORMATS, form)
    section.close()
    return MonthRules(columns=columns, format=form)


def _read_naming(
    root: Section, key: str, check: Callable[[str], bool], form: str, *, noted: bool = False
) -> Naming | None:
    if not root.has(key):
        return None
    section = root.section(key)
    if section.has("value"):
        value = section.text("value")
        if not check(value):
            raise section.fails("value", f"is {value!r}, but must be {form}")
        section.close()
        return Naming(value=value, names={})
    column, names = section.text("column"), section.names("names")
    for each in names.values():
        if not check(each):
            raise section.fails("names", f"lead to {each!r}, but must to {form}")
    unmapped = section.choice("unmapped", ("reject", "note"), "reject") if noted else "reject"
    section.close()
    return Naming(column=column, names=names, noted=unmapped == "note")


def _read_time(section: Section) -> TimeRules:
    column = section.text("column")
    form = section.text("format", "")
    zone = section.text("zone", "park")
    has_offset = False
    if form and form != AMERICAN:
        try:
            _, has_offset = check_format(form)
        except ValueError as error:
            raise section.fails("format", f"is {form!r}: {error}") from error
    if (zone == "file") != has_offset:
        raise section.fails("zone", "is 'file' exactly where the format ends in %z")
    if zone not in ("park", "file"):
        try:
            parse_zone(zone)
        except InvalidInput as error:
            raise section.fails(
                "zone",
                f"is {zone!r}, but must be 'park', 'file' or an offset such as '+08:00'"
                f"{nearest(zone, ('park', 'file'))}",
            ) from error
    section.close()
    return TimeRules(column=column, format=form, zone=zone)
