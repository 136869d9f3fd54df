"""Opened quarter-hours of an origin (formats.md §3.4, §9): from the readings to the lots.

For each of them, the readings give what was metered; what the revisions before have given out gives
``base``; the rest is fresh; and the lots of the sum tree are worth carried + fresh, exactly. So all
lots that anybody can ever show of this quarter-hour are together worth no more than the meter did
show.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import shake_256
from struct import Struct
from typing import Final

from greenledger_verify.divisions import NO_LOT, Division, LotLeaf, OriginLeaf
from greenledger_verify.evidence_file import CellsPart, LotOpening
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.metered import NOTHING_METERED, Metered, metered_quarters, open_readings
from greenledger_verify.months import QUARTER_S, Month
from greenledger_verify.sharedpath import WH_END, verify_shared_path
from greenledger_verify.sumtree import climb, lot_leaf
from greenledger_verify.text import say

_OUTER: Final = Struct(">Q32sQQq32s")
_LOT_NONCES: Final = b"greenledger/lot/v1\n"
_NONCE_SIZE: Final = 16


@dataclass(slots=True, kw_only=True)
class Revision:
    """What a revision of a month leaves to the next one: by position Σ fresh, and the Wh of its
    remainder lot. ``idle`` are positions that only a later revision can ask for.
    """

    number: int
    remainder: bytes
    given_wh: dict[int, int]
    remainder_wh: dict[int, int]
    idle: set[int]


@dataclass(frozen=True, slots=True)
class OpenedCell:
    """A lot in a quarter-hour of the month, proven; ``metered`` is what stands behind it."""

    position: int
    wh: int
    metered: Metered


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedOrigin:
    """What a part established: the cells of each opened lot but the remainder."""

    origin: OriginLeaf
    month: Month
    batches: Sequence[int]
    lots: Sequence[tuple[LotLeaf, Sequence[OpenedCell]]]


@dataclass(slots=True, kw_only=True)
class CellsVerifier:
    """Takes the parts in their order. ``revisions`` holds the last one of each point and month."""

    evidence: Evidence
    divisions: Mapping[int, Division]
    claimed: Mapping[str, Mapping[int, int]]
    revisions: dict[tuple[str, str], Revision] = field(default_factory=dict)

    def verify(self, part: CellsPart) -> OpenedOrigin:
        """1. Origin, month and positions fit the division.
        2. The readings are in their batches, sent before the division.
        3. base, carried and fresh follow from the readings and from the revision before.
        4. The lots of each quarter-hour lead to one root, with carried + fresh Wh.
        5. The quarter-hours are in the outer tree that the origin commits to.
        """
        division, origin = self._origin(part)
        with locate("origin {origin}", origin=origin.name):
            month = self._month(origin, part)
            metered = self._metered(part, origin, month)
            totals = self._books(part, origin, metered)
            sums, lots, asked = self._lots(part, division, origin, month, metered, totals)
            self._outer(part, origin, month, metered, totals, sums)
            self.revisions[origin.point, origin.month].idle = set(part.at) - asked
        batches = [batch.entry for batch in part.batches]
        return OpenedOrigin(origin=origin, month=month, batches=batches, lots=lots)

    def finish(self) -> None:
        """Nothing was opened that nobody asked for."""
        for (point, month), revision in self.revisions.items():
            if revision.idle or revision.remainder_wh:
                raise VerificationError(
                    "quarter-hour {position} of the point {point} in {month} is opened, but no "
                    "cell of the claim asks for it",
                    position=min(revision.idle or revision.remainder_wh),
                    point=point,
                    month=month,
                )

    # 1

    def _origin(self, part: CellsPart) -> tuple[Division, OriginLeaf]:
        division = self.divisions.get(part.entry)
        if division is None or part.origin not in division.origins:
            raise VerificationError(
                "the leaf of origin {origin} of entry {index} is not opened",
                origin=part.origin,
                index=part.entry,
            )
        division.used.add(part.origin)
        return division, division.origins[part.origin]

    def _month(self, origin: OriginLeaf, part: CellsPart) -> Month:
        month = self.evidence.months.get(origin.month)
        if month is None:
            raise VerificationError("the month is not in the period of the claim")
        if origin.count != month.count:
            raise VerificationError(
                "its outer tree has {given} quarter-hours, the month has {expected}",
                given=origin.count,
                expected=month.count,
            )
        if part.at[-1] >= month.count:
            raise VerificationError(
                "a position is not in a tree of {size} leaves", size=month.count
            )
        return month

    # 2

    def _metered(self, part: CellsPart, origin: OriginLeaf, month: Month) -> list[Metered]:
        batches = {
            batch.entry: self.evidence.entry(batch.entry, "readings", "readings.correction")
            for batch in part.batches
        }
        if batches and max(batches) > part.entry:
            raise VerificationError("a batch comes after the division of its readings")
        readings = open_readings(bytes.fromhex(origin.point), part.batches, batches)
        starts = [month.start_s + QUARTER_S * at for at in part.at]
        quarters = metered_quarters(readings, set(starts))
        return [quarters.get(start, NOTHING_METERED) for start in starts]

    # 3

    def _books(
        self, part: CellsPart, origin: OriginLeaf, metered: Sequence[Metered]
    ) -> list[tuple[int, int]]:
        """Fresh Wh and the Wh of all lots, for each position."""
        before = self._revision_before(origin)
        given_wh: dict[int, int] = {}
        totals = []
        for at, (base, carried), meter in zip(part.at, part.books, metered, strict=True):
            expected_base, expected_carried = 0, 0
            if before is not None:
                if at not in before.given_wh:
                    raise VerificationError(
                        "quarter-hour {position} is not opened in revision {revision}",
                        position=at,
                        revision=before.number,
                    )
                before.idle.discard(at)
                expected_base = before.given_wh[at]
                expected_carried = before.remainder_wh.pop(at, 0)
            _require_book("base", at, base, expected_base)
            _require_book("carried", at, carried, expected_carried)
            fresh = max(meter.wh - base, -carried)
            if carried + fresh >= WH_END or base + fresh >= WH_END:
                raise VerificationError("quarter-hour {position} overflows", position=at)
            given_wh[at] = base + fresh
            totals.append((fresh, carried + fresh))
        if before is not None and (before.idle or before.remainder_wh):
            raise VerificationError(
                "quarter-hour {position} is opened in revision {revision}, but not in the next one",
                position=min(before.idle or before.remainder_wh),
                revision=before.number,
            )
        self.revisions[origin.point, origin.month] = Revision(
            number=origin.revision,
            remainder=origin.remainder,
            given_wh=given_wh,
            remainder_wh={},
            idle=set(),
        )
        return totals

    def _revision_before(self, origin: OriginLeaf) -> Revision | None:
        before = self.revisions.get((origin.point, origin.month))
        number = -1 if before is None else before.number
        if origin.revision != number + 1:
            raise VerificationError(
                "it follows revision {given}, but revision {expected} must be opened before it",
                given=number if before is not None else say("none"),
                expected=origin.revision - 1,
            )
        expected = NO_LOT if before is None else before.remainder
        if origin.carried != expected:
            raise VerificationError(
                "the carried lot is {given}, but the revision before left {expected}",
                given=origin.carried,
                expected=expected,
            )
        return before

    # 4

    def _lots(
        self,
        part: CellsPart,
        division: Division,
        origin: OriginLeaf,
        month: Month,
        metered: Sequence[Metered],
        totals: Sequence[tuple[int, int]],
    ) -> tuple[list[bytes], list[tuple[LotLeaf, list[OpenedCell]]], set[int]]:
        """The root of each position's sum tree, the opened cells, and which positions the claim
        asks for.
        """
        place_of = {at: place for place, at in enumerate(part.at)}
        roots: list[bytes | None] = [None] * len(part.at)
        found: list[tuple[LotLeaf, list[OpenedCell]]] = []
        asked: set[int] = set()
        for opening in part.lots:
            with locate("lot {lot} of entry {index}", lot=opening.index, index=part.entry):
                leaf = self._lot_leaf(opening, division, part.origin)
                claimed = self.claimed.get(leaf.lot.hex())
                nonces = self._nonces(opening, claimed is not None, month)
                _climb_all(opening, leaf.lot, nonces, place_of, totals, roots)
                if claimed is not None:
                    cells = [
                        OpenedCell(at, wh, metered[place_of[at]])
                        for at, wh in zip(opening.at, opening.wh, strict=True)
                    ]
                    found.append((leaf, cells))
                    asked.update(opening.at)
                elif leaf.lot == origin.remainder and leaf.supply_class == 0:
                    wh_at = dict(zip(opening.at, opening.wh, strict=True))
                    self.revisions[origin.point, origin.month].remainder_wh = wh_at
                else:
                    raise VerificationError(
                        "it is neither a lot of the claim nor the remainder of its origin"
                    )
        return _with_given(roots, part.sums), found, asked

    def _lot_leaf(self, opening: LotOpening, division: Division, origin: int) -> LotLeaf:
        leaf = division.lots.get(opening.index)
        if leaf is None:
            raise VerificationError("its leaf is not opened in the division")
        if leaf.origin != origin:
            raise VerificationError(
                "it was divided from origin {given} of the entry, not from origin {expected}",
                given=leaf.origin,
                expected=origin,
            )
        names = self.evidence.entries[division.entry].texts("origins")
        division.used.add(len(names) + opening.index)
        return leaf

    def _nonces(self, opening: LotOpening, claimed: bool, month: Month) -> list[bytes]:
        if bool(opening.key) != (claimed and self.evidence.level == "full"):
            raise VerificationError(
                "the key of a lot stands exactly for lots of the claim in a file of the level full"
            )
        if opening.at[-1] >= month.count:
            raise VerificationError(
                "a position is not in a tree of {size} leaves", size=month.count
            )
        if not opening.key:
            return opening.nonces
        stream = shake_256(_LOT_NONCES + opening.key).digest(_NONCE_SIZE * (opening.at[-1] + 1))
        return [stream[_NONCE_SIZE * at : _NONCE_SIZE * (at + 1)] for at in opening.at]

    # 5

    def _outer(
        self,
        part: CellsPart,
        origin: OriginLeaf,
        month: Month,
        metered: Sequence[Metered],
        totals: Sequence[tuple[int, int]],
        sums: Sequence[bytes],
    ) -> None:
        leaves = [
            leaf_hash(
                _OUTER.pack(month.start_s + QUARTER_S * at, meter.hash, base, carried, fresh, root)
            )
            for at, (base, carried), meter, (fresh, _), root in zip(
                part.at, part.books, metered, totals, sums, strict=True
            )
        ]
        with locate("outer tree"):
            verify_shared_path(part.at, leaves, month.count, part.outer, origin.outer_root)


def _require_book(name: str, position: int, given: int, expected: int) -> None:
    if given != expected:
        raise VerificationError(
            "quarter-hour {position}: {book} is {given} Wh, but the revision before makes it "
            "{expected} Wh",
            position=position,
            book=name,
            given=given,
            expected=expected,
        )


def _climb_all(
    opening: LotOpening,
    lot: bytes,
    nonces: Sequence[bytes],
    place_of: Mapping[int, int],
    totals: Sequence[tuple[int, int]],
    roots: list[bytes | None],
) -> None:
    """Each position's path leads to the Wh of its quarter-hour, and to one root with the other
    lots.
    """
    offset = 0
    for at, wh, nonce in zip(opening.at, opening.wh, nonces, strict=True):
        try:
            place = _place(place_of, at, wh)
            root, total_wh, offset = climb(lot_leaf(nonce, lot, wh), wh, opening.paths, offset)
            _require_total(total_wh, totals[place][1])
            _require_one_root(roots[place], root)
        except VerificationError as error:
            error.where = (say("quarter-hour {position}", position=at), *error.where)
            raise
        roots[place] = root
    if offset != len(opening.paths):
        raise VerificationError("the paths go on after the last position")


def _place(place_of: Mapping[int, int], at: int, wh: int) -> int:
    if at not in place_of:
        raise VerificationError("it is not among the positions of the part")
    if wh == 0:
        raise VerificationError("the lot is opened with 0 Wh")
    return place_of[at]


def _require_one_root(known: bytes | None, root: bytes) -> None:
    if known is not None and known != root:
        raise VerificationError("the paths of two lots lead to two roots")


def _require_total(divided_wh: int, available_wh: int) -> None:
    if divided_wh < available_wh:
        raise VerificationError(
            "a remainder is hidden: the reading gives {expected} Wh, divided were {given}",
            expected=available_wh,
            given=divided_wh,
        )
    if divided_wh > available_wh:
        raise VerificationError(
            "the lots have more than their reading gives: {given} Wh of {expected}",
            expected=available_wh,
            given=divided_wh,
        )


def _with_given(roots: Sequence[bytes | None], given: Sequence[bytes]) -> list[bytes]:
    """``sums`` of the file fills the positions where no lot is opened, exactly."""
    if roots.count(None) != len(given):
        raise VerificationError(
            "sums has {given} roots, for {expected} positions without an opened lot",
            given=len(given),
            expected=roots.count(None),
        )
    waiting = iter(given)
    return [next(waiting) if root is None else root for root in roots]
