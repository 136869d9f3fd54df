"""A park that holds certificates of one project and month, 100 of code A and 20 of code B."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from ledger.certificates.settlement import Settlement, settle
from ledger.db import reading
from ledger.house import House
from ledger.lots.model import month_of
from ledger.matching.service import Agreement, register_contract
from ledger.metering.points import Point
from ledger.metering.service import register_point
from ledger.registry import acting, lifecycle
from ledger.registry.choosing import Selection
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.ranges import SerialRange
from ledger.registry.scheme import shipped
from ledger.registry.service import (
    NewBatch,
    Share,
    issue,
    month_period,
    register_project,
    register_scheme,
)
from ledger.statements import service
from ledger.statements.official import Confirmation, OfficialPart
from ledger.statements.service import ImportedStatement, Reconciliation
from ledger.units import parse_instant
from tests.statements.files import csv, profile

JANUARY_S = parse_instant("2026-01-15T00:00:00Z")
AS_OF = date(2026, 2, 28)
# Serial numbers in columns of their own, so that a test can say any range of a code.
LISTED = """
kind = "gec"
scheme = "gec"
issuer = "Registry"
[file]
format = "csv"
[units]
from = "from"
to = "to"
[status]
column = "status"
[party]
column = "party"
unmapped = "note"
[party.names]
"Mill Ltd" = "mill"
"Sunny Farm" = "farm"
"""


def listed(*rows: str) -> str:
    """`A-000-099,held,Mill Ltd` → a file for LISTED."""
    lines = []
    for row in rows:
        serials, _, rest = row.partition(",")
        code, first, last = serials.split("-")
        lines.append(f"{code}-{first},{code}-{last},{rest}")
    return csv("from,to,status,party", *lines)


@dataclass(frozen=True, slots=True, kw_only=True)
class Park:
    house: House
    folder: Path

    def load(
        self,
        content: str | bytes,
        text: str = LISTED,
        *,
        as_of: date = AS_OF,
        name: str = "statement.csv",
    ) -> ImportedStatement:
        path = self.folder / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return service.import_statement(
            self.house.desk, path, profile(text), profile_text=text, as_of=as_of
        )

    def reconcile(self, imported: ImportedStatement) -> Reconciliation:
        with reading(self.house.engine) as conn:
            return service.reconcile(conn, self.house.log, imported.statement.entry_index)

    def official(self, code: str, first: int, end: int) -> list[OfficialPart]:
        with reading(self.house.engine) as conn:
            return service.official_status(conn, 1, "gec", code, first, end)

    def confirmed(self, *ranges: tuple[str, int, int], parties: Sequence[str]) -> Confirmation:
        units = [(code, SerialRange(first=first, end=end)) for code, first, end in ranges]
        with reading(self.house.engine) as conn:
            return service.is_confirmed(conn, 1, "gec", units, parties=parties)

    def blocking(self) -> list[tuple[str, int, int, str, str]]:
        with reading(self.house.engine) as conn:
            found = service.blocking(conn, self.house.log, "gec")
        return [
            (one.code, one.official.first, one.official.end, one.state, one.official.status)
            for one in found
        ]

    def retire(self, owner: str, serial: str) -> bytes:
        use = Use(
            beneficiary=owner,
            purpose="green-power",
            period=month_period(self.house.desk, JANUARY_S),
        )
        selection = Selection(scheme="gec", serials=[serial])
        return acting.retire(self.house.desk, owner, selection, use)[0]

    def transfer(self, owner: str, to: str, serial: str) -> None:
        acting.transfer(self.house.desk, owner, to, Selection(scheme="gec", serials=[serial]))

    def settle(self, *, wh: int) -> None:
        """A green trade of January from farm to mill, of 5 certificates at most."""
        desk = self.house.desk
        green = batch(self.house, "G-", 5)
        share = replace(green.shares[0], class_="green-trade")
        issue(desk, "gec", [replace(green, shares=(share,), project="")])
        register_point(desk, Point(name="sun", kind="generation", owner="farm"))
        register_point(desk, Point(name="saw", kind="consumption", owner="mill"))
        january = month_of(JANUARY_S, 8 * 3600)
        trade = Agreement(
            name="trade",
            kind="green-trade",
            seller="farm",
            sources=["sun"],
            consumers={"saw": 0},
            period=january.period,
        )
        register_contract(desk, trade)
        settle(
            desk,
            Settlement(
                contract="trade",
                month=january,
                buyer="mill",
                contract_wh=9_000_000,
                generation_wh=3_000_000,
                consumption_wh=wh,
            ),
        )

    def freeze(self, owner: str, serial: str) -> None:
        selection = Selection(scheme="gec", serials=[serial])
        acting.mark(self.house.desk, lifecycle.FREEZE, owner, selection, "124号")


def hold(house: House) -> None:
    desk = house.desk
    for party, name in (("farm", "Sunny Farm"), ("mill", "Mill Ltd")):
        desk.register_party(party, name, ["enterprise"])
        desk.create_key(party)
    register_scheme(desk, shipped("gec"))
    master: dict[str, Any] = {
        "name": "Roof",
        "owner": "farm",
        "plant": "roof",
        "technology": "pv",
        "points": [],
        "state": "registered",
        "from": "",
        "to": "",
        "inside_ets": 0,
        "generation": 0,
    }
    register_project(desk, "gec", "ROOF", Project.from_json(master))
    issue(desk, "gec", [batch(house, "A-", 100), batch(house, "B-", 20)])


def batch(house: House, code: str, count: int) -> NewBatch:
    units = SerialRange(first=0, end=count)
    return NewBatch(
        code=code,
        units=units,
        period=month_period(house.desk, JANUARY_S),
        shares=(Share(class_="ordinary", owner="farm", units=units),),
        project="ROOF",
    )


@pytest.fixture
def park(begun: House, tmp_path: Path) -> Park:
    hold(begun)
    return Park(house=begun, folder=tmp_path)
