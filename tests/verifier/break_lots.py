"""Broken evidence: what lots and claims say is wrong. See ``break_evidence``."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.verifier import forge_attacks as attacks
from tests.verifier import forge_claim_attacks as claims
from tests.verifier.forge_attacks import changed, claimed, edit, flip, sun_lot, sun_part
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import NO_POINT, u64
from tests.verifier.forge_park import MILL_POINT, SEED, SHOP_POINT, SUN

CHECKPOINT = "The checkpoint is signed"
IN_LOG = "entries of the file is in that log"
SIGNATURES = "Each signature is by a key"
BODIES = "opened bodies is what an entry"
CLAIM = "The claim and its manifest fit"
TREE = "The claim's tree has the total"
DIVISIONS = "The opened leaves of divisions"
QUARTERS = "In each opened quarter-hour the lots are worth"
BALANCE = "Each claimed cell is opened"
AUTHOR = "The author may claim this"


@dataclass(frozen=True)
class Case:
    """``step`` and ``message`` are what the answer must hold; ``exit_code`` 2 is unusable input."""

    step: str
    message: str
    make: Callable[[], Evidence | bytes]
    exit_code: int = 1

    @property
    def raw(self) -> bytes:
        made = self.make()
        return made if isinstance(made, bytes) else made.raw()


def lambda_of(change: Callable[[Evidence], object], **more: Any) -> Callable[[], Evidence]:
    return lambda: changed(change, **more)


def lots(lot: str, wh: dict[int, int]) -> Callable[[], Evidence]:
    """A good file but that ``lot`` is worth ``wh``, and the rest as it is."""
    return lambda: claimed(attacks.set_wh(lot, wh)).evidence()


LOT_CASES: dict[str, Case] = {
    # The same Wh twice
    "same-wh-in-two-lots": Case(
        QUARTERS,
        "the lots have more than their reading gives: 1100 Wh of 1000",
        lots("sun-shop", {41: 600}),
    ),
    "lot-wider-than-its-reading": Case(
        QUARTERS,
        "the lots have more than their reading gives: 1600 Wh of 1000",
        lambda: claimed(attacks.set_wh("sun-mill", {41: 1200}), by_class={2: 1350}).evidence(),
    ),
    "origin-divided-in-two-entries": Case(
        SIGNATURES, "/2026-02/0 was divided before, by entry", attacks.two_divisions
    ),
    "origin-divided-twice-in-one-entry": Case(
        SIGNATURES, "it must be sorted, none twice", attacks.two_origins_in_one
    ),
    "lot-spent-twice": Case(SIGNATURES, "was spent before, by entry", attacks.spent_twice),
    "lot-spent-before-it-exists": Case(
        SIGNATURES,
        "that it creates is already spent: by the same entry, or by one before",
        attacks.spent_before_it_exists,
    ),
    "sum-overflows": Case(
        QUARTERS, "the sum tree overflows: a node has", lambda_of(attacks.overflowing_path)
    ),
    "claim-tree-overflows": Case(
        TREE,
        "the sum tree overflows: a node has",
        lambda_of(
            lambda e: edit(
                e.part("claim"), "nodes", lambda raw: raw[:32] + u64(2**63 - 1) + raw[40:]
            )
        ),
    ),
    "inner-node-as-leaf": Case(
        QUARTERS, "the sides of the path are not those", lambda_of(attacks.inner_node_as_leaf)
    ),
    "lot-opened-with-more": Case(
        QUARTERS,
        "quarter-hour 41: the ",
        lambda_of(lambda e: edit(sun_lot(e), "wh", lambda raw: u64(501) + raw[8:])),
    ),
    "cell-of-more-than-the-lot": Case(
        BALANCE,
        "the claim has 550 Wh of it, but it has only 500",
        lambda: claimed(cells=claims.cells(sun_mill=550, mill_2=550), by_class={2: 550}).evidence(),
    ),
    "remainder-claimed": Case(BALANCE, "a remainder can't be claimed", claims.remainder_claimed),
    "point-above-another": Case(
        AUTHOR, "above it is opened too: one kWh would count twice", claims.parents
    ),
    # What the reading gives
    "remainder-hidden": Case(
        QUARTERS,
        "a remainder is hidden: the reading gives 1000 Wh, divided were 900",
        lambda: claimed(lambda m: setattr(m.sun, "with_remainder", False)).evidence(),
    ),
    "order-of-leaves-chosen": Case(
        QUARTERS,
        "the sides of the path are not those of the leaf's hash: the order of leaves was chosen",
        attacks.chosen_order,
    ),
    "sibling-of-nothing": Case(
        QUARTERS, "is cut off, or has 0 Wh", lambda_of(attacks.sibling_of_nothing)
    ),
    "estimated-reading-gives-energy": Case(
        QUARTERS, "the lots have more than their reading gives: 1000 Wh of 0", attacks.estimated
    ),
    "two-readings-of-one-time": Case(
        QUARTERS, "two readings of the point lie over each other", attacks.overlapping
    ),
    "quarter-hour-not-filled": Case(QUARTERS, "do not fill the quarter-hour", attacks.not_filled),
    "half-hour-spread-wrongly": Case(
        QUARTERS,
        "the lots have more than their reading gives: 1500 Wh of 1050",
        attacks.wrong_length,
    ),
    "reading-below-zero": Case(QUARTERS, "the reading is below 0: -5", attacks.negative),
    "reading-changed": Case(
        QUARTERS,
        "batch of entry 17: the leaves and their shared path lead to the root",
        lambda_of(lambda e: edit(sun_part(e)["batches"][0], "leaves", lambda raw: flip(raw, 35))),
    ),
    "batch-after-its-division": Case(
        QUARTERS, "a batch comes after the division of its readings", attacks.late_batch
    ),
    "start-moved": Case(
        QUARTERS,
        "outer tree: the leaves and their shared path lead to the root",
        lambda: claimed(lambda m: m.sun.tamper.update({41: {"start": 5}})).evidence(),
    ),
    "fresh-overstated": Case(
        QUARTERS,
        "the lots have more than their reading gives: 1500 Wh of 1000",
        lambda: claimed(lambda m: m.sun.tamper.update({41: {"fresh": 1500}})).evidence(),
    ),
    # Revisions
    "base-understated": Case(
        QUARTERS,
        "quarter-hour 41: base is 0 Wh, but the revision before makes it 1000 Wh",
        lambda: attacks.revised(lambda m, sun: sun.tamper.update({41: {"base": 0}})).evidence(),
    ),
    "carried-overstated": Case(
        QUARTERS,
        "carried is 500 Wh, but the revision before makes it 100 Wh",
        lambda: attacks.revised(attacks.wrong_carried).evidence(),
    ),
    "carried-lot-is-not-the-remainder": Case(
        QUARTERS,
        "but the revision before left",
        lambda: attacks.revised(attacks.carried_other_lot).evidence(),
    ),
    "revision-0-is-missing": Case(
        QUARTERS,
        "it follows revision none, but revision 0 must be opened before it",
        lambda: changed(lambda e: e.parts.remove(e.part("cells", 0)), attacks.revised()),
    ),
    "revisions-in-wrong-order": Case(
        QUARTERS,
        "it follows revision none, but revision 0",
        lambda: changed(lambda e: e.parts.insert(3, e.parts.pop(5)), attacks.revised()),
    ),
    # Whose, and what for
    "cover-is-missing": Case(
        BALANCE,
        "quarter-hour 41, class 2: supply and cover differ by 500 Wh",
        claims.supply_only,
    ),
    "cover-too-small": Case(
        BALANCE,
        "quarter-hour 41, class 2: supply and cover differ by 100 Wh",
        lambda: claimed(cells=claims.cells(sun_mill=500, mill_2=400), by_class={2: 450}).evidence(),
    ),
    "cover-of-another-class": Case(BALANCE, "supply and cover differ by", claims.other_class),
    "storage-that-is-sun": Case(
        BALANCE,
        "its class is 3, but its origin is a point of kind generation",
        claims.storage_class,
    ),
    "wrong-holder": Case(
        BALANCE,
        f"its holder {SHOP_POINT} is not a point of the claim",
        lambda: claimed(
            lambda m: setattr(m.park.lots["sun-mill"], "holder", SHOP_POINT)
        ).evidence(),
    ),
    "cover-of-anothers-consumption": Case(
        BALANCE,
        f"it covers the point {MILL_POINT} with what the point {SHOP_POINT} consumed",
        claims.anothers_cover,
    ),
    "lot-without-holder": Case(
        DIVISIONS,
        "only a remainder has neither class nor holder",
        lambda: claimed(lambda m: setattr(m.park.lots["sun-mill"], "holder", NO_POINT)).evidence(),
    ),
    "grid-power-as-supply": Case(
        BALANCE,
        "its origin is a point of kind grid-import",
        lambda: claims.of_point(SUN, kind="grid-import"),
    ),
    "joules-as-wh": Case(
        BALANCE, "its point measures J, additive", lambda: claims.of_point(SUN, unit="J")
    ),
    "author-is-not-the-owner": Case(
        AUTHOR, "it is owned by mill, but the claim is by shop", claims.not_the_owner
    ),
    "consumer-is-another": Case(
        CLAIM,
        "its manifest names the consumer shop",
        lambda: claimed(manifest={"consumer": "shop"}).evidence(),
    ),
    "readings-by-a-stranger": Case(
        AUTHOR,
        "shop may not send readings of the point",
        claims.by_a_stranger,
    ),
    # The claim's tree
    "manifest-claims-more": Case(
        TREE,
        "the claim's tree has 1000 Wh, its manifest claims 1200 Wh",
        lambda: claimed(
            by_class={2: 1200}, manifest={"claimed_wh": 1200, "residual_wh": 48_800}
        ).evidence(),
    ),
    "classes-told-wrongly": Case(
        BALANCE,
        "by_class of the manifest is not what the cells sum to",
        lambda: claimed(by_class={2: 300, 4: 700}).evidence(),
    ),
    "position-twice": Case(
        "",
        "at is not in order, each once",
        lambda_of(lambda e: edit(e.part("claim"), "at", lambda raw: raw[:4] * 2)),
        2,
    ),
    "wrong-secret": Case(
        TREE,
        "do not lead to the root",
        lambda_of(lambda e: e.part("claim").update(secret="00" * 32)),
    ),
    "wrong-nonce": Case(
        TREE,
        "do not lead to the root",
        lambda: changed(
            lambda e: edit(e.part("claim"), "nonces", lambda raw: flip(raw, 0)),
            None,
            level="sampled",
            seed=SEED,
            samples=3,
        ),
    ),
    "wrong-key-of-a-lot": Case(
        QUARTERS, "lot", lambda_of(lambda e: sun_lot(e).update(key="00" * 32))
    ),
    "not-all-is-opened": Case(
        TREE,
        "the level is full, but only 500 of 1000 Wh are opened",
        lambda: claimed().evidence(positions=[41]),
    ),
    "another-sample": Case(
        TREE, "sample 0 of the seed hits a quarter-hour that is not opened", claims.other_sample
    ),
    "more-than-the-samples": Case(
        TREE, "no sample of the seed hits it", lambda: claims.sample(positions=[41, 42])
    ),
    "another-seed": Case(
        TREE,
        "of the seed hits a quarter-hour that is not opened",
        lambda: changed(
            lambda e: e.head.update(seed=claims.missing_seed()),
            None,
            level="sampled",
            seed=SEED,
            samples=1,
        ),
    ),
    "cells-out-of-order": Case(
        TREE,
        "stands twice, out of order",
        lambda_of(
            lambda e: edit(
                e.part("claim"), "cells", lambda raw: raw[:2] + raw[12:22] + raw[2:12] + raw[22:]
            )
        ),
    ),
}
