"""Issue of units: what official registries issued is imported, what is issued here is issued.

The log accepts a batch only if no number of its code is in another one; if it is of a month that is
over and still valid; and if lots stand behind it where the plant is metered here: what was issued
and what is left below a unit is what was eligible and what was left before (domain invariant 1).
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final

from ledger.errors import InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import Body, tree_kind
from ledger.log.entry import Entry, Member
from ledger.log.types import Bodies, EntryType, Tx
from ledger.lots import entries as lot_entries
from ledger.lots import store as lots
from ledger.lots.model import month_of
from ledger.parties.entries import operator_signs
from ledger.parties.store import current_party
from ledger.registry import catalogue, exclusive, lifecycle, rule, store
from ledger.registry.body import MEDIA, UnitsBody
from ledger.registry.leaves import CODE, Batch, Piece, check_paper, owner_of
from ledger.registry.project import REGISTERED, REVOKED, Project
from ledger.registry.scheme import CERTIFICATE, CREDIT, NO_LOTS, RECORD, SPENT, WRAPPED, Scheme
from ledger.units import Period, format_instant


def _is_short_batch(value: object) -> bool:
    if not isinstance(value, str):
        return False
    code, _, revision = value.rpartition("/")
    canonical = revision.isascii() and revision.isdigit() and str(int(revision)) == revision
    return CODE.fullmatch(code) is not None and canonical and len(revision) <= 6


BATCHES: Final = Member(
    expected="a sorted array of <code>/<revision>, at least one, none twice",
    check=lambda value: (
        isinstance(value, list)
        and len(value) > 0
        and all(map(_is_short_batch, value))
        and value == sorted(set(value))
    ),
)
HOLDINGS: Final = e.sorted_ids("holding ids", least=1)
HOLDINGS_OR_NONE: Final = e.sorted_ids("holding ids")
STATE: Final = e.one_of(lifecycle.ACTIVE, lifecycle.FROZEN)


def _leaves(body: Body) -> list[dict[str, Any]]:
    assert isinstance(body, UnitsBody)
    return [body.json(number) for number in range(body.size)]


UNITS_KIND: Final = tree_kind(
    MEDIA, lambda data, entry, origin: UnitsBody.open(data, origin=origin, id_=entry.id), _leaves
)


def units_body(bodies: Bodies) -> UnitsBody:
    found = bodies["body"]
    assert isinstance(found, UnitsBody)
    return found


def batches_in(entry: Entry, body: UnitsBody) -> list[Batch]:
    """The batches that an issue is about, in the order of its header. Raises InvalidInput."""
    names, begins = entry.statement["batches"], entry.statement["begins"]
    if body.size != len(names) + len(begins) + 1:
        raise InvalidInput(
            f"an issue of {len(names)} batches and {len(begins)} holdings has a body of"
            f" {len(names) + len(begins) + 1} leaves, not {body.size}"
        )
    found = [Batch.from_json(body.json(place)) for place in range(len(names))]
    for name, batch in zip(names, found, strict=True):
        if str(batch.id) != f"{entry.statement['scheme']}/{name}":
            raise InvalidInput(f"leaf of batch {name} is about {batch.id}")
    return found


def owners_in(entry: Entry, body: UnitsBody, first: int) -> dict[bytes, str]:
    """{holding that an entry begins: its owner}. Raises InvalidInput."""
    return {
        bytes.fromhex(holding): owner_of(body.json(first + place), holding)
        for place, holding in enumerate(entry.statement["begins"])
    }


def _accept_issue(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    statement, body = entry.statement, units_body(bodies)
    rules = catalogue.find_scheme(tx.conn, tx.log.log_id, statement["scheme"]).rules
    found = batches_in(entry, body)
    owners = owners_in(entry, body, len(found))
    check_paper(body.json(body.size - 1))
    _require_all_begun(found, owners)
    require_new(tx, owners)
    _require_parties(tx, set(owners.values()))
    _require_new(tx, rules, found)
    _Backing(tx, entry, rules).check(found)
    metered = [(one, rules.kind == CERTIFICATE and bool(one.lots)) for one in found]
    store.save_batches(tx.conn, tx.log.log_id, tx.index, metered, rules.unit_size)
    by_holding = {holding.holding: (one, holding) for one in found for holding in one.holdings}
    begun = []
    for holding, owner in owners.items():
        batch, issued = by_holding[holding]
        piece = Piece(
            holding=holding, batch=batch.id, class_=issued.class_, moves=0, units=issued.units
        )
        begun.append((piece, owner, rules.class_of(issued.class_).moves_max))
    store.save_holdings(tx.conn, tx.log.log_id, tx.index, begun, statement["state"])


def _require_all_begun(found: Sequence[Batch], owners: Mapping[bytes, str]) -> None:
    mine = sorted(one.holding for batch in found for one in batch.holdings)
    if mine != sorted(owners):
        raise InvalidInput("the holdings of the batches are not those that the entry begins")


def require_new(tx: Tx, which: Collection[bytes]) -> None:
    """No holding begins twice. Raises Refused."""
    for holding, index in sorted(store.begun(tx.conn, tx.log.log_id, which).items()):
        raise Refused(f"holding {holding.hex()} began before, by entry {index}")


def _require_parties(tx: Tx, owners: set[str]) -> None:
    for owner in sorted(owners):
        if current_party(tx.conn, tx.log.log_id, owner) is None:
            raise Refused(f"owner {owner!r} is not a registered party")


def _require_new(tx: Tx, rules: Scheme, found: Sequence[Batch]) -> None:
    """Revisions in order, numbers of a code in one batch, a time that is over and valid."""
    zone_s = tx.log.zone_s
    known = store.batches_of_codes(
        tx.conn, tx.log.log_id, rules.scheme, {one.id.code for one in found}
    )
    timed: set[tuple[Period, int | None]] = set()
    for one in found:
        before = known.setdefault(one.id.code, [])
        for other in before:
            if other.id == one.id:
                raise Refused(f"batch {one.id} was imported before, by entry {other.entry_index}")
            if other.units.overlaps(one.units):
                raise Refused(
                    f"batch {one.id}: units {one.units} overlap units {other.units} of"
                    f" {other.id}, imported by entry {other.entry_index}: a unit exists once"
                )
        if one.id.revision != len(before):
            raise Refused(f"batch {one.id}: the next revision of its code is {len(before)}")
        # Thousands of batches are of one month.
        if (one.period, one.expires_s) not in timed:
            _require_time(tx, rules, one, zone_s)
            timed.add((one.period, one.expires_s))
        for holding in one.holdings:
            rules.class_of(holding.class_)


def _require_time(tx: Tx, rules: Scheme, one: Batch, zone_s: int) -> None:
    if one.period.end_s > tx.tick_s:
        raise Refused(
            f"batch {one.id} is of a time that ends at {format_instant(one.period.end_s)}: it is"
            f" not over at {format_instant(tx.tick_s)}"
        )
    if one.period.start_s < 0:
        raise InvalidInput(f"batch {one.id} begins before 1970")
    month = month_of(one.period.start_s, zone_s)
    if rules.validity_months and one.period != month.period:
        raise InvalidInput(
            f"batch {one.id} is of {format_instant(one.period.start_s)} to"
            f" {format_instant(one.period.end_s)}: scheme {rules.scheme} issues by calendar month"
        )
    expires_s = rules.expires_s(one.period.start_s, zone_s)
    if one.expires_s != expires_s:
        said = "never" if expires_s is None else format_instant(expires_s)
        raise InvalidInput(f"batch {one.id} expires {said} by the rules of {rules.scheme}")
    if expires_s is not None and expires_s <= tx.tick_s:
        raise Refused(f"batch {one.id} is valid no more, since {format_instant(expires_s)}")


class _Backing:
    """What stands behind the batches of an entry: projects, and lots where they are metered."""

    def __init__(self, tx: Tx, entry: Entry, rules: Scheme) -> None:
        self._tx = tx
        self._entry = entry
        self._rules = rules
        self._spends = lot_entries.lot_ids(entry.statement["spends"])
        self._wraps = lot_entries.lot_ids(entry.statement["wraps"])
        self._projects = {
            one.project: one.master
            for one in catalogue.current_projects(tx.conn, tx.log.log_id).values()
            if one.scheme == rules.scheme
        }
        self._left_wh: dict[tuple[str, str], int] = {}
        self._judged: set[tuple[str, Period]] = set()

    def check(self, found: Sequence[Batch]) -> None:
        behind = [lot for one in found for lot in one.lots]
        if sorted(behind) != sorted([*self._spends, *self._wraps]):
            raise InvalidInput(
                "the lots behind the batches are not those that the entry spends or wraps, each"
                " once"
            )
        for lot in {*self._spends} & {*self._wraps}:
            raise InvalidInput(f"lot {lot.hex()} is both spent and wrapped")
        known = self._lots()
        for one in found:
            self._check_one(one, known)
        if self._spends:
            lots.save_spends(self._tx.conn, self._tx.log.log_id, self._tx.index, self._spends)
        if self._wraps:
            lots.save_wraps(
                self._tx.conn, self._tx.log.log_id, self._tx.index, rule.FORM, self._wraps
            )

    def _lots(self) -> dict[bytes, lots.LotRow]:
        conn, log_id = self._tx.conn, self._tx.log.log_id
        known = lot_entries.require_unspent(self._tx, self._spends)
        wrapped = lots.lots_by_id(conn, log_id, self._wraps)
        for lot in self._wraps:
            if lot not in wrapped:
                raise Refused(f"lot {lot.hex()} was never created")
        for lot, index in lots.wrapped(conn, log_id, rule.FORM, self._wraps).items():
            raise Refused(f"lot {lot.hex()}: a certificate stands for it already, by entry {index}")
        if self._rules.kind == CERTIFICATE:
            self._require_one_certificate(known.keys() | wrapped.keys())
        return known | wrapped

    def _require_one_certificate(self, which: Collection[bytes]) -> None:
        """No lot gets certificates of a second scheme, however these have it. Raises Refused."""
        conn, log_id = self._tx.conn, self._tx.log.log_id
        for lot, batches in sorted(store.batches_of_lots(conn, log_id, which).items()):
            raise Refused(f"lot {lot.hex()} stands behind {batches[0]} already: one kWh, one proof")
        for lot, index in sorted(lots.wrapped(conn, log_id, rule.FORM, which).items()):
            raise Refused(f"lot {lot.hex()}: a certificate stands for it already, by entry {index}")

    def _check_one(self, one: Batch, known: Mapping[bytes, lots.LotRow]) -> None:
        project = self._project_of(one)
        if self._rules.kind == CERTIFICATE:
            self._check_certificates(one, project, [known[lot] for lot in one.lots])
        else:
            self._check_reductions(one, project)

    def _project_of(self, one: Batch) -> Project | None:
        if (self._rules.kind == RECORD) != bool(one.record):
            raise InvalidInput(f"batch {one.id}: a record stands exactly behind internal units")
        if not one.project:
            if self._rules.kind == RECORD:
                raise Refused(f"batch {one.id}: internal units are of a project")
            return None
        if one.project not in self._projects:
            known = ", ".join(sorted(self._projects)) or "none"
            raise Refused(
                f"batch {one.id}: project {one.project!r} is not registered in scheme"
                f" {self._rules.scheme}; registered are: {known}"
            )
        found = self._projects[one.project]
        if found.state == REVOKED or (self._rules.kind == CREDIT and found.state != REGISTERED):
            raise Refused(
                f"batch {one.id}: project {one.project} is {found.state}: nothing is issued for it"
            )
        crediting = found.crediting
        if (
            self._rules.kind == CREDIT
            and crediting is not None
            and not crediting.contains(one.period)
        ):
            raise Refused(
                f"batch {one.id} is of {format_instant(one.period.start_s)} to"
                f" {format_instant(one.period.end_s)}: the crediting period of project"
                f" {one.project} is {format_instant(crediting.start_s)} to"
                f" {format_instant(crediting.end_s)}"
            )
        return found

    def _check_certificates(
        self, one: Batch, project: Project | None, rows: Sequence[lots.LotRow]
    ) -> None:
        # It is the same for all batches of a project and time.
        if project is not None and (one.project, one.period) not in self._judged:
            self._check_plant(one, project)
            self._judged.add((one.project, one.period))
        if not (project and project.points):
            if one.lots or (one.eligible_wh, one.carried_wh, one.left_wh) != (0, 0, 0):
                raise InvalidInput(
                    f"batch {one.id}: lots stand behind units of projects with points only"
                )
            return
        self._check_lots(one, project, rows)

    def _check_plant(self, one: Batch, project: Project) -> None:
        """No other instrument has the energy of the plant."""
        exclusive.require_unreduced(self._tx, self._rules.scheme, project.plant, one.period)
        freezer = exclusive.freezer_of(
            self._tx.conn, self._tx.log.log_id, self._rules.scheme, project.plant, one.period
        )
        if freezer and self._entry.statement["state"] != lifecycle.FROZEN:
            raise Refused(
                f"batch {one.id}: project {freezer} of the same plant freezes certificates of this"
                " time: they begin frozen (124号)"
            )
        if not project.points:
            exclusive.require_one_scheme(self._tx, self._rules.scheme, project.plant, one.period)
            exclusive.require_unbacked(self._tx, project.plant, one.period)

    def _check_lots(self, one: Batch, project: Project, rows: Sequence[lots.LotRow]) -> None:
        """Invariant 1: what was issued and is left is what was eligible and was left before."""
        exclusive.require_unbarred(self._tx, rows)
        exclusive.require_backed(self._tx, project.plant, rows)
        self._check_class(one, project, rows)
        eligible_wh, size = sum(row.wh for row in rows), self._rules.unit_size
        account = one.project, one.class_
        carried_wh = self._left_wh.get(account)
        if carried_wh is None:
            carried_wh = store.last_left_wh(
                self._tx.conn, self._tx.log.log_id, self._rules.scheme, *account
            )
        left_wh = carried_wh + eligible_wh - len(one.units) * size
        if not 0 <= left_wh < size:
            raise Refused(
                f"batch {one.id}: {len(one.units)} units are {len(one.units) * size} Wh; its lots"
                f" have {eligible_wh} Wh and {carried_wh} Wh were left before, which makes"
                f" {(carried_wh + eligible_wh) // size} units"
            )
        said = one.eligible_wh, one.carried_wh, one.left_wh
        if said != (eligible_wh, carried_wh, left_wh):
            raise InvalidInput(
                f"batch {one.id}: eligible, carried and left are {eligible_wh}, {carried_wh} and"
                f" {left_wh} Wh, it says {said}"
            )
        self._left_wh[account] = left_wh

    def _check_class(self, one: Batch, project: Project, rows: Sequence[lots.LotRow]) -> None:
        """One class; lots of the project, of its kind, of months that are past by then."""
        if len({holding.class_ for holding in one.holdings}) != 1:
            raise InvalidInput(f"batch {one.id}: a batch with lots behind it is of one class")
        class_ = self._rules.class_of(one.class_)
        if class_.lots == NO_LOTS:
            raise Refused(f"class {class_.name} is not for plants that are metered here")
        spends = {*self._spends}
        for row in rows:
            if row.point not in project.points:
                raise Refused(f"lot {row.lot.hex()} is of no point of project {one.project}")
            if row.month_start_s >= one.period.end_s:
                raise Refused(f"lot {row.lot.hex()} is of a later month than batch {one.id}")
            how = SPENT if row.lot in spends else WRAPPED
            if how != class_.lots or row.supply_class not in class_.lot_classes:
                raise Refused(
                    f"lot {row.lot.hex()}, of supply class {row.supply_class}, can't be {how} for"
                    f" units of class {class_.name} of scheme {self._rules.scheme}"
                )

    def _check_reductions(self, one: Batch, project: Project | None) -> None:
        """Credits: the energy that they are for is spent with them, wherever it is metered here."""
        wanted: list[bytes] = []
        if project is not None and self._rules.freezes:
            exclusive.require_cancelled(self._tx, self._rules, project.plant, one.period)
            exclusive.require_reduced_once(self._tx, self._rules, project.plant, one.period)
            wanted = exclusive.lots_to_spend(self._tx, self._rules, project, one.period)
            exclusive.bar(self._tx, self._rules.scheme, self._rules, project, one)
        if sorted(one.lots) != wanted or set(one.lots) & set(self._wraps):
            raise Refused(
                f"batch {one.id}: reductions spend the {len(wanted)} lots of their energy that are"
                f" left, not {len(one.lots)}"
            )
        if wanted:
            classes = sorted({holding.class_ for holding in one.holdings})
            if len(classes) > 1 or self._rules.class_of(classes[0]).lots != SPENT:
                raise Refused(
                    f"batch {one.id}: units whose energy is metered here are of one class whose"
                    f" lots are {SPENT}, not of {', '.join(classes)}"
                )
        if (one.eligible_wh, one.carried_wh, one.left_wh) != (0, 0, 0):
            raise InvalidInput(f"batch {one.id}: Wh behind a batch are for certificates")


ENTRY_TYPE: Final = EntryType(
    name=rule.ISSUE,
    members={
        "scheme": e.PARTY,
        "state": STATE,
        "batches": BATCHES,
        "spends": lot_entries.LOTS_OR_NONE,
        "wraps": lot_entries.LOTS_OR_NONE,
        "begins": HOLDINGS,
        "body": e.TREE,
    },
    bodies={"body": UNITS_KIND},
    signers=operator_signs,
    accept=_accept_issue,
)
