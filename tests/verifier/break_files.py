"""Broken evidence: the log, or the file itself, is wrong. See ``break_evidence``."""

from tests.verifier import forge
from tests.verifier import forge_attacks as attacks
from tests.verifier import forge_claim_attacks as claims
from tests.verifier.break_lots import (
    BALANCE,
    BODIES,
    CHECKPOINT,
    CLAIM,
    DIVISIONS,
    IN_LOG,
    QUARTERS,
    SIGNATURES,
    TREE,
    Case,
    lambda_of,
)
from tests.verifier.forge import sha256
from tests.verifier.forge_attacks import claimed, edit, sun_lot, sun_part
from tests.verifier.forge_claim_attacks import text_of

FILE_CASES: dict[str, Case] = {
    # Another log, another entry
    "another-log": Case(
        CHECKPOINT,
        "no signature by a key you trust",
        lambda: claims.claimed_in(forge.Log(log_key=forge.Key(forge.ORIGIN, "another log key"))),
    ),
    "checkpoint-of-another-tree": Case(IN_LOG, "lead to the root", claims.other_checkpoint),
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
        BODIES, "no entry of the file commits to it", claims.other_manifest
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
        CLAIM, "it is replaced, but its entry is not in the file", claims.replaced_is_missing
    ),
    "lots-of-another-month": Case(
        QUARTERS, "the month is not in the period of the claim", claims.another_month
    ),
    "half-a-month": Case(
        BODIES,
        "the period is empty, or not one of whole quarter-hours",
        lambda: claimed(manifest={"to": "2026-02-20T16:00:01Z"}).evidence(),
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
        lambda: claims.without_part(),
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
        QUARTERS, "is opened, but nothing asks for it", claims.too_many_leaves
    ),
    "quarter-hour-that-nobody-asks-for": Case(
        BALANCE,
        "it is opened in quarter-hour 42, where the claim has no cell of it",
        claims.too_many_quarters,
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
        lambda: text_of(claimed().evidence(), claims.drop_comma),
        2,
    ),
    "base64-not-canonical": Case("", "is not canonical base64", lambda_of(claims.other_base64), 2),
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
