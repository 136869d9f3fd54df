"""What meters publish: one JSON object, or an array of them (docs/gateway.md). Pure.

Strict: integers and texts only, no unknown member, no member twice, a time with its offset, a
number that is no integer as text with its unit. What is wrong comes out as `Rejected`.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.gateway import dlt645
from ledger.log.entry import parse_json
from ledger.metering.quality import Quality
from ledger.units import BASE_UNITS

MESSAGE_BYTES_MAX: Final = 262_144
ITEMS_MAX: Final = 10_000
FRAMES_MAX: Final = 16
_NESTING_MAX: Final = 4

_QUANTITY: Final = re.compile(r"([+-]?[0-9]{1,15}(?:\.[0-9]{1,9})?) ([A-Za-z0-9/]{1,8})", re.ASCII)
_INSTANT: Final = re.compile(
    r"[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}(Z|[+-][0-9]{2}:[0-9]{2})", re.ASCII
)
# A correction is an act of its own, and the ledger says itself what came late or was differenced.
_FLAGS: Final = {
    flag.name.lower(): flag
    for flag in Quality
    if flag.name
    and flag not in (Quality.CORRECTED, Quality.LATE, Quality.ROLLOVER, Quality.SWAPPED)
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Quantity:
    """An exact number of a unit; `unit` is "" for the base unit of the point."""

    number: Decimal
    unit: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Interval:
    """What flowed from `start_s` on. `length_s` is 0 where the message left it to the point."""

    point: str
    start_s: int
    length_s: int
    value: Quantity
    quality: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Register:
    """What a register showed at `at_s`. `point` or `meter` (its address) says whose.

    `digits`: how many it shows before the point, 0 where that is unknown.
    """

    at_s: int
    value: Quantity
    quality: int
    point: str = ""
    meter: str = ""
    digits: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Rejected:
    """An item that can't be taken: its place in the message, and why."""

    place: int
    reason: str


Item = Interval | Register | Rejected


def read_message(payload: bytes) -> list[Item]:
    """The items of a message, those that make no sense as `Rejected`. Raises nothing."""
    try:
        values = _items(payload)
    except InvalidInput as error:
        return [Rejected(place=0, reason=str(error))]
    return [_read_item(place, value) for place, value in enumerate(values)]


def _items(payload: bytes) -> Sequence[Any]:
    if len(payload) > MESSAGE_BYTES_MAX:
        raise InvalidInput(f"the message has {len(payload)} bytes; {MESSAGE_BYTES_MAX} is the most")
    try:
        text = payload.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"the message is not UTF-8: byte {error.start}") from error
    found = parse_json(text, nesting_max=_NESTING_MAX)
    values = found if isinstance(found, list) else [found]
    if not 1 <= len(values) <= ITEMS_MAX:
        raise InvalidInput(f"a message has 1 to {ITEMS_MAX} items, not {len(values)}")
    return values


def _read_item(place: int, value: Any) -> Item:
    if not isinstance(value, dict):
        return Rejected(place=place, reason="an item is a JSON object")
    try:
        if "frame" in value:
            return _read_frame(value)
        if "register" in value:
            return _read_register(value)
        return _read_interval(value)
    except InvalidInput as error:
        return Rejected(place=place, reason=str(error))


def _read_interval(value: Mapping[str, Any]) -> Interval:
    _members(value, {"point", "start", "value"}, {"length_s", "quality"})
    return Interval(
        point=_text(value, "point"),
        start_s=_instant(value, "start"),
        length_s=_integer(value, "length_s", 0, 366 * 86_400),
        value=_quantity(value, "value", unit_needed=False),
        quality=_quality(value),
    )


def _read_register(value: Mapping[str, Any]) -> Register:
    _members(value, {"at", "register"}, {"point", "meter", "digits", "quality"})
    if ("point" in value) == ("meter" in value):
        raise InvalidInput("a register names its point or its meter, one of them")
    return Register(
        point=_text(value, "point") if "point" in value else "",
        meter=_text(value, "meter") if "meter" in value else "",
        at_s=_instant(value, "at"),
        value=_quantity(value, "register", unit_needed=True),
        digits=_integer(value, "digits", 0, 12),
        quality=_quality(value),
    )


