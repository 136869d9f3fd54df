"""Anchors for forged evidence (docs/formats.md §9.1): cosigned and time-stamped checkpoints."""

import base64
from collections.abc import Sequence

from tests.verifier.forge import ORIGIN, START, WITNESS, Key, Log, consistency
from tests.verifier.forge_attacks import Small, claimed
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import Value, b64
from tests.verifier.forge_tsa import Stamp, trust_table

AUDITOR = Key("auditor.example", "auditor")
STAMP_S = START + 80 * 86_400
COSIGNED_S = STAMP_S + 60


def cosigned(log: Log, *witnesses: Key, size: int | None = None, at_s: int = COSIGNED_S) -> bytes:
    text = log.checkpoint_text(size)
    return log.checkpoint(size) + b"".join(one.cosignature_line(text, at_s) for one in witnesses)


def anchor(
    log: Log,
    size: int,
    *tokens: bytes,
    witnesses: Sequence[Key] = (),
    at_s: int = COSIGNED_S,
) -> Value:
    path = [] if size == len(log.entries) else consistency(size, log.hashes)
    return {
        "checkpoint": cosigned(log, *witnesses, size=size, at_s=at_s).decode(),
        "tokens": [base64.b64encode(token).decode() for token in tokens],
        "nodes": b64(b"".join(path)),
    }


def token(log: Log, size: int, stamp: Stamp | None = None, time_s: int = STAMP_S) -> bytes:
    return (stamp or Stamp()).response(log.checkpoint_text(size), time_s)


class Anchored:
    """A claim with three anchors: before it, right after it, and the file's own checkpoint."""

    def __init__(self, made: Small | None = None) -> None:
        self.made = made or claimed()
        self.log = self.made.park.log
        self.log.tick(900)
        self.log.tick(900)
        self.claim = self.made.park.claims["mill"].entry
        self.sizes = (self.claim - 1, self.claim + 1, len(self.log.entries))

    def token(self, place: int, stamp: Stamp | None = None) -> bytes:
        return token(self.log, self.sizes[place], stamp, STAMP_S + 3600 * (place - 1))

    def anchors(self) -> list[Value]:
        before, after, newest = self.sizes
        return [
            anchor(self.log, before, self.token(0), witnesses=(WITNESS,), at_s=COSIGNED_S - 7200),
            anchor(self.log, after, self.token(1), witnesses=(WITNESS,)),
            anchor(self.log, newest, witnesses=(WITNESS, AUDITOR), at_s=COSIGNED_S + 3600),
        ]

    def evidence(self, anchors: list[Value] | None = None, level: str = "full") -> Evidence:
        evidence = self.made.evidence(level)
        evidence.head["anchors"] = self.anchors() if anchors is None else anchors
        return evidence


def trust_text(
    *,
    log_vkey: str,
    pin: tuple[int, bytes] | None = None,
    policy: str = "",
    authority: str = "",
    witnesses: bool = True,
) -> str:
    """The file ``--trust``."""
    text = f"[[log]]\norigin = '{ORIGIN}'\nvkey = '{log_vkey}'\n"
    if pin is not None:
        text += f"size = {pin[0]}\nroot = '{pin[1].hex()}'\n"
    if witnesses:
        text += f"[[witness]]\nvkey = '{WITNESS.vkey_of(4)}'\n"
        text += f"[[witness]]\nvkey = '{AUDITOR.vkey_of(4)}'\naudits = true\n"
    text += authority or trust_table()
    return text + (f"[policy]\n{policy}\n" if policy else "")
