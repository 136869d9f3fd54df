"""The demo's certificates: what the park's own plants make of what they generated, month by month,
how it changes hands, and what comes from a wind farm outside, by a made-up official list.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from importlib.resources import files as resources
from pathlib import Path
from typing import Final

from ledger import db
from ledger.certificates.importing import Listed, import_units
from ledger.certificates.service import Issued, MeteredIssue, issue_metered
from ledger.certificates.settlement import Settlement, settle
from ledger.demo import clock, plan
from ledger.demo.park import PERIOD
from ledger.demo.progress import Advance
from ledger.log.audit import no_progress
from ledger.log.notes import SigningKey
from ledger.lots import store as lots
from ledger.lots.model import Month, months_in
from ledger.matching.metered import metered_wh
from ledger.metering import store as metering
from ledger.metering.service import find_point
from ledger.parties.desk import Desk
from ledger.registry import acting, store
from ledger.registry import service as registry
from ledger.registry.choosing import Selection
from ledger.registry.project import Project
from ledger.statements.profile import StatementProfile, read_statement_profile
from ledger.statements.service import import_statement

GEC: Final = "gec"
CCER: Final = "ccer"
INTERNAL: Final = "internal"
SCHEMES: Final = (GEC, CCER, INTERNAL)
ORDINARY: Final = "ordinary"
SELF_USE: Final = "self-use"
GREEN_TRADE: Final = "green-trade"
UNIT_WH: Final = 1_000_000
ZONE_S: Final = 8 * 3600

# Project → (owner, point, technology, classes that its lots make).
PLANTS: Final[Mapping[str, tuple[str, str, str, tuple[str, ...]]]] = {
    "roof-pv": (plan.ENTERPRISE, "pv-roof", "pv", (SELF_USE, ORDINARY)),
    "ground-pv": ("sunfield", "pv-ground", "pv", (SELF_USE, ORDINARY)),
    "sea-wind": ("sea-wind", "wind-sea", "offshore-wind", (GREEN_TRADE, ORDINARY)),
}
OUTSIDE: Final = "north-wind"
LIST: Final = "files/official/gec-list-2025.csv"
LIST_PROFILE: Final = "official-gec-list.toml"
# Certificates of the wind farm outside, by month of production. Those of February 2024 are valid
# for 24 months, that month included.
LISTED: Final[Mapping[str, int]] = {
    "2024-02": 20,
    **{
        f"2025-{month:02}": units
        for month, units in enumerate(
            (1210, 1104, 1032, 968, 902, 845, 810, 823, 917, 1044, 1128, 1217), start=1
        )
    },
}
CLOUD_ONE: Final = "cloud-one"
COLD_CHAIN: Final = "cold-chain"
# Who buys certificates of class ordinary, from whom, how many.
_BOUGHT: Final = ((plan.NORTH_WIND, CLOUD_ONE, 11_700), ("sea-wind", COLD_CHAIN, 2_900))


@dataclass(frozen=True, slots=True, kw_only=True)
class Held:
    """What was issued of the park's plants, month by month, and what was listed outside."""

    issued: Mapping[str, Sequence[Issued]]
    listed_units: int
    settled_units: int


def months() -> list[Month]:
    return months_in(PERIOD, ZONE_S)


def profile_text(name: str) -> str:
    return (resources("ledger.demo") / "statements" / name).read_text(encoding="utf-8")


def statement_profile(name: str) -> StatementProfile:
    return read_statement_profile(profile_text(name), where=name)


def bring_in(
    desk: Desk, folder: Path, keys: Mapping[str, SigningKey], label: str, advance: Advance
) -> Held:
    """Schemes, projects, certificates; and whom they go to before anybody uses one."""
    for scheme in SCHEMES:
        registry.ensure_scheme(desk, scheme)
    _register_projects(desk)
    listed = _import_list(desk, folder / LIST, label)
    issued: dict[str, list[Issued]] = {project: [] for project in PLANTS}
    settled = 0
    for number, month in enumerate(months()):
        advance(number, len(months()))
        for project, (_, _, _, classes) in PLANTS.items():
            wanted = MeteredIssue(
                project=project,
                month=month,
                code=code_of(project, str(month)),
                units=dict.fromkeys(classes),
                note="synthetic demo",
            )
            issued[project] += issue_metered(desk, wanted, GEC)
        settled += _settle(desk, month)
    _hand_self_use_over(desk)
    _sell(desk, keys)
    return Held(issued=issued, listed_units=listed, settled_units=settled)


def code_of(project: str, month: str) -> str:
    return f"DEMO-{project}-{month}."


def _register_projects(desk: Desk) -> None:
    with db.reading(desk.engine) as conn:
        points = {
            project: (find_point(conn, desk.log.log_id, point).point,)
            for project, (_, point, _, _) in PLANTS.items()
        }
    for project, (owner, _, technology, _) in PLANTS.items():
        master = Project(
            name=f"{project} (demo)",
            owner=owner,
            plant=project,
            technology=technology,
            points=points[project],
        )
        registry.register_project(desk, GEC, project, master)
    outside = Project(
        name="Saibei wind farm (demo)", owner=plan.NORTH_WIND, plant=OUTSIDE, technology="wind"
    )
    registry.register_project(desk, GEC, OUTSIDE, outside)