def _read_frame(value: Mapping[str, Any]) -> Register:
    _members(value, {"at", "frame"}, {"point", "quality"})
    texts = value["frame"] if isinstance(value["frame"], list) else [value["frame"]]
    if not 1 <= len(texts) <= FRAMES_MAX or not all(isinstance(each, str) for each in texts):
        raise InvalidInput(f"frame is hex text, or an array of 1 to {FRAMES_MAX} such texts")
    found = dlt645.read_registers([dlt645.decode(dlt645.parse_hex(each)) for each in texts])
    if not found.total:
        raise InvalidInput(
            f"data identifier {found.identifier} is no present total: a tariff, or a past day"
        )
    point = _text(value, "point") if "point" in value else ""
    if found.identifier.startswith("0002") and not point:
        raise InvalidInput("a reverse register (00020000) says which point it is: member 'point'")
    return Register(
        point=point,
        meter=found.address,
        at_s=_instant(value, "at"),
        value=Quantity(number=found.kwh[0], unit="kWh"),
        digits=dlt645.REGISTER_DIGITS,
        quality=_quality(value),
    )


def _members(value: Mapping[str, Any], needed: set[str], optional: set[str]) -> None:
    missing = sorted(needed - set(value))
    if missing:
        raise InvalidInput(f"member {missing[0]!r} is missing")
    unknown = sorted(set(value) - needed - optional)
    if unknown:
        known = ", ".join(sorted(needed | optional))
        raise InvalidInput(f"unknown member {unknown[0][:40]!r}; known are {known}")


def _text(value: Mapping[str, Any], name: str) -> str:
    found = value[name]
    if not isinstance(found, str) or not 1 <= len(found) <= 64:
        raise InvalidInput(f"{name} is a text of 1 to 64 characters")
    return found


def _integer(value: Mapping[str, Any], name: str, least: int, most: int) -> int:
    found = value.get(name, least)
    if not isinstance(found, int) or not least <= found <= most:
        raise InvalidInput(f"{name} is an integer from {least} to {most}")
    return found


def _instant(value: Mapping[str, Any], name: str) -> int:
    found = value[name]
    if not isinstance(found, str) or not _INSTANT.fullmatch(found):
        raise InvalidInput(f"{name} is a time such as 2026-01-01T00:15:00+08:00 or …Z")
    try:
        return int(datetime.fromisoformat(found).timestamp())
    except (ValueError, OverflowError) as error:
        raise InvalidInput(f"{name} is {found}, which does not exist") from error


def _quantity(value: Mapping[str, Any], name: str, *, unit_needed: bool) -> Quantity:
    found = value[name]
    if isinstance(found, int) and not unit_needed:
        return Quantity(number=Decimal(found), unit="")
    matched = _QUANTITY.fullmatch(found) if isinstance(found, str) else None
    if matched is None:
        integer = "" if unit_needed else "an integer in the point's base unit, or "
        raise InvalidInput(f"{name} is {integer}a text such as '12345.67 kWh'")
    if matched[2] not in BASE_UNITS:
        raise InvalidInput(f"unit {matched[2]!r} is not one of {', '.join(BASE_UNITS)}")
    return Quantity(number=Decimal(matched[1]), unit=matched[2])


def _quality(value: Mapping[str, Any]) -> int:
    names = value.get("quality", [])
    if not isinstance(names, list) or len(names) > len(_FLAGS):
        raise InvalidInput(f"quality is an array of {', '.join(_FLAGS)}")
    flags = Quality.MEASURED
    for name in names:
        if not isinstance(name, str) or name not in _FLAGS:
            raise InvalidInput(f"a quality flag is one of {', '.join(_FLAGS)}")
        flags |= _FLAGS[name]
    return int(flags)
