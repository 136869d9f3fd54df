"""The rules of the page on lots and claims once more, in plain dicts, one quarter-hour at a time.

Written from docs/formats.md §3.4, §3.5, §4.1, §4.7 and §7; it shares with the ledger its input
values.
Quarter-hours are counted from the turn of the month: those below 0 are February's.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from ledger.matching.model import Contract
from tests.matching.naive import settle

SOURCES = ("roof", "tower")
CONSUMERS = ("saw", "oven")
OWNER = {"roof": "farm", "tower": "wind", "saw": "mill", "oven": "shop"}
QUARTERS = range(-4, 4)

Wh = dict[int, int]
Key = tuple[str, str, int, int, bool]  # point, holder, class, revision, February


def february(at: int) -> bool:
    return at < 0


def overlap(one: range, other: range) -> bool:
    return one.start < other.stop and other.start < one.stop


@dataclass
class Book:
    """What the divisions of a point's month have taken in, and what they left."""

    revision: int = -1
    base: Wh = field(default_factory=dict)
    carried: Wh = field(default_factory=dict)


@dataclass(frozen=True)
class Retired:
    """Units used up for somebody and a time; `most`: the Wh that they are worth, 0 of credits."""

    author: str
    period: range
    class_: str
    most: int


@dataclass
class Claim:
    """`cells`: Wh by lot and quarter-hour. `settled`: Wh by retirement. `flag`: the last one."""

    author: str
    point: str
    period: range
    cells: dict[Key, Wh]
    settled: dict[bytes, int] = field(default_factory=dict)
    ended: str = ""
    flag: str = ""


