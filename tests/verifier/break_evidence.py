"""Makes the hand-broken evidence files of ``broken_evidence/`` and the table of what must be said.

    python -m tests.verifier.break_evidence

Each case is one wrong thing. A test checks that the committed files are what this script makes, and
that the verifier answers each as the table says.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.verifier import forge
from tests.verifier import forge_attacks as attacks
from tests.verifier.forge import sha256
from tests.verifier.forge_attacks import changed, claimed, edit, flip, sun_lot, sun_part, text_of
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import NO_POINT, u64
from tests.verifier.forge_park import MILL_POINT, SEED, SHOP_POINT, SUN

FOLDER = Path(__file__).parent / "broken_evidence"
TABLE = FOLDER / "table.json"

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


CASES: dict[str, Case] = {
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
        lambda: claimed(
            cells=attacks.cells(sun_mill=550, mill_2=550), by_class={2: 550}
        ).evidence(),
    ),
    "remainder-claimed": Case(BALANCE, "a remainder can't be claimed", attacks.remainder_claimed),
    "point-above-another": Case(
        AUTHOR, "above it is opened too: one kWh would count twice", attacks.parents
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
        attacks.supply_only,
    ),
    "cover-too-small": Case(
        BALANCE,
        "quarter-hour 41, class 2: supply and cover differ by 100 Wh",
        lambda: claimed(
            cells=attacks.cells(sun_mill=500, mill_2=400), by_class={2: 450}
        ).evidence(),
    ),
    "cover-of-another-class": Case(BALANCE, "supply and cover differ by", attacks.other_class),
    "storage-that-is-sun": Case(
        BALANCE,
        "its class is 3, but its origin is a point of kind generation",
        attacks.storage_class,
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
        attacks.anothers_cover,
    ),
    "lot-without-holder": Case(
        DIVISIONS,
        "only a remainder has neither class nor holder",
        lambda: claimed(lambda m: setattr(m.park.lots["sun-mill"], "holder", NO_POINT)).evidence(),
    ),
    "grid-power-as-supply": Case(
        BALANCE,
        "its origin is a point of kind grid-import",
        lambda: attacks.of_point(SUN, kind="grid-import"),
    ),
    "joules-as-wh": Case(
        BALANCE, "its point measures J, additive", lambda: attacks.of_point(SUN, unit="J")
    ),
    "author-is-not-the-owner": Case(
        AUTHOR, "it is owned by mill, but the claim is by shop", attacks.not_the_owner
    ),
    "consumer-is-another": Case(
        CLAIM,
        "its manifest names the consumer shop",
        lambda: claimed(manifest={"consumer": "shop"}).evidence(),
    ),
    "readings-by-a-stranger": Case(
        AUTHOR,
        "shop may not send readings of the point",
        attacks.by_a_stranger,
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
        TREE, "sample 0 of the seed hits a quarter-hour that is not opened", attacks.other_sample
    ),
    "more-than-the-samples": Case(
        TREE, "no sample of the seed hits it", lambda: attacks.sample(positions=[41, 42])
    ),
    "another-seed": Case(
        TREE,
        "of the seed hits a quarter-hour that is not opened",
        lambda: changed(
            lambda e: e.head.update(seed=attacks.missing_seed()),
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
    # Another log, another entry
    "another-log": Case(
        CHECKPOINT,
        "no signature by a key you trust",
        lambda: attacks.claimed_in(forge.Log(log_key=forge.Key(forge.ORIGIN, "another log key"))),
    ),
    "checkpoint-of-another-tree": Case(IN_LOG, "lead to the root", attacks.other_checkpoint),
    "another-entry": Case(
        IN_LOG,
        "lead to the root",
        lambda_of(lambda e: e.head["entries"][3].update(note=e.head["entries"][4]["note"])),
    ),
    "proof-of-another-log": Case(
        IN_LOG,
        "lead to the root",
        lambda_of(lambda e: edit(e.head, "nodes", lambda raw: bytes(len(raw)))),
    ),
    "no-genesis": Case(
        IN_LOG, "is entry 2, not the genesis", lambda: attacks.without_entries("log.genesis")
    ),
    "no-run": Case(
        DIVISIONS, "is not in the file before it", lambda: attacks.without_entries("match.run")
    ),
    "no-batch": Case(QUARTERS, "is not in the file", lambda: attacks.without_entries("readings")),
    "no-key": Case(
        SIGNATURES, "is not registered for", lambda: attacks.without_entries("key.register")
    ),
    "no-claim": Case(
        SIGNATURES,
        "does not hold the claim.make",
        lambda_of(lambda e: e.head.update(claim=sha256(b"other")[:16].hex())),
    ),
    "manifest-of-another-claim": Case(
        BODIES, "no entry of the file commits to it", attacks.other_manifest
    ),
    "manifest-is-missing": Case(
        CLAIM,
        "the manifest of the claim is not opened",
        lambda_of(lambda e: e.head["bodies"].pop(0)),
    ),
    "master-data-are-missing": Case(
        BALANCE,
        "the master data of its point are not opened",
        lambda_of(lambda e: e.head["bodies"].pop(1)),
    ),
    "replaced-claim-is-missing": Case(
        CLAIM, "it is replaced, but its entry is not in the file", attacks.replaced_is_missing
    ),
    "lots-of-another-month": Case(
        QUARTERS, "the month is not in the period of the claim", attacks.another_month
    ),
    "half-a-month": Case(
        CLAIM,
        "the period is not one of whole calendar months of park time",
        lambda: claimed(manifest={"to": "2026-02-20T16:00:00Z"}).evidence(),
    ),
    # Too much, too little, out of order
    "part-twice": Case(
        QUARTERS,
        "the cells are not in order of entry and origin, each once",
        lambda_of(lambda e: e.parts.append(e.parts[-1])),
    ),
    "part-is-missing": Case(
        BALANCE,
        "has cells in the claim, but is not opened",
        lambda: attacks.without_part(),
    ),
    "division-is-missing": Case(
        QUARTERS, "the leaf of origin 0 of entry", lambda_of(lambda e: e.parts.pop(1))
    ),
    "claim-part-is-missing": Case(
        TREE,
        "the first part of the file is not that of the claim",
        lambda_of(lambda e: e.parts.pop(0)),
    ),
    "parts-in-wrong-order": Case(
        QUARTERS,
        "the cells are not in order of entry and origin",
        lambda_of(lambda e: e.parts.insert(2, e.parts.pop())),
    ),
    "leaf-that-nobody-asks-for": Case(
        QUARTERS, "is opened, but nothing asks for it", attacks.too_many_leaves
    ),
    "quarter-hour-that-nobody-asks-for": Case(
        BALANCE,
        "it is opened in quarter-hour 42, where the claim has no cell of it",
        attacks.too_many_quarters,
    ),
    "node-that-is-not-needed": Case(
        QUARTERS,
        "outer tree: the shared path has",
        lambda_of(lambda e: edit(sun_part(e), "outer", lambda raw: raw + bytes(32))),
    ),
    "node-is-missing": Case(
        QUARTERS,
        "the shared path has too few nodes",
        lambda_of(lambda e: edit(sun_part(e), "outer", lambda raw: raw[:-32])),
    ),
    "path-goes-on": Case(
        QUARTERS,
        "the paths go on after the last position",
        lambda_of(lambda e: edit(sun_lot(e), "paths", lambda raw: raw + b"\0")),
    ),
    "path-is-cut-off": Case(
        QUARTERS, "is cut off", lambda_of(lambda e: edit(sun_lot(e), "paths", lambda raw: raw[:-1]))
    ),
    # Not in the one way
    "last-line-is-missing": Case(
        "",
        "the file ends here, without its last line",
        lambda: text_of(claimed().evidence(), lambda lines: lines.pop()),
        2,
    ),
    "cut-within-a-line": Case(
        "", "the file ends here", lambda: claimed().evidence().raw()[:-700], 2
    ),
    "something-follows": Case(
        "", "something follows the last line", lambda: claimed().evidence().raw() + b"\n", 2
    ),
    "no-comma": Case(
        "",
        "the line before does not end in a comma",
        lambda: text_of(claimed().evidence(), attacks.drop_comma),
        2,
    ),
    "base64-not-canonical": Case("", "is not canonical base64", lambda_of(attacks.other_base64), 2),
    "a-blank": Case(
        "",
        "not written in the one way",
        lambda: claimed().evidence().raw().replace(b'{"part":"claim"', b'{"part": "claim"'),
        2,
    ),
    "an-unknown-member": Case(
        "", "unknown member more", lambda_of(lambda e: e.part("claim").update(more=1)), 2
    ),
    "runs-that-adjoin": Case(
        "",
        "the runs are not increasing, or two adjoin",
        lambda_of(lambda e: sun_part(e)["batches"][0].update(runs=[[0, 1], [1, 1]])),
        2,
    ),
}


def table() -> str:
    rows = {
        name: {"exit": case.exit_code, "step": case.step, "message": case.message}
        for name, case in CASES.items()
    }
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.evidence.json"


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, case in CASES.items():
        file_of(name).write_bytes(case.raw)
    TABLE.write_text(table(), encoding="utf-8")


if __name__ == "__main__":
    main()
