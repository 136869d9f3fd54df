"""Which units an act is about: by serial, or so many of those that expire first. Pure."""

from __future__ import annotations

import contextlib
import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from ledger.errors import InvalidInput, NotFound, Refused
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange, serial_of
from ledger.registry.store import BatchRow, HoldingRow

_SERIAL = re.compile(
    r"([A-Za-z0-9._-]{1,64})(?:/([0-9]{1,6}))?(?::([0-9]{1,16})(?:-([0-9]{1,16}))?)?", re.ASCII
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Selection:
    """Units of a scheme. `serials`: texts as `parse_serial` reads them; none: all. `count`: so many
    of them, those first that expire first; None: all. `class_`: of a class alone, `""`: any."""

    scheme: str
    serials: Sequence[str] = ()
    count: int | None = None
    class_: str = ""

    def __post_init__(self) -> None:
        if self.count is not None and self.count < 1:
            raise InvalidInput(f"{self.count} units are none; whole units from 1 on are moved")
        if not self.serials and self.count is None:
            raise InvalidInput("name units by serial, or say how many")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serial:
    """A code, a revision of it or any, and a range of its numbers or all."""

    code: str
    revision: int | None
    units: SerialRange | None


def parse_serial(text: str) -> Serial:
    """`CODE`, `CODE/REVISION`, `CODE:NUMBER` or `CODE:FIRST-END`. Raises InvalidInput."""
    found = _SERIAL.fullmatch(text)
    if not found:
        raise InvalidInput(
            f"serial {text[:80]!r} is not of the form CODE, CODE:NUMBER or CODE:FIRST-END (the"
            " number END is not included), perhaps CODE/REVISION in front"
        )
    units = None
    if found[3] is not None:
        first = int(found[3])
        units = SerialRange(first=first, end=first + 1 if found[4] is None else int(found[4]))
    return Serial(code=found[1], revision=None if found[2] is None else int(found[2]), units=units)


def codes_of(serials: Sequence[str]) -> set[str]:
    """The codes that serials may be of. Raises InvalidInput."""
    found = {parse_serial(text).code for text in serials}
    for text in serials:
        with contextlib.suppress(InvalidInput):
            found.add(serial_of(text)[0])
    return found


def serials_here(text: str, codes: Collection[str]) -> Serial:
    """As `parse_serial`; what is no code here may be a code and a number in one."""
    found = parse_serial(text)
    if found.code in codes or found.units is not None:
        return found
    try:
        code, number, _ = serial_of(text)
    except InvalidInput:
        return found
    if code not in codes:
        return found
    return Serial(code=code, revision=None, units=SerialRange(first=number, end=number + 1))


Chosen = list[tuple[HoldingRow, list[SerialRange]]]  # holdings, and what is taken of each


def choose(
    selection: Selection,
    rows: Sequence[HoldingRow],
    batches: Mapping[BatchId, BatchRow],
    states: Collection[str],
    *,
    some: bool = False,
) -> Chosen:
    """What a selection takes of live holdings, `rows`, that are in one of `states`. `some`: serials
    of which nothing is there are passed over.

    Raises NotFound where a serial names nothing of `rows`; Refused where units of it are in another
    state, or there are fewer than `count`.
    """
    mine = [row for row in rows if not selection.class_ or row.class_ == selection.class_]
    taken = (
        _by_serial(selection, mine, some)
        if selection.serials
        else [(row, row.units) for row in mine]
    )
    if not selection.serials or some:
        taken = [one for one in taken if one[0].state in states]
    for row, units in taken:
        if row.state not in states:
            raise Refused(
                f"units {row.batch}:{units} are {row.state}; possible are those that are"
                f" {', '.join(sorted(states))}"
            )
    if selection.count is not None:
        taken = _first(taken, selection.count, batches)
    grouped: dict[bytes, tuple[HoldingRow, list[SerialRange]]] = {}
    for row, units in taken:
        grouped.setdefault(row.holding, (row, []))[1].append(units)
    return [grouped[holding] for holding in sorted(grouped)]


def _by_serial(
    selection: Selection, rows: Sequence[HoldingRow], some: bool
) -> list[tuple[HoldingRow, SerialRange]]:
    codes = {row.batch.code for row in rows}
    found: list[tuple[HoldingRow, SerialRange]] = []
    for text in dict.fromkeys(selection.serials):
        serial = serials_here(text, codes)
        mine = [
            (row, part)
            for row in rows
            if row.batch.code == serial.code and serial.revision in (None, row.batch.revision)
            for part in [_common(row.units, serial.units)]
            if part is not None
        ]
        units = sum(len(part) for _, part in mine)
        whole = bool(mine) and (serial.units is None or units == len(serial.units))
        if not whole and not some:
            held = f"only {units} of them" if mine else "none of them"
            raise NotFound(f"of units {selection.scheme}/{text}, {held} are held here by who acts")
        found += mine
    return found


def _common(mine: SerialRange, wanted: SerialRange | None) -> SerialRange | None:
    if wanted is None:
        return mine
    first, end = max(mine.first, wanted.first), min(mine.end, wanted.end)
    return SerialRange(first=first, end=end) if first < end else None


def _first(
    taken: Sequence[tuple[HoldingRow, SerialRange]],
    count: int,
    batches: Mapping[BatchId, BatchRow],
) -> list[tuple[HoldingRow, SerialRange]]:
    """Those that expire first, then those produced first, then by code and number."""

    def rank(one: tuple[HoldingRow, SerialRange]) -> tuple[object, ...]:
        batch = batches[one[0].batch]
        never = batch.expires_s is None
        return never, batch.expires_s or 0, batch.period.start_s, one[0].batch, one[1]

    left, found = count, []
    for row, units in sorted(taken, key=rank):
        if not left:
            break
        size = min(left, len(units))
        found.append((row, SerialRange(first=units.first, end=units.first + size)))
        left -= size
    if left:
        raise Refused(f"there are {count - left} such units, not {count}")
    return found
