"""From a retirement back to the import (formats.md §9, Chains): each range of units is one that an
earlier entry began, with the same owner, until the batch that the operator imported.
"""

from bisect import bisect_left
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.unitforms import (
    ACTIVE,
    ACTS,
    FROZEN,
    HANDS_OVER,
    RELEASE,
    SAME_UNITS,
    parse_batch,
    require_apart,
)
from greenledger_verify.unitleaves import ActLeaf, BatchLeaf, Held
from greenledger_verify.units import OpenedUnits


@dataclass(frozen=True, slots=True, kw_only=True)
class Retired:
    """A retirement, followed back: what is gone of which batches, and the terms of its act."""

    retirement: str
    index: int
    scheme: str
    classes: tuple[str, ...]
    batches: tuple[BatchLeaf, ...]
    terms: Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class HandedOver:
    """A range that changed hands in entry ``index``, by ``act``; ``held`` is what was begun."""

    index: int
    act: str
    held: Held


@dataclass(slots=True, kw_only=True)
class Chains:
    """Follows retirements back. ``moves`` and ``batches`` are what it came through, with the entry
    that issued each batch; ``handed`` what changed hands on the way.
    """

    evidence: Evidence
    parts: Mapping[int, OpenedUnits]
    retired: dict[str, Retired] = field(default_factory=dict)
    moves: dict[int, ActLeaf] = field(default_factory=dict)
    batches: dict[str, tuple[int, BatchLeaf]] = field(default_factory=dict)
    handed: list[HandedOver] = field(default_factory=list)
    _begun_in: dict[str, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for index, entry in self.evidence.entries.items():
            if entry.type in ("unit.issue", "unit.move"):
                self._begun_in.update(dict.fromkeys(entry.texts("begins"), index))

    def follow_all(self) -> None:
        """1. Each retirement of the claim was made before, and goes back to imports.
        2. No number of a code is in two of its revisions.
        3. Nothing was opened that nothing asks for.
        """
        # 1
        for retirement, claim in self.evidence.retirements.items():
            with locate("retirement {retirement}", retirement=retirement):
                self.retired[retirement] = self._follow(retirement, claim)
        # 2
        for name, (_, batch) in sorted(self.batches.items()):
            with locate("batch {batch}", batch=name):
                self._check_revisions(batch)
        # 3
        for index, opened in self.parts.items():
            for place in sorted(opened.opened - opened.used):
                raise VerificationError(
                    "leaf {index} of the units of entry {entry} is opened, but nothing asks for it",
                    index=place,
                    entry=index,
                )

    def _follow(self, retirement: str, claim: int) -> Retired:
        made = self.evidence.state.units.retirements.get(retirement)
        if made is None:
            raise VerificationError("the entry that made it is not in the file")
        if made.index > claim:
            raise VerificationError(
                "it was made after the claim, by entry {index}", index=made.index
            )
        waiting = [made.index]
        while waiting:
            index = waiting.pop()
            if index not in self.moves and not self._opened(index).is_issue:
                with locate("entry {index}", index=index):
                    waiting += self._check_move(self._opened(index))
        act = self.moves[made.index]
        names = sorted({batch for batch, *_ in act.gone})
        schemes = sorted({name.partition("/")[0] for name in names})
        if len(schemes) != 1:
            raise VerificationError(
                "it retires units of several schemes: {schemes}", schemes=schemes
            )
        return Retired(
            retirement=retirement,
            index=made.index,
            scheme=schemes[0],
            classes=tuple(sorted({unit_class for _, unit_class, *_ in act.gone})),
            batches=tuple(self.batches[name][1] for name in names),
            terms=act.terms,
        )

    def _opened(self, index: int) -> OpenedUnits:
        opened = self.parts.get(index)
        if opened is None:
            raise VerificationError("no leaf of the units of entry {index} is opened", index=index)
        return opened

    def _check_move(self, opened: OpenedUnits) -> list[int]:
        """What it ends was begun so, and was the author's; what it begins follows from that.
        Returns the entries that began what it ends.
        """
        act = self.moves[opened.index] = opened.the_act()
        owners: dict[str, str] = {}
        sources = set()
        for holding, held in act.ended.items():
            with locate("holding {holding}", holding=holding):
                if holding not in self._begun_in:
                    raise VerificationError("the entry that began it is not in the file")
                source = self._opened(self._begun_in[holding])
                _require_as_begun(held, source)
                owners[holding] = source.owner(holding)
                self._require_owner(opened, held, owners[holding])
                if source.is_issue:
                    self.batches[held.batch] = source.index, source.batch(held.batch)
                sources.add(source.index)
        kind = opened.entry.text("act")
        if kind in SAME_UNITS:
            _require_same_units(act)
        ended = sorted(act.ended.values(), key=lambda one: one.range)
        for held in act.begun.values():
            with locate("holding {holding}", holding=held.holding):
                parts = _parts_of(held, ended)
                if _changes_hands(kind, held, parts, owners, opened.owners.get(held.holding)):
                    self.handed.append(HandedOver(index=opened.index, act=kind, held=held))
                elif ACTS[kind].takes or kind in HANDS_OVER:
                    self._require_active(kind, parts)
        return sorted(sources)

    def _require_active(self, kind: str, parts: list[Held]) -> None:
        """What is left to the owner would be active: only of active holdings something is left."""
        for one in parts:
            state = self._state_of(one.holding)
            if state != ACTIVE:
                raise VerificationError(
                    "{act} leaves it to its owner, but the holding {ended} that it was of is "
                    "{state}: such are used whole, or split first",
                    act=kind,
                    ended=one.holding,
                    state=state,
                )

    def _state_of(self, holding: str) -> str:
        return self.evidence.state.units.holdings[holding].state

    def _require_owner(self, opened: OpenedUnits, held: Held, owner: str) -> None:
        """Who, for acts of the operator, need not be the owner: so to release what is frozen."""
        kind, author = opened.entry.text("act"), opened.entry.author
        operator = author == self.evidence.state.operator
        frozen = self._state_of(held.holding) == FROZEN and kind == RELEASE
        if ACTS[kind].operator or frozen or owner == author or (operator and ACTS[kind].either):
            return
        raise VerificationError(
            "it is owned by {owner}, but {act} is by {author}", owner=owner, act=kind, author=author
        )

    def _check_revisions(self, batch: BatchLeaf) -> None:
        scheme, _, rest = batch.name.partition("/")
        code, revision = parse_batch(rest)
        for number in range(revision):
            name = f"{scheme}/{code}/{number}"
            issue = self.evidence.state.units.issued.get(name)
            if issue is None:
                raise VerificationError("its revision {number} is not in the file", number=number)
            earlier = self._opened(issue).batch(name)
            require_apart([(code, "", one.first, one.end) for one in (batch, earlier)])


def _require_as_begun(held: Held, source: OpenedUnits) -> None:
    begun = source.begun(held.holding, held.batch)
    if begun != held:
        raise VerificationError(
            "it ends as {given}, but entry {index} began it as {expected}",
            given=_written(held),
            index=source.index,
            expected=_written(begun),
        )


def _require_same_units(act: ActLeaf) -> None:
    ended, begun = (
        sorted((one.range, one.moves) for one in side.values()) for side in (act.ended, act.begun)
    )
    if ended != begun:
        raise VerificationError("each holding that it ends must begin anew, else unchanged")


def _changes_hands(
    kind: str, begun: Held, parts: list[Held], owners: Mapping[str, str], owner: str | None
) -> bool:
    """Whether the units changed hands, as ``moves`` says; it must say what the owners show. The new
    owner is None where its leaf is not opened. ``parts`` are the ended holdings that it was of.
    """
    changes = set()
    for ended in parts:
        before = owners[ended.holding]
        grown = begun.moves - ended.moves
        if kind not in HANDS_OVER and owner not in (None, before):
            raise VerificationError(
                "{act} leaves its owner {before}, but it is of {owner} then",
                act=kind,
                before=before,
                owner=owner,
            )
        expected = kind in HANDS_OVER and owner != before
        if grown != expected and not (owner is None and kind in HANDS_OVER and grown == 0):
            raise VerificationError(
                "it changed hands {given} times, but was {before} before {act}",
                given=begun.moves,
                before=ended.moves,
                act=kind,
            )
        changes.add(bool(grown))
    return True in changes


def _parts_of(begun: Held, ended: list[Held]) -> list[Held]:
    """The ended holdings, in order of ranges, that the units of ``begun`` were part of."""
    batch, unit_class, first, end = begun.range
    after_first = (batch, unit_class, first + 1)
    begin = bisect_left(ended, after_first, key=lambda one: one.range[:3]) - 1
    after_last = bisect_left(ended, (batch, unit_class, end), key=lambda one: one.range[:3])
    return ended[begin:after_last]


def _written(held: Held) -> str:
    return f"{held.batch} {held.unit_class} {held.first}-{held.end}, moves {held.moves}"
