"""Units that are gone, and retirements, in the database."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, func, insert, select

from ledger.errors import NotFound
from ledger.registry.leaves import BatchId, Gone, Use
from ledger.registry.ranges import SerialRange
from ledger.registry.schema import disclosures, gone_units, retirements
from ledger.units import Period

_AT_ONCE: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class RetirementRow:
    """A retirement, of one scheme and class. `gone`: its units."""

    retirement: bytes
    entry_index: int
    author: str
    scheme: str
    class_: str
    units: int
    use: Use
    gone: tuple[Gone, ...]
    disclosed_index: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class GoneRow:
    """Units that are gone, by which act and entry."""

    batch: BatchId
    class_: str
    units: SerialRange
    act: str
    entry_index: int


def save_gone(
    conn: Connection, log_id: int, entry_index: int, found: Sequence[Gone], act: str
) -> None:
    conn.execute(
        insert(gone_units),
        [
            {
                "log_id": log_id,
                "scheme": one.batch.scheme,
                "code": one.batch.code,
                "first_unit": one.units.first,
                "end_unit": one.units.end,
                "revision": one.batch.revision,
                "class": one.class_,
                "entry_index": entry_index,
                "act": act,
            }
            for one in found
        ],
    )


def find_gone(conn: Connection, log_id: int, *which: ColumnElement[bool]) -> list[GoneRow]:
    """By code and first unit."""
    query = (
        select(gone_units)
        .where(gone_units.c.log_id == log_id, *which)
        .order_by(gone_units.c.scheme, gone_units.c.code, gone_units.c.first_unit)
    )
    return [
        GoneRow(
            batch=BatchId(scheme=row.scheme, code=row.code, revision=row.revision),
            class_=row._mapping["class"],
            units=SerialRange(first=row.first_unit, end=row.end_unit),
            act=row.act,
            entry_index=row.entry_index,
        )
        for row in conn.execute(query)
    ]


def gone_of_code(conn: Connection, log_id: int, scheme: str, code: str) -> list[GoneRow]:
    return find_gone(conn, log_id, gone_units.c.scheme == scheme, gone_units.c.code == code)


def save_retirement(
    conn: Connection,
    log_id: int,
    entry_index: int,
    retirement: bytes,
    author: str,
    scheme: str,
    use: Use,
    units: int,
) -> None:
    conn.execute(
        insert(retirements).values(
            log_id=log_id,
            retirement=retirement,
            entry_index=entry_index,
            author=author,
            scheme=scheme,
            beneficiary=use.beneficiary,
            purpose=use.purpose,
            start_s=use.period.start_s,
            end_s=use.period.end_s,
            units=units,
            obligation=use.obligation,
            note=use.note,
        )
    )


def find_retirements(
    conn: Connection, log_id: int, *which: ColumnElement[bool], limit: int | None = None
) -> list[RetirementRow]:
    """In log order, at most `limit`; `which` narrows them."""
    query = (
        select(retirements, disclosures.c.entry_index.label("disclosed"))
        .outerjoin(
            disclosures,
            and_(
                disclosures.c.log_id == retirements.c.log_id,
                disclosures.c.retirement == retirements.c.retirement,
            ),
        )
        .where(retirements.c.log_id == log_id, *which)
        .order_by(retirements.c.entry_index)
        .limit(limit)
    )
    rows = conn.execute(query).all()
    gone = _gone_by(conn, log_id, [row.entry_index for row in rows])
    return [
        RetirementRow(
            retirement=bytes(row.retirement),
            entry_index=row.entry_index,
            author=row.author,
            scheme=row.scheme,
            class_=gone[row.entry_index][0].class_,
            units=row.units,
            use=Use(
                beneficiary=row.beneficiary,
                purpose=row.purpose,
                period=Period(start_s=row.start_s, end_s=row.end_s),
                obligation=row.obligation,
                note=row.note,
            ),
            gone=tuple(
                Gone(batch=one.batch, units=one.units, class_=one.class_)
                for one in gone[row.entry_index]
            ),
            disclosed_index=row.disclosed,
        )
        for row in rows
    ]


def _gone_by(conn: Connection, log_id: int, entries: Sequence[int]) -> dict[int, list[GoneRow]]:
    """What each of these entries took out."""
    found: dict[int, list[GoneRow]] = {}
    for begin in range(0, len(entries), _AT_ONCE):
        some = gone_units.c.entry_index.in_(entries[begin : begin + _AT_ONCE])
        for one in find_gone(conn, log_id, some):
            found.setdefault(one.entry_index, []).append(one)
    return found


def retirements_by_id(
    conn: Connection, log_id: int, which: Collection[bytes]
) -> dict[bytes, RetirementRow]:
    if not which:
        return {}
    rows = find_retirements(conn, log_id, retirements.c.retirement.in_(sorted(which)))
    return {row.retirement: row for row in rows}


def retirements_at(conn: Connection, log_id: int, indexes: Collection[int]) -> list[RetirementRow]:
    """Those that some entries made."""
    return find_retirements(conn, log_id, retirements.c.entry_index.in_(sorted(indexes)))


def find_retirement(conn: Connection, log_id: int, retirement: bytes) -> RetirementRow:
    """Raises NotFound."""
    found = retirements_by_id(conn, log_id, [retirement])
    if retirement not in found:
        raise NotFound(f"there is no retirement {retirement.hex()}")
    return found[retirement]


def retirements_of(conn: Connection, log_id: int, beneficiary: str) -> list[RetirementRow]:
    return find_retirements(conn, log_id, retirements.c.beneficiary == beneficiary)


def retired_units(conn: Connection, log_id: int, batch: BatchId, beneficiary: str) -> int:
    """How many units of a batch were retired for somebody."""
    query = (
        select(func.sum(gone_units.c.end_unit - gone_units.c.first_unit))
        .join(
            retirements,
            and_(
                retirements.c.log_id == gone_units.c.log_id,
                retirements.c.entry_index == gone_units.c.entry_index,
            ),
        )
        .where(
            gone_units.c.log_id == log_id,
            gone_units.c.scheme == batch.scheme,
            gone_units.c.code == batch.code,
            gone_units.c.revision == batch.revision,
            retirements.c.beneficiary == beneficiary,
        )
    )
    return int(conn.execute(query).scalar_one() or 0)


def save_disclosure(conn: Connection, log_id: int, entry_index: int, retirement: bytes) -> None:
    conn.execute(
        insert(disclosures).values(log_id=log_id, retirement=retirement, entry_index=entry_index)
    )


def count_gone(conn: Connection, log_id: int) -> dict[str, dict[str, int]]:
    """{scheme: {act: units that are gone by it}}."""
    query = (
        select(
            gone_units.c.scheme,
            gone_units.c.act,
            func.sum(gone_units.c.end_unit - gone_units.c.first_unit),
        )
        .where(gone_units.c.log_id == log_id)
        .group_by(gone_units.c.scheme, gone_units.c.act)
        .order_by(gone_units.c.scheme, gone_units.c.act)
    )
    found: dict[str, dict[str, int]] = {}
    for scheme, act, units in conn.execute(query):
        found.setdefault(scheme, {})[act] = int(units)
    return found