def _import_list(desk: Desk, path: Path, label: str) -> int:
    """The list as a statement, then what it lists as batches, which name its file. Returns how
    many units."""
    rows = [
        f"{OUTSIDE},Saibei wind farm (demo),{month},核发,{code_of(OUTSIDE, month)}"
        f",{units},{units},0,0"
        for month, units in LISTED.items()
    ]
    header = (
        "projectCode,projectName,productionYearMonth,issueType,gecUniqueCode"
        ",releaseQuantity,ordinaryQuantity,greenQuantity,unTraQuantity"
    )
    write_csv(path, label, header, rows)
    profile, as_of = statement_profile(LIST_PROFILE), date.fromisoformat(clock.BEGINS)
    import_statement(desk, path, profile, profile_text=profile_text(LIST_PROFILE), as_of=as_of)
    listed = Listed(owner=plan.NORTH_WIND)
    return import_units(desk, path, profile, as_of=as_of, listed=listed, progress=no_progress).units


def write_csv(path: Path, label: str, header: str, rows: Sequence[str]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("\n".join([f'"{label}"', header, *rows]) + "\n", encoding="utf-8")


def by_owner(desk: Desk, batch: store.BatchRow) -> Counter[str]:
    """Wh of the lots behind a batch, by who owns the points that hold them."""
    with db.reading(desk.engine) as conn:
        log_id = desk.log.log_id
        behind = store.lots_of_batch(conn, log_id, batch.id)
        rows = lots.lots_by_id(conn, log_id, behind).values()
        known = metering.current_points(conn, log_id)
    found: Counter[str] = Counter()
    for row in rows:
        found[known[row.holder].master.owner] += row.wh
    return found


def batch_of(desk: Desk, project: str, month: str, class_: str) -> store.BatchRow | None:
    """The month's certificates of a class; None where its lots made no whole one."""
    code = code_of(project, month)
    with db.reading(desk.engine) as conn:
        for row in store.live_of_code(conn, desk.log.log_id, GEC, code):
            if row.class_ == class_:
                return store.batches_by_id(conn, desk.log.log_id, [row.batch])[row.batch]
    return None


def _settle(desk: Desk, month: Month) -> int:
    """The green trade of a month, buyer by buyer: the contract's quantities are in whole MWh of
    what was matched, so that a certificate stands for each."""
    batch = batch_of(desk, "sea-wind", str(month), GREEN_TRADE)
    assert batch is not None
    matched = by_owner(desk, batch)
    generation_wh, consumption_wh = _measured(desk, month)
    units = 0
    for buyer, wh in sorted(matched.items()):
        mine_wh = wh - wh % UNIT_WH
        found = Settlement(
            contract="sea-wind-trade",
            month=month,
            buyer=buyer,
            contract_wh=mine_wh,
            generation_wh=generation_wh,
            consumption_wh=consumption_wh[buyer],
        )
        settle(desk, found)
        units += mine_wh // UNIT_WH
    return units


def _measured(desk: Desk, month: Month) -> tuple[int, Counter[str]]:
    """What the wind farm generated in a month, and what each buyer consumed."""
    consumed: Counter[str] = Counter()
    with db.reading(desk.engine) as conn:
        wind = find_point(conn, desk.log.log_id, "wind-sea")
        generated = int(metered_wh(conn, desk.log, wind, month).sum())
        for name in plan.CONSUMERS:
            point = find_point(conn, desk.log.log_id, name)
            consumed[point.master.owner] += int(metered_wh(conn, desk.log, point, month).sum())
    return generated, consumed


def _hand_self_use_over(desk: Desk) -> None:
    """Of the ground plant: certificates of direct supply go to its users, in proportion."""
    given: dict[str, list[str]] = {}
    for month in months():
        batch = batch_of(desk, "ground-pv", str(month), SELF_USE)
        if batch is None:
            continue
        shares, whole_wh, at = sorted(by_owner(desk, batch).items()), batch.eligible_wh, 0
        sum_wh = 0
        for owner, wh in shares:
            sum_wh += wh
            end = sum_wh * len(batch.units) // whole_wh
            if at < end:
                first = batch.units.first
                serial = f"{batch.id.short}:{first + at}-{first + end}"
                given.setdefault(owner, []).append(serial)
            at = end
    for owner, serials in sorted(given.items()):
        acting.transfer(desk, "sunfield", owner, Selection(scheme=GEC, serials=serials))


def _sell(desk: Desk, keys: Mapping[str, SigningKey]) -> None:
    """What nobody used at its time is traded: ordinary certificates."""
    for seller, buyer, count in _BOUGHT:
        # Of this year alone: those of 2024 expire before they are used.
        serials = [code_of(_PROJECT_OF[seller], str(month)) for month in months()]
        selection = Selection(scheme=GEC, serials=serials, count=count, class_=ORDINARY)
        acting.transfer(desk, seller, buyer, selection, note="synthetic demo")
    roof = [
        batch.id.short
        for month in months()
        if (batch := batch_of(desk, "roof-pv", str(month), ORDINARY))
    ]
    selection = Selection(scheme=GEC, serials=roof, class_=ORDINARY)
    acting.transfer(desk, plan.ENTERPRISE, plan.OPERATOR, selection, key=keys.get(plan.ENTERPRISE))


_PROJECT_OF: Final = {plan.NORTH_WIND: OUTSIDE, "sea-wind": "sea-wind"}
