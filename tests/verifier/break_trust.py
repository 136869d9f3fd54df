"""Makes the broken proofs of ``broken_trust/`` and the table of what must be said.

    python -m tests.verifier.break_trust

Each is one attack on who is trusted: other keys, other trees, older ones, too few who vouch,
time-stamps of something else. A test checks that the committed files are what this script makes,
that the verifier refuses each at the step of the table, and that the good ones beside them pass.
"""

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from tests.verifier import forge
from tests.verifier.forge import LOG, WITNESS, Key, Log, written
from tests.verifier.forge_anchors import AUDITOR, Anchored, anchor, cosigned, token, trust_text
from tests.verifier.forge_attacks import Small
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import b64
from tests.verifier.forge_tsa import EXPIRED, ROOT, STRANGER, STRANGER_ROOT, Issued, Stamp

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

SELF_MADE = Key(forge.ORIGIN, "a log key that the file brings along")
QUORUM = "witnesses = 2\nauditing = 1"


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


# The good files: a tlog-proof, an opening and evidence, all cosigned by two witnesses


def park() -> forge.Park:
    return forge.park()


def tlog_proof(
    index: int = 8,
    *,
    log: Log | None = None,
    path: list[bytes] | None = None,
    said: int | None = None,
    size: int | None = None,
    witnesses: tuple[Key, ...] = (WITNESS, AUDITOR),
) -> bytes:
    """A proof of entry ``index`` under the checkpoint of ``size``; ``path`` and ``said`` (index)
    override what is right.
    """
    log = log or park().log
    hashes = log.hashes
    lines = ["c2sp.org/tlog-proof@v1"]
    lines.append("extra " + base64.b64encode(log.entries[index]).decode())
    lines.append(f"index {index if said is None else said}")
    siblings = forge.inclusion(index, hashes) if path is None else path
    lines += [base64.b64encode(one).decode() for one in siblings]
    return "\n".join([*lines, "", ""]).encode() + cosigned(log, *witnesses, size=size)


def opening(
    change: Callable[[dict[str, Any]], object] = lambda _value: None,
    *,
    witnesses: tuple[Key, ...] = (WITNESS, AUDITOR),
) -> bytes:
    made = park()
    value = made.reading_opening()
    value["checkpoint"] = cosigned(made.log, *witnesses).decode()
    change(value)
    return written(value)


@cache
def anchored() -> Anchored:
    return Anchored()


def evidence(change: Callable[[Evidence], object] = lambda _evidence: None) -> bytes:
    made = anchored().evidence()
    change(made)
    return made.raw()


# What is changed


def other_size(value: dict[str, Any]) -> None:
    log = park().log
    value["checkpoint"] = cosigned(log, size=len(log.entries) - 1).decode()


def edit_path(change: Callable[[list[str]], list[str]]) -> Callable[[dict[str, Any]], None]:
    def apply(value: dict[str, Any]) -> None:
        value["entries"][0]["path"] = change(value["entries"][0]["path"])

    return apply


def edit_nodes(change: Callable[[bytes], bytes]) -> Callable[[Evidence], None]:
    def apply(made: Evidence) -> None:
        made.head["nodes"] = b64(change(base64.b64decode(made.head["nodes"])))

    return apply


def evidence_of_other_size(made: Evidence) -> None:
    made.head["checkpoint"] = anchored().log.checkpoint(anchored().sizes[1]).decode()
    made.head["anchors"] = []


def other_entry(made: Evidence) -> None:
    """A proof for the entries of the file, but the last is said to stand one place further."""
    made.head["entries"][-1]["index"] += 1


def self_made_log() -> Log:
    log = Log(log_key=SELF_MADE)
    log.genesis()
    for _ in range(12):
        log.tick()
    return log


def self_made_opening() -> bytes:
    log = self_made_log()
    return written(log.opening("entry", [5, 0]))


def self_made_evidence() -> bytes:
    made = Small(log=Log(log_key=SELF_MADE)).read()
    made.divide()
    return Anchored(made.claim()).evidence().raw()


def set_token(place: int, make: Callable[[], bytes]) -> Callable[[Evidence], None]:
    """Replace the only time-stamp of an anchor."""

    def apply(made: Evidence) -> None:
        made.head["anchors"][place]["tokens"] = [base64.b64encode(make()).decode()]

    return apply


def stamped_by(signer: Issued, *more: Issued) -> Callable[[Evidence], None]:
    stamp = Stamp(signer=signer, certificates=(signer, *more))
    return set_token(1, lambda: anchored().token(1, stamp))


def of_another_checkpoint(made: Evidence) -> None:
    made.head["anchors"][1]["tokens"] = made.head["anchors"][0]["tokens"]


def anchor_of_a_fork(made: Evidence) -> None:
    """The log key signs another tree of that size, for the authority alone."""
    fork = Log(entries=[*anchored().log.entries])
    size = anchored().sizes[1]
    fork.entries[size - 1] = fork.entries[size - 2]
    made.head["anchors"][1] |= anchor(fork, size, token(fork, size)) | {
        "nodes": made.head["anchors"][1]["nodes"]
    }


def cosigned_otherwise(made: Evidence) -> None:
    """The line of a witness under another checkpoint."""
    one, other = made.head["anchors"][1], made.head["anchors"][0]
    lines = other["checkpoint"].splitlines(keepends=True)
    one["checkpoint"] = anchored().log.checkpoint(anchored().sizes[1]).decode() + lines[-1]


def anchors_out_of_order(made: Evidence) -> None:
    made.head["anchors"].reverse()


def two_before(made: Evidence) -> None:
    log, size = anchored().log, anchored().sizes[0] - 1
    made.head["anchors"] = [anchor(log, size), *made.head["anchors"][:2]]


def anchor_path(made: Evidence) -> None:
    edited = base64.b64decode(made.head["anchors"][1]["nodes"])
    made.head["anchors"][1]["nodes"] = b64(edited[:-32])


def without(*places: int) -> Callable[[Evidence], None]:
    def apply(made: Evidence) -> None:
        made.head["anchors"] = [
            one for number, one in enumerate(made.head["anchors"]) if number not in places
        ]

    return apply


def older() -> Log:
    """The park's log before its last entries."""
    log = park().log
    return Log(entries=log.entries[:-3])


def forked() -> Log:
    """Of the same size, but its last entry is another."""
    log = park().log
    log.entries[-1] = log.entries[-2]
    return log


# Which trust roots are brought along: file names, and what the tables say


def trust_files() -> dict[str, str]:
    made = park().log
    whole = forge.mth(made.hashes)
    log = anchored().log
    pin = (len(log.entries), forge.mth(log.hashes))
    later = (len(log.entries) + 1, forge.mth(log.hashes))
    return {
        "log.toml": trust_text(log_vkey=LOG.vkey),
        "quorum.toml": trust_text(log_vkey=LOG.vkey, policy=QUORUM),
        "authority.toml": trust_text(log_vkey=LOG.vkey, policy="authorities = 1"),
        "pinned.toml": trust_text(log_vkey=LOG.vkey, pin=(len(made.entries), whole)),
        "evidence-pinned.toml": trust_text(log_vkey=LOG.vkey, pin=pin),
        "evidence-pinned-later.toml": trust_text(log_vkey=LOG.vkey, pin=later),
        "evidence-pinned-fork.toml": trust_text(log_vkey=LOG.vkey, pin=(pin[0], bytes(32))),
        "evidence-pinned-fork-before.toml": trust_text(
            log_vkey=LOG.vkey, pin=(anchored().sizes[1], bytes(32))
        ),
    }


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
