"""More attacks on evidence files, for ``break_evidence``: on claims, points and whole files."""

from collections.abc import Callable
from typing import Any

from tests.verifier.forge import Log, sha256
from tests.verifier.forge_attacks import Small, claimed, small
from tests.verifier.forge_evidence import Evidence, claim_part, division_part, sampled
from tests.verifier.forge_park import (
    MILL,
    MILL_POINT,
    SEED,
    SHOP,
    SUN,
    WIND,
)

# Claims


def supply_only() -> Evidence:
    return claimed(cells={41: {sha256(b"sun-mill")[:16]: 500}}, by_class={2: 250}).evidence()


def cells(**lots: int) -> dict[int, dict[bytes, int]]:
    return {41: {sha256(name.replace("_", "-").encode())[:16]: wh for name, wh in lots.items()}}


def other_class() -> Evidence:
    def change(made: Small) -> None:
        made.park.lots["mill-2"].supply_class = 4

    return claimed(change, by_class={2: 1000}).evidence()


def storage_class() -> Evidence:
    def change(made: Small) -> None:
        made.park.lots["mill-2"].supply_class = made.park.lots["sun-mill"].supply_class = 3

    return claimed(change, by_class={3: 1000}).evidence()


def anothers_cover() -> Evidence:
    def change(made: Small) -> None:
        made.park.lots["shop-2"].holder = MILL_POINT
        made.park.lots["shop-2"].wh = {41: 500}

    made = Small().read()
    change(made)
    made.divide()
    made.claim("sun-mill", "shop-2", cells=cells(sun_mill=500, shop_2=500), by_class={2: 500})
    return made.evidence()


def remainder_claimed() -> Evidence:
    made = small()
    made.divide()
    assert made.sun.remainder is not None
    made.park.lots["rest"] = made.sun.remainder
    both = {41: {made.sun.remainder.id: 100, sha256(b"mill-2")[:16]: 100}}
    made.claim("rest", "mill-2", cells=both, by_class={2: 100})
    return made.evidence()


def of_point(point: str, **changes: Any) -> Evidence:
    made = Small({point: changes}).read()
    made.divide()
    return made.claim().evidence()


def by_a_stranger() -> Evidence:
    made = Small()
    made.sender = SHOP
    made.read().divide()
    return made.claim().evidence()


def parents() -> Evidence:
    made = Small({SUN: {"parent": WIND}})
    made.sun_readings += [(WIND, 41, 900, 1500, 0)]
    made.read()
    wind = made.park.origin(WIND, made.farm_batch)
    made.lot("wind-mill", wind, {41: 100})
    made.park.lots["mill-2"].wh[41] = 600
    made.divide([made.sun, wind, made.mill, made.shop])
    return made.claim("sun-mill", "wind-mill", "mill-2", by_class={2: 1100}).evidence()


def not_the_owner() -> Evidence:
    made = small()
    made.divide()
    made.claim(signer=SHOP, points=[MILL_POINT])
    return made.evidence()


def other_manifest() -> Evidence:
    made = claimed()
    evidence = made.evidence()
    made.park.claim("shop", SHOP, ["sun-shop", "shop-2"])
    other = made.evidence(claim="shop")
    evidence.head["bodies"][0] = other.head["bodies"][0]
    return evidence


def replaced_is_missing() -> Evidence:
    made = claimed()
    first = made.park.claims["mill"]
    made.park.claim(
        "again",
        MILL,
        ["sun-shop"],
        inherited=first.lots,
        replaces=first.name,
        cells=first.cells,
        by_class={2: 1000},
    )
    return made.evidence(claim="again")


def another_month() -> Evidence:
    """A claim for March, of lots of February."""
    made = small()
    made.divide()
    made.claim(months=["2026-03"])
    claim = made.park.claims["mill"]
    claim.months = ["2026-02"]
    evidence = made.evidence()
    claim.months = ["2026-03"]
    evidence.parts[0] = claim_part(claim, [41, 42], "full")
    return evidence


def sample(**more: Any) -> Evidence:
    return claimed().evidence("sampled", seed=SEED, samples=1, **more)


def hit(made: Small) -> list[int]:
    return sampled(made.park.log, made.park.claims["mill"], SEED, 1)


def other_sample() -> Evidence:
    made = claimed()
    other = [p for p in (41, 42) if p not in hit(made)]
    return made.evidence("sampled", seed=SEED, samples=1, positions=other)


def text_of(evidence: Evidence, change: Callable[[list[bytes]], object]) -> bytes:
    lines = evidence.raw().splitlines(keepends=True)
    change(lines)
    return b"".join(lines)


def missing_seed() -> str:
    """A seed whose one sample hits the quarter-hour that SEED's does not."""
    made = claimed()
    claim = made.park.claims["mill"]
    for number in range(100):
        seed = sha256(b"seed %d" % number)
        if sampled(made.park.log, claim, seed, 1) != hit(made):
            return seed.hex()
    raise AssertionError


def claimed_in(log: Log) -> Evidence:
    made = Small(log=log).read()
    made.divide()
    return made.claim().evidence()


def other_checkpoint() -> Evidence:
    """The checkpoint is of the same log's key and size, but of a park that measured more."""
    evidence = claimed().evidence()
    other = Small()
    other.sun_readings[0] = (SUN, 41, 900, 2000, 0)
    other.read()
    other.divide()
    evidence.head["checkpoint"] = other.claim().evidence().head["checkpoint"]
    return evidence


def without_part() -> Evidence:
    """The mill's own cells are left out, and their leaves with them."""
    made = claimed()
    evidence = made.evidence()
    division = made.park.divisions[0]
    evidence.parts.pop()
    kept = {
        int(one["index"])
        for one in evidence.part("division")["leaves"]
        if (bytes.fromhex(one["bytes"])[:1] == b"O" and division.origins[one["index"]] is made.sun)
        or bytes.fromhex(one["bytes"])[17:21] == bytes([0, 0, 0, division.origins.index(made.sun)])
    }
    evidence.parts[1] = division_part(division, kept)
    return evidence


def too_many_leaves() -> Evidence:
    made = claimed()
    evidence = made.evidence()
    division = made.park.divisions[0]
    every = set(range(len(division.origins) + len(division.lots)))
    evidence.parts[1] = division_part(division, every)
    return evidence


def too_many_quarters() -> Evidence:
    """The claim is of 41 only; 42 is opened as well."""
    made = claimed(cells=cells(sun_mill=500, mill_2=500), by_class={2: 500})
    evidence = made.evidence()
    more = claimed().evidence()
    evidence.parts[1:] = more.parts[1:]
    return evidence


def drop_comma(lines: list[bytes]) -> None:
    lines[1] = lines[1].removesuffix(b",\n") + b"\n"


def other_base64(evidence: Evidence) -> None:
    """The last digit before the padding has a bit that decoding drops."""
    part = evidence.part("claim")
    text = str(part["at"])
    assert text.endswith("=")
    digits = text.rstrip("=")
    part["at"] = digits[:-1] + chr(ord(digits[-1]) + 1) + text[len(digits) :]