class Model:
    """What was read, divided, claimed; `lots` that were carried over are in `gone`."""

    def __init__(self) -> None:
        self.metered: dict[tuple[str, int], int] = {}
        self.books: dict[tuple[str, bool], Book] = {}
        self.lots: dict[Key, Wh] = {}
        self.gone: set[Key] = set()
        self.claimed: dict[Key, bytes] = {}
        self.claims: dict[bytes, Claim] = {}
        self.limited: set[tuple[str, int]] = set()
        self.contracts: list[Contract] = []
        self.retired: dict[bytes, Retired] = {}

    # Readings

    def read(self, point: str, at: int, wh: int) -> None:
        self.metered[point, at] = wh

    def correct(self, point: str, at: int, wh: int) -> None:
        """Below what was divided, the quarter-hour is limited from then on."""
        self.metered[point, at] = wh
        if wh < self.divided(point, at):
            self.limited.add((point, at))

    def divided(self, point: str, at: int) -> int:
        """Σ fresh of all divisions: what the lots that were not carried over are worth."""
        return self.books.get((point, february(at)), Book()).base.get(at, 0)

    # Matching

    def left(self, point: str, at: int) -> int:
        book = self.books.get((point, february(at)), Book())
        here = self.metered.get((point, at), 0)
        return max(here - book.base.get(at, 0) + book.carried.get(at, 0), 0)

    def match(self, period: range) -> None:
        """One lot for each consumer and class, one for what is left; of whole months."""
        shares: dict[tuple[str, bool], dict[tuple[str, int], Wh]] = {}
        for at in period:
            have = {point: self.left(point, at) for point in SOURCES}
            want = {point: self.left(point, at) for point in CONSUMERS}
            for contract in sorted(
                self.contracts, key=lambda one: (int(one.supply_class), one.contract)
            ):
                moved = settle(contract, have, want, {contract.contract: 0})
                for (source, consumer), wh in moved.items():
                    for point in (source, consumer) if wh else ():
                        lot = shares.setdefault((point, february(at)), {}).setdefault(
                            (consumer, int(contract.supply_class)), {}
                        )
                        lot[at] = lot.get(at, 0) + wh
        for (point, early), parts in shares.items():
            self._divide(point, early, parts)

    def _divide(self, point: str, early: bool, parts: dict[tuple[str, int], Wh]) -> None:
        book = self.books.setdefault((point, early), Book())
        if any(book.carried.values()):
            self.gone.add((point, "", 0, book.revision, early))
        book.revision += 1
        rest: Wh = {}
        for at in (at for at in QUARTERS if february(at) is early):
            carried = book.carried.get(at, 0)
            change = max(self.metered.get((point, at), 0) - book.base.get(at, 0), -carried)
            book.base[at] = book.base.get(at, 0) + change
            rest[at] = carried + change - sum(wh.get(at, 0) for wh in parts.values())
            assert rest[at] >= 0
        book.carried = rest
        for (holder, class_), wh in parts.items():
            self.lots[point, holder, class_, book.revision, early] = wh
        if any(rest.values()):
            left = {at: wh for at, wh in rest.items() if wh}
            self.lots[point, "", 0, book.revision, early] = left

    # Claims

    def in_force(self) -> dict[bytes, Claim]:
        return {claim: one for claim, one in self.claims.items() if not one.ended}

    def used(self, point: str, at: int, but: bytes = b"") -> int:
        return sum(
            wh.get(at, 0)
            for claim, one in self.in_force().items()
            if claim != but
            for lot, wh in one.cells.items()
            if lot[0] == point
        )

    def short(self, point: str, at: int) -> int:
        return max(0, self.used(point, at) - self.metered.get((point, at), 0))

    def is_short(self, claim: bytes) -> bool:
        return any(
            self.short(lot[0], at) for lot, wh in self.claims[claim].cells.items() for at in wh
        )

    def owed(self) -> dict[bytes, str]:
        """Flags that the log still has to be given."""
        return {
            claim: "short" if self.is_short(claim) else "cured"
            for claim, one in self.in_force().items()
            if self.is_short(claim) is not (one.flag == "short")
        }

    def unspent(self, holder: str, period: range) -> set[Key]:
        return {
            lot
            for lot, wh in self.lots.items()
            if lot[1] == holder
            and lot not in self.claimed
            and any((at in period) for at in QUARTERS if february(at) is lot[4])
        }

    def check_cells(self, cells: dict[Key, Wh], lots: Iterable[Key], replaced: bytes) -> None:
        """What a new claim may say of its lots: no more than they have, than others leave, than
        the meters show; as much supplied as covered; and no less than that."""
        assert cells.keys() == set(lots)
        for lot, wh in cells.items():
            for at, amount in wh.items():
                assert 0 < amount <= self.lots[lot].get(at, 0)
        for at in QUARTERS:
            for point in {lot[0] for lot in cells}:
                mine = sum(wh.get(at, 0) for lot, wh in cells.items() if lot[0] == point)
                if mine:
                    others = self.used(point, at, but=replaced)
                    assert mine + others <= self.metered.get((point, at), 0)
            for group in {(lot[1], lot[2]) for lot in cells}:
                self._check_group(cells, group, at, replaced)

    def _check_group(
        self, cells: dict[Key, Wh], group: tuple[str, int], at: int, replaced: bytes
    ) -> None:
        mine = {lot: wh for lot, wh in cells.items() if (lot[1], lot[2]) == group}
        halves = [
            sum(wh.get(at, 0) for lot, wh in mine.items() if (lot[0] in SOURCES) is supply)
            for supply in (True, False)
        ]
        assert halves[0] == halves[1]
        more = {lot[0] in SOURCES for lot in mine if self._has_more(cells, lot, at, replaced)}
        assert len(more) < 2, "both sides have more, and the meters show it"

    def _has_more(self, cells: dict[Key, Wh], lot: Key, at: int, replaced: bytes) -> bool:
        """Whether lot and meter have more than a new claim and others use."""
        point = lot[0]
        mine = sum(wh.get(at, 0) for other, wh in cells.items() if other[0] == point)
        left = self.metered.get((point, at), 0) - mine - self.used(point, at, but=replaced)
        return left > 0 and cells[lot].get(at, 0) < self.lots[lot].get(at, 0)

    def add(self, claim: bytes, made: Claim, replaced: bytes = b"") -> None:
        if replaced:
            self.claims[replaced].ended = "replaced"
        self.claims[claim] = made
        self.claimed.update(dict.fromkeys(made.cells, claim))
        assert not self.is_short(claim)

    # Certificates

    def free(self, author: str, period: range) -> list[bytes]:
        """Retirements for somebody and a time that no claim ever had."""
        used = {retirement for one in self.claims.values() for retirement in one.settled}
        return [
            retirement
            for retirement, one in self.retired.items()
            if retirement not in used
            and one.author == author
            and period.start <= one.period.start
            and one.period.stop <= period.stop
        ]

    def left_by_lots(self, point: str, span: range, cells: dict[Key, Wh], replaced: bytes) -> int:
        """Wh of a span that neither lots of claims in force nor a new claim's cover."""
        return sum(
            self.metered.get((point, at), 0)
            - self.used(point, at, but=replaced)
            - sum(wh.get(at, 0) for lot, wh in cells.items() if lot[0] == point)
            for at in span
        )

    def uses(self, point: str, replaced: bytes) -> list[tuple[range, int]]:
        """(time, Wh) of certificates of claims in force that have this point, but for one."""
        return [
            (self.retired[retirement].period, wh)
            for claim, one in self.in_force().items()
            if claim != replaced and one.point == point
            for retirement, wh in one.settled.items()
            if wh
        ]

    def fits(self, made: Claim, replaced: bytes = b"") -> bool:
        """Whether a new claim's certificates, and those that overlap them, find consumption."""
        mine = [(self.retired[one].period, wh) for one, wh in made.settled.items() if wh]
        known = [*mine, *self.uses(made.point, replaced)]
        near, reach = [], made.period
        for _ in known:
            near = [(use, wh) for use, wh in known if overlap(use, reach)]
            starts = [reach.start, *(use.start for use, _ in near)]
            reach = range(min(starts), max([reach.stop, *(use.stop for use, _ in near)]))
        return all(
            sum(wh for use, wh in near if first.start <= use.start and use.stop <= last.stop)
            <= max(
                0,
                self.left_by_lots(made.point, range(first.start, last.stop), made.cells, replaced),
            )
            for first, _ in near
            for last, _ in near
            if first.start < last.stop
        )

    def check_settled(self, made: Claim, order: Iterable[bytes], replaced: bytes = b"") -> None:
        """No more than the units are worth and than is left; and of what is left all, green trade
        first, where no other claim's certificates reach beyond the time of this one."""
        assert self.fits(made, replaced)
        others = self.uses(made.point, replaced)
        alone = not any(
            overlap(use, made.period)
            and not (made.period.start <= use.start and use.stop <= made.period.stop)
            for use, _ in others
        )
        so_far: dict[bytes, int] = {}
        for retirement in sorted(order, key=lambda one: self.retired[one].class_ != "green-trade"):
            wh, most = made.settled[retirement], self.retired[retirement].most
            assert 0 <= wh <= most
            so_far[retirement] = wh
            more = Claim(made.author, made.point, made.period, made.cells, dict(so_far))
            more.settled[retirement] = wh + 1
            assert wh == most or not alone or not self.fits(more, replaced)

    # What always holds

    def check(self) -> None:
        for point in (*SOURCES, *CONSUMERS):
            for at in QUARTERS:
                live = sum(
                    wh.get(at, 0)
                    for lot, wh in self.lots.items()
                    if lot[0] == point and lot not in self.gone
                )
                assert live == self.divided(point, at)
                assert self.used(point, at) <= live
                if (point, at) not in self.limited:
                    assert live <= self.metered.get((point, at), 0)
                    assert not self.short(point, at)
