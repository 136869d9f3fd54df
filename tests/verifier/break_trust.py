"""Makes the broken proofs of ``broken_trust/`` and the table of what must be said.

    python -m tests.verifier.break_trust

Each is one attack on who is trusted: other keys, other trees, older ones, too few who vouch,
time-stamps of something else. A test checks that the committed files are what this script makes,
that the verifier refuses each at the step of the table, and that the good ones beside them pass.
"""

import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from tests.verifier import forge
from tests.verifier.forge import WITNESS, written
from tests.verifier.forge_anchors import AUDITOR
from tests.verifier.forge_trust import (
    anchor_of_a_fork,
    anchor_path,
    anchored,
    anchors_out_of_order,
    cosigned_otherwise,
    edit_nodes,
    edit_path,
    evidence,
    evidence_of_other_size,
    forked,
    of_another_checkpoint,
    older,
    opening,
    other_entry,
    other_size,
    park,
    self_made_evidence,
    self_made_log,
    self_made_opening,
    set_token,
    stamped_by,
    tlog_proof,
    trust_files,
    two_before,
    without,
)
from tests.verifier.forge_tsa import EXPIRED, ROOT, STRANGER, STRANGER_ROOT, Stamp

FOLDER = Path(__file__).parent / "broken_trust"
TABLE = FOLDER / "table.json"

SIGNED = "The checkpoint is signed by the log key"
IN_LOG = "is in that log"
ENTRIES = "entries of the file is in that log"
SEEN = "not older than, nor other than, what you saw"
ANCHORS = "anchored checkpoints is of that log"
STAMPS = "time-stamps is of its checkpoint"
VOUCH = "As many vouch for it as you asked for"
GOOD = ""


@dataclass(frozen=True)
class Case:
    """``make`` gives the file, ``trust`` names the file ``--trust`` beside it; ``step`` is empty
    where the file is good.
    """

    suffix: str
    step: str
    message: str
    make: Callable[[], bytes]
    trust: str = "log.toml"


PROOF, OPENING, EVIDENCE = "tlog-proof", "opening.json", "evidence.json"


def _path(index: int = 8) -> list[bytes]:
    return forge.inclusion(index, park().log.hashes)


