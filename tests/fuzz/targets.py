"""All that is fuzzed, by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from tests.fuzz import bodies, factors, files, meters, packs, shown, signed, watching
from tests.fuzz.engine import Target

TARGETS: Final[dict[str, Target]] = {
    target.name: target
    for module in (signed, watching, bodies, shown, files, meters, factors, packs)
    for target in module.TARGETS
}


def shares(inputs: int, names: Sequence[str] = tuple(TARGETS)) -> dict[str, int]:
    """How many of so many inputs each of these targets gets; what rounding leaves goes to the
    first."""
    whole = sum(TARGETS[name].share for name in names)
    found = {name: inputs * TARGETS[name].share // whole for name in names}
    found[names[0]] += inputs - sum(found.values())
    return found
