"""Proofs for ``break_trust``: good ones, and changes that make them bad."""

import base64
from collections.abc import Callable
from functools import cache
from typing import Any

from tests.verifier import forge
from tests.verifier.forge import LOG, WITNESS, Key, Log, written
from tests.verifier.forge_anchors import AUDITOR, Anchored, anchor, cosigned, token, trust_text
from tests.verifier.forge_attacks import Small
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import b64
from tests.verifier.forge_tsa import Issued, Stamp

SELF_MADE = Key(forge.ORIGIN, "a log key that the file brings along")
QUORUM = "witnesses = 2\nauditing = 1"

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
