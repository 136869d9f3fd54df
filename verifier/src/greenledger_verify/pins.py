"""What a user has seen of a log before must be the beginning of what it is shown now.

A log that goes back (a replayed or restored old state) or aside (a fork) shows itself in nothing
else: its signatures are good.
"""

from collections.abc import Iterable, Mapping
from dataclasses import replace

from greenledger_verify.checkpoint import Checkpoint, verify_checkpoint
from greenledger_verify.failure import UnusableInput, VerificationError, unusable
from greenledger_verify.merkle import CompactRange
from greenledger_verify.report import Report
from greenledger_verify.trust import Pin, Trust


def with_pins(trust: Trust, notes: Iterable[tuple[str, bytes]]) -> Trust:
    """The trust roots, and checkpoints that were seen before: file name and signed note of each."""
    pins = list(trust.pins)
    for name, raw in notes:
        with unusable("{file}", file=name):
            checkpoint = verify_checkpoint(raw, trust).checkpoint
            if checkpoint.size:
                pins.append(
                    Pin(origin=checkpoint.origin, size=checkpoint.size, root=checkpoint.root)
                )
    roots: dict[tuple[str, int], bytes] = {}
    for pin in pins:
        if roots.setdefault((pin.origin, pin.size), pin.root) != pin.root:
            raise UnusableInput(
                "you pinned two roots of the log {origin} at {size} entries: one of them is of a "
                "fork",
                origin=pin.origin,
                size=pin.size,
            )
    return replace(trust, pins=tuple(pins))


def require_pins(checkpoint: Checkpoint, trust: Trust, report: Report) -> None:
    """A step of the report where there is a pin of that log: the checkpoint is not older than any,
    and of none of its size another.
    """
    pins = trust.pins_of(checkpoint.origin)
    if not pins:
        return
    with report.step("The checkpoint is not older than, nor other than, what you saw before"):
        for pin in pins:
            if checkpoint.size < pin.size:
                raise VerificationError(
                    "it has {size} entries, but you saw {seen} of them before: it is replayed, or "
                    "the log went back",
                    size=checkpoint.size,
                    seen=pin.size,
                )
            if checkpoint.size == pin.size:
                require_root(pin, checkpoint.root)


def require_root(pin: Pin, root: bytes) -> None:
    if root != pin.root:
        raise VerificationError(
            "at {size} entries the root is {given}, but you saw {root}: the log was forked",
            size=pin.size,
            given=root,
            root=pin.root,
        )


def explain_pins(
    checkpoint: Checkpoint, known: Mapping[int, bytes], trust: Trust, report: Report
) -> None:
    """Say of each pin whether it was seen to be the beginning. ``known`` are roots by size that
    were shown to be of this log.
    """
    for pin in trust.pins_of(checkpoint.origin):
        if pin.size == checkpoint.size or pin.size in known:
            report.establish(
                "The {size} entries that you saw before are its beginning.", size=pin.size
            )
        else:
            report.leave_open(
                "That the {size} entries that you saw before are its beginning: that needs the "
                "public log (greenledger-verify log), or a proof of consistency.",
                size=pin.size,
            )


class EarlierRoots:
    """Roots of a growing tree at given sizes, found in one pass over its leaf hashes."""

    def __init__(self, sizes: Iterable[int]) -> None:
        self._wanted = sorted(set(sizes))
        self.roots: dict[int, bytes] = {}

    def take(self, edge: CompactRange, leaf_hashes: list[bytes]) -> None:
        """``edge`` holds all leaves before these."""
        longer, at = edge.copy(), 0
        while self._wanted and self._wanted[0] <= edge.size + len(leaf_hashes):
            size = self._wanted.pop(0)
            while edge.size + at < size:
                longer.append(leaf_hashes[at])
                at += 1
            self.roots[size] = longer.root()