CASES: dict[str, Case] = {
    "good": Case(PROOF, GOOD, "", tlog_proof, "quorum.toml"),
    "good-opening": Case(OPENING, GOOD, "", opening, "quorum.toml"),
    "good-evidence": Case(EVIDENCE, GOOD, "", evidence, "quorum.toml"),
    "good-stamped": Case(EVIDENCE, GOOD, "", evidence, "authority.toml"),
    "good-pinned": Case(PROOF, GOOD, "", tlog_proof, "pinned.toml"),
    "good-evidence-pinned": Case(EVIDENCE, GOOD, "", evidence, "evidence-pinned.toml"),
    # Wrong tree size
    "wrong-size": Case(
        PROOF,
        IN_LOG,
        "more than leaf",
        lambda: tlog_proof(size=len(park().log.entries) - 1),
    ),
    "wrong-size-opening": Case(OPENING, ENTRIES, "more than leaf", lambda: opening(other_size)),
    "wrong-size-evidence": Case(
        EVIDENCE, ENTRIES, "more than it needs", lambda: evidence(evidence_of_other_size)
    ),
    # Truncated and padded
    "truncated": Case(PROOF, IN_LOG, "fewer than leaf 8", lambda: tlog_proof(path=_path()[:-1])),
    "truncated-opening": Case(
        OPENING, ENTRIES, "fewer than leaf", lambda: opening(edit_path(lambda path: path[:-1]))
    ),
    "truncated-evidence": Case(
        EVIDENCE, ENTRIES, "too few nodes", lambda: evidence(edit_nodes(lambda raw: raw[:-32]))
    ),
    "padded": Case(
        PROOF, IN_LOG, "more than leaf 8", lambda: tlog_proof(path=[*_path(), bytes(32)])
    ),
    "padded-opening": Case(
        OPENING,
        ENTRIES,
        "more than leaf",
        lambda: opening(edit_path(lambda path: [*path, "00" * 32])),
    ),
    "padded-evidence": Case(
        EVIDENCE,
        ENTRIES,
        "1 more than it needs",
        lambda: evidence(edit_nodes(lambda raw: raw + bytes(32))),
    ),
    # Another index
    "another-index": Case(PROOF, IN_LOG, "lead to the root", lambda: tlog_proof(said=9)),
    "another-index-opening": Case(
        OPENING,
        ENTRIES,
        "lead to the root",
        lambda: opening(lambda value: value["entries"][0].update(index=8)),
    ),
    "another-index-evidence": Case(
        EVIDENCE, ENTRIES, "lead to the root", lambda: evidence(other_entry)
    ),
    # Keys that vouch for themselves
    "own-key": Case(
        PROOF,
        SIGNED,
        "no signature by a key you trust",
        lambda: tlog_proof(5, log=self_made_log(), witnesses=()),
    ),
    "own-key-opening": Case(OPENING, SIGNED, "no signature by a key you trust", self_made_opening),
    "own-key-evidence": Case(
        EVIDENCE, SIGNED, "no signature by a key you trust", self_made_evidence
    ),
    "own-key-and-a-witness": Case(
        PROOF,
        SIGNED,
        "has not signed it",
        lambda: tlog_proof(5, log=self_made_log(), witnesses=(WITNESS, AUDITOR)),
    ),
    # Time-stamps
    "stamp-of-another-checkpoint": Case(
        EVIDENCE,
        STAMPS,
        "the time-stamp is of something else",
        lambda: evidence(of_another_checkpoint),
    ),
    "stamp-of-a-stranger": Case(
        EVIDENCE,
        VOUCH,
        "0 time-stamping authorities vouch",
        lambda: evidence(stamped_by(STRANGER)),
        "authority.toml",
    ),
    "stamp-of-a-stranger-who-brings-its-root": Case(
        EVIDENCE,
        VOUCH,
        "0 time-stamping authorities vouch",
        lambda: evidence(stamped_by(STRANGER, STRANGER_ROOT)),
        "authority.toml",
    ),
    "stamp-by-an-expired-certificate": Case(
        EVIDENCE, STAMPS, "was not valid at", lambda: evidence(stamped_by(EXPIRED))
    ),
    "stamp-by-the-root-itself": Case(
        EVIDENCE, STAMPS, "is not for time-stamps alone", lambda: evidence(stamped_by(ROOT))
    ),
    "stamp-signed-by-another": Case(
        EVIDENCE,
        STAMPS,
        "the signature of the time-stamp does not hold",
        lambda: evidence(set_token(1, lambda: anchored().token(1, Stamp(signed_by=STRANGER)))),
    ),
    "stamp-before-the-claim-alone": Case(
        EVIDENCE,
        VOUCH,
        "0 time-stamping authorities vouch",
        lambda: evidence(without(1)),
        "authority.toml",
    ),
    # Anchors
    "anchor-of-a-fork": Case(
        EVIDENCE, ANCHORS, "the path leads to the root", lambda: evidence(anchor_of_a_fork)
    ),
    "anchor-with-a-short-path": Case(
        EVIDENCE, ANCHORS, "fewer than sizes", lambda: evidence(anchor_path)
    ),
    "anchors-out-of-order": Case(
        EVIDENCE, ANCHORS, "not in order", lambda: evidence(anchors_out_of_order)
    ),
    "two-anchors-before": Case(
        EVIDENCE, ANCHORS, "the anchors are more than", lambda: evidence(two_before)
    ),
    "cosignature-of-another-checkpoint": Case(
        EVIDENCE, ANCHORS, "does not fit the text", lambda: evidence(cosigned_otherwise)
    ),
    # Too few witnesses
    "too-few-witnesses": Case(
        PROOF,
        VOUCH,
        "1 witnesses vouch (auditor.example), you asked for 2",
        lambda: tlog_proof(witnesses=(AUDITOR,)),
        "quorum.toml",
    ),
    "too-few-witnesses-opening": Case(
        OPENING,
        VOUCH,
        "0 witnesses vouch (–), you asked for 2",
        lambda: opening(witnesses=()),
        "quorum.toml",
    ),
    "too-few-witnesses-evidence": Case(
        EVIDENCE, VOUCH, "1 witnesses vouch", lambda: evidence(without(2)), "quorum.toml"
    ),
    "one-witness-twice": Case(
        PROOF,
        VOUCH,
        "1 witnesses vouch (auditor.example), you asked for 2",
        lambda: tlog_proof(witnesses=(AUDITOR, AUDITOR)),
        "quorum.toml",
    ),
    # Replayed
    "replayed": Case(PROOF, SEEN, "it is replayed", lambda: tlog_proof(log=older()), "pinned.toml"),
    "replayed-opening": Case(
        OPENING,
        SEEN,
        "it is replayed",
        lambda: written(older().opening("entry", [3, 2, 0])),
        "pinned.toml",
    ),
    "replayed-evidence": Case(
        EVIDENCE, SEEN, "it is replayed", evidence, "evidence-pinned-later.toml"
    ),
    "forked": Case(
        PROOF, SEEN, "the log was forked", lambda: tlog_proof(log=forked()), "pinned.toml"
    ),
    "forked-evidence": Case(
        EVIDENCE, SEEN, "the log was forked", evidence, "evidence-pinned-fork.toml"
    ),
    "forked-before-evidence": Case(
        EVIDENCE, ANCHORS, "the log was forked", evidence, "evidence-pinned-fork-before.toml"
    ),
}


def file_of(name: str) -> Path:
    return FOLDER / f"{name}.{CASES[name].suffix}"


def table() -> str:
    rows = {
        file_of(name).name: {"trust": case.trust, "step": case.step, "message": case.message}
        for name, case in CASES.items()
    }
    return json.dumps(rows, ensure_ascii=False, indent=1) + "\n"


def files() -> dict[str, bytes]:
    """Everything in the folder, by name."""
    return {
        TABLE.name: table().encode(),
        **{name: text.encode() for name, text in trust_files().items()},
        **{file_of(name).name: case.make() for name, case in CASES.items()},
    }


def main() -> None:
    FOLDER.mkdir(exist_ok=True)
    for old in FOLDER.iterdir():
        old.unlink()
    for name, raw in files().items():
        (FOLDER / name).write_bytes(raw)


if __name__ == "__main__":
    main()
