"""What a claim's opened cells add up to (formats.md §9): each cell proven, supply equal to cover.

A cell of supply is of a lot that is held by a point of the claim, divided from a point of kind
generation or storage-discharge; a cell of cover is of a lot that is divided from a point of the
claim's own, for that point.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from greenledger_verify.cells import OpenedCell, OpenedOrigin
from greenledger_verify.claimtree import ClaimedCells
from greenledger_verify.divisions import LotLeaf
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate

STORAGE_CLASS: Final = 3

_SUPPLY_KINDS: Final = ("generation", "storage-discharge")
_COVER_KIND: Final = "consumption"


@dataclass(slots=True, kw_only=True)
class Balance:
    """Supply less cover by (quarter-hour of the claim, class); Wh of supply by class, and by the
    batches whose readings stand behind them. ``points`` are the master data of opened points,
    ``senders`` the batches that were read of each; ``failure`` is the first that does not hold.
    """

    evidence: Evidence
    cells: ClaimedCells
    open_wh: dict[tuple[int, int], int] = field(default_factory=dict)
    class_wh: dict[int, int] = field(default_factory=dict)
    batches_wh: dict[tuple[int, ...], int] = field(default_factory=dict)
    points: dict[str, Mapping[str, Any]] = field(default_factory=dict)
    failure: VerificationError | None = None
    senders: set[tuple[str, int]] = field(default_factory=set)
    _lots: set[str] = field(default_factory=set)

    def add(self, opened: OpenedOrigin) -> None:
        """Take in the cells of one origin: point, class and holder of each lot first."""
        with locate("origin {origin}", origin=opened.origin.name):
            point = self._point(opened.origin.point)
            self.senders.update((opened.origin.point, batch) for batch in opened.batches)
            for leaf, cells in opened.lots:
                with locate("lot {lot}", lot=leaf.lot):
                    supply = self._is_supply(leaf, opened.origin.point, str(point["kind"]))
                    self._add_lot(leaf, supply, cells, opened.month.offset)

    def finish(self) -> None:
        """Every cell was opened; supply and cover are equal; by class as the manifest says."""
        if self.failure is not None:
            raise self.failure
        for lot in self.cells.by_lot:
            if lot not in self._lots:
                raise VerificationError(
                    "the lot {lot} has cells in the claim, but is not opened", lot=lot
                )
        for (position, number), wh in self.open_wh.items():
            if wh:
                raise VerificationError(
                    "quarter-hour {position}, class {number}: supply and cover differ by {wh} Wh",
                    position=position,
                    number=number,
                    wh=wh,
                )
        if self.evidence.level == "full":
            claimed = {item["class"]: item["wh"] for item in self.evidence.manifest["by_class"]}
            if claimed != self.class_wh:
                raise VerificationError(
                    "by_class of the manifest is not what the cells sum to: class {number} has "
                    "{wh} Wh",
                    number=sorted(self.class_wh),
                    wh=[self.class_wh[number] for number in sorted(self.class_wh)],
                )

    def _point(self, point: str) -> Mapping[str, Any]:
        """Master data as registered last before the claim. Of energy, in Wh, as readings add up."""
        if point in self.points:
            return self.points[point]
        body = self.evidence.registration(point, self.evidence.index)
        if body is None or body.content is None:
            raise VerificationError("the master data of its point are not opened")
        content = body.content
        if content["unit"] != "Wh" or content["measure"] != "additive":
            raise VerificationError(
                "its point measures {unit}, {measure}: that is no energy in Wh that adds up",
                unit=content["unit"],
                measure=content["measure"],
            )
        self.points[point] = content
        return content

    def _is_supply(self, leaf: LotLeaf, point: str, kind: str) -> bool:
        if leaf.supply_class == 0:
            raise VerificationError("a remainder can't be claimed: it has no class and no holder")
        if leaf.holder.hex() not in self.evidence.manifest["points"]:
            raise VerificationError(
                "its holder {holder} is not a point of the claim", holder=leaf.holder
            )
        if kind in _SUPPLY_KINDS:
            if (leaf.supply_class == STORAGE_CLASS) != (kind == "storage-discharge"):
                raise VerificationError(
                    "its class is {number}, but its origin is a point of kind {kind}",
                    number=leaf.supply_class,
                    kind=kind,
                )
            return True
        if kind != _COVER_KIND:
            raise VerificationError("its origin is a point of kind {kind}", kind=kind)
        if leaf.holder.hex() != point:
            raise VerificationError(
                "it covers the point {holder} with what the point {point} consumed",
                holder=leaf.holder,
                point=point,
            )
        return False

    def _add_lot(
        self, leaf: LotLeaf, supply: bool, cells: Sequence[OpenedCell], offset: int
    ) -> None:
        lot = leaf.lot.hex()
        claimed = self.cells.by_lot[lot]
        self._lots.add(lot)
        number, found = leaf.supply_class, 0
        for cell in cells:
            position = offset + cell.position
            wh = claimed.get(position)
            if wh is None:
                raise VerificationError(
                    "it is opened in quarter-hour {position}, where the claim has no cell of it",
                    position=position,
                )
            if wh > cell.wh:
                raise VerificationError(
                    "quarter-hour {position}: the claim has {wh} Wh of it, but it has only {had}",
                    position=position,
                    wh=wh,
                    had=cell.wh,
                )
            found += 1
            key = position, number
            self.open_wh[key] = self.open_wh.get(key, 0) + (wh if supply else -wh)
            if supply:
                self._count(number, cell.metered.batches, wh)
        if found != len(claimed):
            raise VerificationError(
                "the claim has cells of it in {claimed} quarter-hours, {opened} are opened",
                claimed=len(claimed),
                opened=found,
            )

    def _count(self, number: int, batches: tuple[int, ...], wh: int) -> None:
        self.class_wh[number] = self.class_wh.get(number, 0) + wh
        self.batches_wh[batches] = self.batches_wh.get(batches, 0) + wh
