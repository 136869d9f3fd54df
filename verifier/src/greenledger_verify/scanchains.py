"""What only the whole log shows of a claim's certificates and credits: that the file left no tick
out before what had to be done while units were valid, and no registration of a scheme.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field

from greenledger_verify.entry import parse_entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.retirements import Retirements
from greenledger_verify.scanbooks import Books


@dataclass(slots=True, kw_only=True)
class Gaps:
    """Entries between a tick of the file and the entry that it is the last one before, as ranges
    in order: no tick may stand there. ``later`` is the first that does.
    """

    ranges: list[tuple[int, int]]
    later: int = -1
    _at: int = field(default=0)

    @classmethod
    def between(cls, ticks: Iterable[tuple[int, int]]) -> "Gaps":
        """From (tick, entry); what overlaps is made one. Two entries never share a gap but that
        the earlier tick is then followed by the later one, or is the same.
        """
        ranges: list[tuple[int, int]] = []
        for tick, index in sorted(ticks):
            if ranges and tick + 1 < ranges[-1][1]:
                ranges[-1] = ranges[-1][0], max(ranges[-1][1], index)
            else:
                ranges.append((tick + 1, index))
        return cls(ranges=ranges)

    def look_at(self, raw: bytes, index: int) -> None:
        """Called for each entry of the log, in order."""
        while self._at < len(self.ranges) and self.ranges[self._at][1] <= index:
            self._at += 1
        if self._at == len(self.ranges) or index < self.ranges[self._at][0] or self.later >= 0:
            return
        if (b"tick" in raw or b"\\" in raw) and _is_tick(raw):
            self.later = index


def _is_tick(raw: bytes) -> bool:
    try:
        return parse_entry(raw).type == "tick"
    except VerificationError:
        return False


def require_chains(retirements: Retirements, books: Books, gaps: Gaps) -> None:
    """1. The ticks of the file are the last ones before what had to be done in time.
    2. The registrations of schemes are those that were in force.
    """
    # 1
    if gaps.later >= 0:
        raise VerificationError(
            "the file leaves out a tick, entry {index}, before units moved or were retired: they "
            "may have expired by then",
            index=gaps.later,
        )
    # 2
    for scheme, index, registration in sorted(retirements.schemes):
        in_force = books.units.in_force(("scheme", scheme), index)
        if in_force != registration:
            raise VerificationError(
                "the scheme {scheme} was registered anew by entry {later}, before entry {index}: "
                "the file opens entry {given}",
                scheme=scheme,
                later="?" if in_force is None else in_force,
                index=index,
                given=registration,
            )
