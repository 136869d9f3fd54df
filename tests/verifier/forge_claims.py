"""A forger's workshop for claims, written from docs/formats.md §3.5 and §4.7."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import shake_256
from typing import Any

from tests.verifier.forge import Key, Log, at, json_body, reference, sha256
from tests.verifier.forge_lots import (
    MEDIA,
    Lot,
    Sum,
    Value,
    month_count,
    month_start,
    sum_mth,
    u64,
)

Cells = dict[int, dict[bytes, int]]


@dataclass
class Claim:
    """``cells`` by quarter-hour of the claim and lot; ``lots`` and ``retires`` are all of the
    claim.
    """

    name: str
    lots: list[bytes]
    months: list[str]
    cells: Cells
    secret: bytes
    manifest: bytes = b""
    entry: int = -1
    statement_id: str = ""
    log_origin: str = ""
    wh_of: dict[int, int] = field(default_factory=dict)
    retires: list[str] = field(default_factory=list)

    @property
    def count(self) -> int:
        return sum(month_count(month) for month in self.months)

    def offset(self, month: str) -> int:
        return sum(month_count(one) for one in self.months[: self.months.index(month)])

    def wh(self, position: int) -> int:
        if position in self.wh_of:
            return self.wh_of[position]
        return sum(self.cells.get(position, {}).values()) // 2

    @property
    def total(self) -> int:
        return sum(self.wh(position) for position in self.cells)

    def nonce(self, position: int) -> bytes:
        text = f"{self.log_origin}\n{self.statement_id}".encode()
        stream = shake_256(b"greenledger/claim/v1\n" + self.secret + text)
        return stream.digest(16 * (position + 1))[16 * position :]

    def leaves(self) -> list[Sum]:
        text = f"{self.log_origin}\n{self.statement_id}".encode()
        stream = shake_256(b"greenledger/claim/v1\n" + self.secret + text).digest(16 * self.count)
        found = []
        for position in range(self.count):
            if position not in self.cells and position not in self.wh_of:
                found.append((sha256(b"I" + stream[16 * position :][:16] + bytes(8)), 0))
                continue
            cells = sorted(self.cells.get(position, {}).items())
            written = b"".join(one + u64(wh) for one, wh in cells)
            wh = self.wh(position)
            nonce = stream[16 * position :][:16]
            found.append((sha256(b"I" + nonce + u64(wh) + written), wh))
        return found

    def root(self) -> bytes:
        hash_, wh = sum_mth(self.leaves())
        return sha256(b"C" + hash_ + u64(wh))


def _retirement(item: Value) -> str:
    return str(item["retirement"])


def claim_of(
    log: Log,
    signer: Key,
    name: str,
    spends: Sequence[Lot | bytes],
    cells: Cells,
    points: Sequence[str],
    *,
    inherited: Sequence[bytes] = (),
    replaces: str = "",
    months: Sequence[str] = ("2026-02",),
    by_class: dict[int, int] | None = None,
    retires: Sequence[str] = (),
    taken_over: Sequence[str] = (),
    certificates: Sequence[Value] = (),
    credits_: Sequence[Value] = (),
    wh_of: dict[int, int] | None = None,
    manifest: Value | None = None,
    **more: Any,
) -> Claim:
    """Write a ``claim.make``. ``by_class`` is not computed here: the forger says it."""
    ids = [one if isinstance(one, bytes) else one.id for one in spends]
    secret = sha256(b"claim secret " + name.encode())
    claim = Claim(name, sorted([*ids, *inherited]), list(months), cells, secret, wh_of=wh_of or {})
    claim.retires = sorted([*retires, *taken_over])
    identity = sha256(name.encode())[:16].hex()
    end_s = month_start(months[-1]) + 900 * month_count(months[-1])
    party = signer.name.rpartition("/")[2]
    counted_wh = sum(one["wh"] for one in certificates)
    classes = {2: claim.total} if by_class is None else by_class
    content: Value = {
        "consumer": party,
        "points": sorted(points),
        "from": at(month_start(months[0])),
        "to": at(end_s),
        "as_of": len(log.entries),
        "claimed_wh": claim.total,
        "by_class": [{"class": one, "wh": wh} for one, wh in sorted(classes.items())],
        "consumption_wh": 50_000,
        "estimated_wh": 0,
        "certificates": sorted(certificates, key=_retirement),
        "certificate_wh": counted_wh,
        "credits": sorted(credits_, key=_retirement),
        "residual_wh": 50_000 - claim.total - counted_wh,
        "reason": "corrected" if replaces else "",
    }
    claim.manifest = json_body(content | (manifest or {}), f"manifest {name}")
    members: Value = {
        "claim": identity,
        "replaces": replaces,
        "spends": sorted(one.hex() for one in ids),
        "retires": sorted(retires),
        "manifest": reference(claim.manifest, "claim+json"),
    }
    statement = log.statement("claim.make", party, **members | more)
    claim.name, claim.statement_id, claim.log_origin = identity, statement["id"], log.origin
    body = {"root": claim.root().hex(), "size": claim.count, "media": MEDIA + "claim"}
    claim.entry = log.add(statement | {"body": body}, signer)
    return claim
