"""One use across instruments: certificates and reductions of one plant exclude each other.

国能综通新能〔2024〕124号: when a CCER project is registered, certificates of the plant that were
not traded yet freeze, of its crediting period; when its reductions are registered, they are
cancelled. Which scheme freezes which is data of the scheme (docs/formats.md §4.9). The lots of the
same energy are spent with the reductions, and their months take no claim any more.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from sqlalchemy import Connection

from ledger.errors import Refused
from ledger.log import store as log_store
from ledger.log.types import Tx
from ledger.lots import store as lots
from ledger.lots.model import SUPPLY_KINDS, Month, month_of, months_in
from ledger.lots.rule import MAKE
from ledger.metering import store as metering
from ledger.registry import catalogue, lifecycle, store, used
from ledger.registry import project as projects
from ledger.registry.leaves import Batch, BatchId
from ledger.registry.project import Project
from ledger.registry.schema import batches, gone_units, holdings
from ledger.registry.scheme import CERTIFICATE, Scheme
from ledger.units import Period


def plant_projects(
    conn: Connection, log_id: int, scheme: str, plant: str
) -> list[catalogue.RegisteredProject]:
    """Projects of a scheme at a plant."""
    return [
        one
        for one in catalogue.current_projects(conn, log_id).values()
        if one.scheme == scheme and one.master.plant == plant
    ]


def plant_batches(
    conn: Connection, log_id: int, scheme: str, plant: str, period: Period
) -> list[store.BatchRow]:
    """Batches of a plant whose energy is of a period."""
    rows = all_plant_batches(conn, log_id, scheme, plant)
    return [row for row in rows if row.period.overlaps(period)]


def all_plant_batches(
    conn: Connection, log_id: int, scheme: str, plant: str
) -> list[store.BatchRow]:
    """Batches of a plant, by project, in log order."""
    return [
        row
        for one in plant_projects(conn, log_id, scheme, plant)
        for row in store.find_batches(
            conn, log_id, batches.c.scheme == scheme, batches.c.project == one.project
        )
    ]


def live_of(conn: Connection, log_id: int, batch: store.BatchRow) -> list[store.HoldingRow]:
    return store.find_holdings(
        conn,
        log_id,
        holdings.c.scheme == batch.id.scheme,
        holdings.c.code == batch.id.code,
        holdings.c.revision == batch.id.revision,
        live=True,
    )


def to_freeze(
    conn: Connection, log_id: int, rules: Scheme, master: Project
) -> list[store.HoldingRow]:
    """Holdings that a registered project freezes and that are not frozen yet: those of its plant
    and crediting period that were never traded."""
    if master.state != projects.REGISTERED or master.crediting is None:
        return []
    return [
        row
        for scheme in rules.freezes
        for batch in plant_batches(conn, log_id, scheme, master.plant, master.crediting)
        for row in live_of(conn, log_id, batch)
        if not row.moves and row.state != lifecycle.FROZEN
    ]


def require_frozen(tx: Tx, rules: Scheme, name: str, master: Project) -> None:
    """A project is registered only after what it freezes was frozen. Raises Refused."""
    found = to_freeze(tx.conn, tx.log.log_id, rules, master)
    if found:
        units = sum(len(row.units) for row in found)
        raise Refused(
            f"project {name}: {units} untraded certificates of its plant and crediting period are"
            f" to be frozen first, such as {found[0].batch}:{found[0].units} (124号)"
        )


def freezer_of(conn: Connection, log_id: int, scheme: str, plant: str, period: Period) -> str:
    """The project, of another scheme, that freezes certificates of a plant and period; or `""`."""
    freezing = {
        name
        for name, found in catalogue.current_schemes(conn, log_id).items()
        if scheme in found.rules.freezes
    }
    for one in catalogue.current_projects(conn, log_id).values():
        crediting = one.master.crediting
        if (
            one.scheme in freezing
            and one.master.plant == plant
            and one.master.state in (projects.REGISTERED, projects.FROZEN)
            and crediting is not None
            and crediting.overlaps(period)
        ):
            return f"{one.scheme}/{one.project}"
    return ""


def require_unreduced(tx: Tx, scheme: str, plant: str, period: Period) -> None:
    """No certificate comes after reductions of the same plant and time. Raises Refused."""
    for name, found in catalogue.current_schemes(tx.conn, tx.log.log_id).items():
        if scheme not in found.rules.freezes:
            continue
        for batch in plant_batches(tx.conn, tx.log.log_id, name, plant, period):
            raise Refused(
                f"the energy of plant {plant} went into reductions {batch.id}, by entry"
                f" {batch.entry_index}: one kWh is either green power or a reduction"
            )


def require_one_scheme(tx: Tx, scheme: str, plant: str, period: Period) -> None:
    """No two schemes certify the energy of one plant and time. Raises Refused.

    Where lots stand behind certificates this is not asked: it is these that are used once.
    """
    for name, found in catalogue.current_schemes(tx.conn, tx.log.log_id).items():
        if name == scheme or found.rules.kind != CERTIFICATE:
            continue
        for batch in plant_batches(tx.conn, tx.log.log_id, name, plant, period):
            raise Refused(
                f"certificates {batch.id} were issued for the same plant {plant} and time, by entry"
                f" {batch.entry_index}: one kWh has one certificate"
            )


def _certificates_of(tx: Tx, plant: str, *, metered: bool) -> list[store.BatchRow]:
    """Batches of certificates of a plant, of all schemes: those with lots, or those without."""
    known = catalogue.current_schemes(tx.conn, tx.log.log_id)
    return [
        row
        for one in catalogue.current_projects(tx.conn, tx.log.log_id).values()
        if one.master.plant == plant and known[one.scheme].rules.kind == CERTIFICATE
        for row in store.find_batches(
            tx.conn,
            tx.log.log_id,
            batches.c.scheme == one.scheme,
            batches.c.project == one.project,
            batches.c.metered == int(metered),
        )
    ]


def require_unbacked(tx: Tx, plant: str, period: Period) -> None:
    """Where lots stand behind certificates of a plant and time, no others come beside them.

    Raises Refused.
    """
    for batch in _certificates_of(tx, plant, metered=True):
        behind = store.lots_of_batch(tx.conn, tx.log.log_id, batch.id)
        for row in lots.lots_by_id(tx.conn, tx.log.log_id, behind).values():
            if _month_of(tx, row).period.overlaps(period):
                raise Refused(
                    f"lots of plant {plant} and this time stand behind batch {batch.id}, by entry"
                    f" {batch.entry_index}: its certificates are issued by its lots alone"
                )


def require_backed(tx: Tx, plant: str, rows: Sequence[lots.LotRow]) -> None:
    """Where certificates of a plant and time are here without lots, none come with them.

    Raises Refused.
    """
    months = {_month_of(tx, row) for row in rows}
    for batch in _certificates_of(tx, plant, metered=False):
        for month in months:
            if month.period.overlaps(batch.period):
                raise Refused(
                    f"batch {batch.id} is of plant {plant} and {month}, with no lots behind it, by"
                    f" entry {batch.entry_index}: one kWh has one certificate"
                )


def _month_of(tx: Tx, row: lots.LotRow) -> Month:
    return month_of(row.month_start_s, tx.log.zone_s)


def require_releasable(tx: Tx, held: Sequence[BatchId]) -> None:
    """What a registered project freezes stays frozen. Raises Refused."""
    projects_ = catalogue.current_projects(tx.conn, tx.log.log_id)
    for batch in store.batches_by_id(tx.conn, tx.log.log_id, held).values():
        mine = projects_.get((batch.id.scheme, batch.project))
        if mine is None:
            continue
        freezer = freezer_of(
            tx.conn, tx.log.log_id, batch.id.scheme, mine.master.plant, batch.period
        )
        if freezer:
            raise Refused(
                f"batch {batch.id} is frozen by project {freezer} of the same plant (124号): it is"
                " released when that is revoked"
            )


def require_reduced_once(tx: Tx, rules: Scheme, plant: str, period: Period) -> None:
    """Two programmes do not credit the same energy. Raises Refused."""
    for name, found in catalogue.current_schemes(tx.conn, tx.log.log_id).items():
        if name == rules.scheme or not {*found.rules.freezes} & {*rules.freezes}:
            continue
        for batch in plant_batches(tx.conn, tx.log.log_id, name, plant, period):
            raise Refused(
                f"batch {batch.id} (entry {batch.entry_index}) is of the same plant {plant} and"
                " time: a reduction is credited once"
            )


def require_cancelled(tx: Tx, rules: Scheme, plant: str, period: Period) -> None:
    """Reductions are issued only where no certificate of the same energy is, or was, of use.

    Raises Refused.
    """
    for scheme in rules.freezes:
        for batch in plant_batches(tx.conn, tx.log.log_id, scheme, plant, period):
            _require_cancelled(tx, batch)


def _require_cancelled(tx: Tx, batch: store.BatchRow) -> None:
    live = live_of(tx.conn, tx.log.log_id, batch)
    if live:
        raise Refused(
            f"batch {batch.id}: units {live[0].units} of the same plant and time are"
            f" {live[0].state}; they are to be cancelled first (124号)"
        )
    gone = used.find_gone(
        tx.conn,
        tx.log.log_id,
        gone_units.c.scheme == batch.id.scheme,
        gone_units.c.code == batch.id.code,
        gone_units.c.revision == batch.id.revision,
        gone_units.c.act.in_([lifecycle.RETIRE, lifecycle.EXPORT]),
    )
    if gone:
        raise Refused(
            f"batch {batch.id}: units {gone[0].units} of the same plant and time were used"
            f" (entry {gone[0].entry_index}): one kWh is either green power or a reduction"
        )


def energy_points(tx: Tx, rules: Scheme, of: Project) -> set[bytes]:
    """Points whose energy a reduction project uses up: its own, and those of certificate projects
    at its plant."""
    found = set(of.points)
    for scheme in rules.freezes:
        for one in plant_projects(tx.conn, tx.log.log_id, scheme, of.plant):
            found |= set(one.master.points)
    known = metering.current_points(tx.conn, tx.log.log_id, only=found)
    return {
        point
        for point in found
        if known[point].master.kind in SUPPLY_KINDS and known[point].master.unit == "Wh"
    }


def months_of(tx: Tx, period: Period) -> Sequence[Month]:
    return months_in(period, tx.log.zone_s)


def lots_to_spend(tx: Tx, rules: Scheme, of: Project, period: Period) -> list[bytes]:
    """Unspent lots of the energy that reductions of a period are for.

    Raises Refused where a claim has used some of it, or certificates that are not cancelled.
    """
    return _unspent(tx, rules, energy_points(tx, rules, of), period)


def _unspent(tx: Tx, rules: Scheme, points: Collection[bytes], period: Period) -> list[bytes]:
    found = []
    for point in sorted(points):
        for month in months_of(tx, period):
            rows = lots.lots_of_origin(tx.conn, tx.log.log_id, point, month.start_s)
            gone = lots.spent(tx.conn, tx.log.log_id, [row.lot for row in rows])
            for lot, index in sorted(gone.items(), key=lambda one: one[1]):
                by = log_store.entry_at(tx.conn, tx.log.log_id, index).type
                if by == MAKE:
                    raise Refused(
                        f"lot {lot.hex()} of {month} was claimed as green power, by entry {index}:"
                        " one kWh is either green power or a reduction"
                    )
            found += [row.lot for row in rows if row.lot not in gone]
            _require_uncertified(tx, rules, [row.lot for row in rows])
    return sorted(found)


def _require_uncertified(tx: Tx, rules: Scheme, which: Sequence[bytes]) -> None:
    """Certificates of a later month may draw on lots, too: these are cancelled as well."""
    behind = store.batches_of_lots(tx.conn, tx.log.log_id, which)
    ids = {one for some in behind.values() for one in some if one.scheme in rules.freezes}
    for batch in store.batches_by_id(tx.conn, tx.log.log_id, ids).values():
        _require_cancelled(tx, batch)


def bar_late(tx: Tx, scheme: str, master: Project) -> None:
    """Points that come to a plant after reductions were issued for it are barred for their months.

    Raises Refused where energy of them was used by then.
    """
    for name, found in catalogue.current_schemes(tx.conn, tx.log.log_id).items():
        if not found.rules.freezes or scheme not in (name, *found.rules.freezes):
            continue
        points = energy_points(tx, found.rules, master)
        for batch in all_plant_batches(tx.conn, tx.log.log_id, name, master.plant):
            _unspent(tx, found.rules, points, batch.period)
            _save_bars(tx, name, points, batch.period)


def bar(tx: Tx, scheme: str, rules: Scheme, of: Project, batch: Batch) -> None:
    """From now on no lot of these months is of use. Raises Refused where that was so already."""
    _save_bars(tx, scheme, energy_points(tx, rules, of), batch.period)


def _save_bars(tx: Tx, scheme: str, points: Collection[bytes], period: Period) -> None:
    months = {(point, month.start_s) for point in points for month in months_of(tx, period)}
    before = store.barred_months(tx.conn, tx.log.log_id, points)
    store.save_bars(tx.conn, tx.log.log_id, tx.index, scheme, months - before.keys())


def require_unbarred(tx: Tx, rows: Sequence[lots.LotRow]) -> None:
    """Lots whose energy did not go into reductions. Raises Refused."""
    barred = store.barred_months(tx.conn, tx.log.log_id, {row.point for row in rows})
    for row in rows:
        index = barred.get((row.point, row.month_start_s))
        if index is not None:
            raise Refused(
                f"lot {row.lot.hex()}: its energy went into a reduction, by entry {index}; it is"
                " green power no more"
            )
