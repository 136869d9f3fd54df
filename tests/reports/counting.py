"""A house that computes reports of a kind made up for tests: who is registered, and how often.

It takes any record, too: what rooms above ask of the content is tested with them.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import Any

from sqlalchemy import Connection, select

from ledger.house import LOG_ID, House
from ledger.log.service import Writer
from ledger.log.store import LogFacts, entries
from ledger.log.types import EntryTypes
from ledger.parties.desk import custodial_key
from ledger.records import entries as records
from ledger.reports.entries import Computes, entry_types
from ledger.reports.inputs import inputs_of


def count_parties(
    conn: Connection, log: LogFacts, about: Mapping[str, Any], as_of: int
) -> dict[str, Any]:
    """A line for each registered party; `about`: {"prefix"} of those that are asked for."""
    rows = conn.execute(
        select(entries.c.entry_index, entries.c.data)
        .where(
            entries.c.log_id == log.log_id,
            entries.c.type == "party.register",
            entries.c.entry_index < as_of,
        )
        .order_by(entries.c.entry_index)
    ).all()
    said = [(row.entry_index, json.loads(bytes(row.data).split(b"\n")[0])) for row in rows]
    asked = [one for one in said if one[1]["party"].startswith(about["prefix"])]
    names = sorted({one["party"] for _, one in asked})
    return {
        "lines": [
            {"id": name, "times": sum(one["party"] == name for _, one in asked)} for name in names
        ],
        "inputs": inputs_of(conn, log.log_id, [index for index, _ in asked]),
    }


COUNTING: Computes = {"inventory": count_parties}


def computing(house: House, computes: Computes = COUNTING) -> House:
    """The same ledger, by a program that computes these kinds, and takes any record."""
    own = (*entry_types(computes), *records.ENTRY_TYPES)
    types = EntryTypes.of([*house.desk.types.by_name.values(), *own])
    desk = house.desk
    writer = Writer(
        house.engine,
        types,
        LOG_ID,
        tick_key=lambda conn: custodial_key(conn, desk.keystore, desk.log, desk.log.operator),
        clock_s=desk.clock_s,
    )
    return dataclasses.replace(house, desk=dataclasses.replace(desk, types=types, writer=writer))
