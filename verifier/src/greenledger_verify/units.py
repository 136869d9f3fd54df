"""Opened leaves of entries on units (formats.md §3.6, §9): that they are what the entry commits to.

An issue opens batches and owners of what it begins, a move its act and owners; each leaf is of the
kind that its place says, and says what the entry's members do.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from greenledger_verify.entry import Entry
from greenledger_verify.evidence_file import UnitsPart
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.sharedpath import verify_shared_path
from greenledger_verify.unitleaves import (
    ActLeaf,
    BatchLeaf,
    Held,
    act_leaf,
    batch_leaf,
    owner_leaf,
)


@dataclass(slots=True, kw_only=True)
class OpenedUnits:
    """The opened leaves of one entry, and which of them something has asked for.

    ``batches`` are by full name, ``owners`` by holding; ``act`` is None where it is not opened, and
    of an issue. ``places`` says where a batch, a holding's owner or the act (``""``) stands.
    """

    index: int
    entry: Entry
    batches: dict[str, BatchLeaf] = field(default_factory=dict)
    owners: dict[str, str] = field(default_factory=dict)
    act: ActLeaf | None = None
    places: dict[tuple[str, str], int] = field(default_factory=dict)
    opened: set[int] = field(default_factory=set)
    used: set[int] = field(default_factory=set)

    @property
    def is_issue(self) -> bool:
        return self.entry.type == "unit.issue"

    def batch(self, name: str) -> BatchLeaf:
        if name not in self.batches:
            raise VerificationError(
                "the leaf of the batch {batch} is not opened in entry {index}",
                batch=name,
                index=self.index,
            )
        self.used.add(self.places["batch", name])
        return self.batches[name]

    def the_act(self) -> ActLeaf:
        if self.act is None:
            raise VerificationError("the act of entry {index} is not opened", index=self.index)
        self.used.add(self.places["act", ""])
        return self.act

    def owner(self, holding: str) -> str:
        if holding not in self.owners:
            raise VerificationError(
                "the owner of the holding {holding} is not opened in entry {index}",
                holding=holding,
                index=self.index,
            )
        self.used.add(self.places["owner", holding])
        return self.owners[holding]

    def begun(self, holding: str, batch: str) -> Held:
        """What it began under this id, which the one that ends it says to be of ``batch``."""
        if not self.is_issue:
            return self.the_act().begun[holding]
        for held in self.batch(batch).holdings:
            if held.holding == holding:
                return held
        raise VerificationError(
            "the holding {holding} is not of the batch {batch}, as entry {index} issued it",
            holding=holding,
            batch=batch,
            index=self.index,
        )


def verify_units(part: UnitsPart, evidence: Evidence) -> OpenedUnits:
    """The leaves of a part are what its entry commits to.

    1. The entry is a ``unit.issue`` or a ``unit.move``.
    2. The leaves are in the tree of the entry.
    3. Each is of the kind that its place says, and says what the entry's members do.
    """
    with locate("units of entry {index}", index=part.entry):
        # 1
        entry = evidence.entry(part.entry, "unit.issue", "unit.move")
        # 2
        body = entry.reference("body")
        size, root = body["size"], body["root"]
        assert isinstance(size, int)
        assert isinstance(root, str)
        if not part.leaves:
            raise VerificationError("none of its leaves is opened")
        verify_shared_path(
            list(part.leaves),
            [leaf_hash(raw) for raw in part.leaves.values()],
            size,
            part.nodes,
            bytes.fromhex(root),
        )
        # 3
        opened = OpenedUnits(index=part.entry, entry=entry, opened=set(part.leaves))
        for place, raw in part.leaves.items():
            with locate("leaf {index}", index=place):
                _take(opened, place, raw)
        if opened.is_issue:
            _require_apart(list(opened.batches.values()))
    return opened


def _take(opened: OpenedUnits, place: int, raw: bytes) -> None:
    """The last leaf of an issue, what the registry wrote, is nobody's business here."""
    entry = opened.entry
    before = len(entry.texts("batches")) if opened.is_issue else 1
    begins = entry.texts("begins")
    if place < before and opened.is_issue:
        batch = batch_leaf(raw)
        _require_of_entry(batch, entry, entry.texts("batches")[place])
        opened.batches[batch.name] = batch
        opened.places["batch", batch.name] = place
    elif place < before:
        opened.act = act_leaf(raw, entry.text("act"))
        opened.places["act", ""] = place
        _require_same("ends", entry.texts("ends"), opened.act.ended)
        _require_same("begins", begins, opened.act.begun)
    elif place < before + len(begins):
        holding, owner = owner_leaf(raw)
        if holding != begins[place - before]:
            raise VerificationError(
                "it is the owner of {given}, not of {expected}",
                given=holding,
                expected=begins[place - before],
            )
        opened.owners[holding] = owner
        opened.places["owner", holding] = place


def _require_same(member: str, header: list[str], leaf: Mapping[str, Held]) -> None:
    if header != list(leaf):
        raise VerificationError(
            "{member} of the entry are {given}, of its act {expected}",
            member=member,
            given=header,
            expected=list(leaf),
        )


def _require_of_entry(batch: BatchLeaf, entry: Entry, name: str) -> None:
    expected = f"{entry.text('scheme')}/{name}"
    if batch.name != expected:
        raise VerificationError(
            "it is the batch {given}, not {expected}", given=batch.name, expected=expected
        )
    begins = set(entry.texts("begins"))
    for held in batch.holdings:
        if held.holding not in begins:
            raise VerificationError(
                "its holding {holding} is not among those that the entry begins",
                holding=held.holding,
            )
    strange = sorted(set(batch.lots) - set(entry.texts("spends")) - set(entry.texts("wraps")))
    if strange:
        raise VerificationError(
            "the lot {lot} behind it is neither spent nor wrapped by the entry", lot=strange[0]
        )


def _require_apart(batches: Sequence[BatchLeaf]) -> None:
    """No holding and no lot is of two batches."""
    holdings, lots = set[str](), set[str]()
    for batch in batches:
        for held in batch.holdings:
            if held.holding in holdings:
                raise VerificationError(
                    "the holding {holding} stands twice in the issue", holding=held.holding
                )
            holdings.add(held.holding)
        both = sorted(lots & set(batch.lots))
        if both:
            raise VerificationError(
                "the lot {lot} stands behind two batches: one energy, counted twice", lot=both[0]
            )
        lots |= set(batch.lots)
