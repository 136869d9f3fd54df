"""A forger's workshop: tiny logs, written from docs/formats.md without a line of the verifier or of
the ledger.

It makes good logs to show that they pass, and bad ones on purpose: any statement, any signature,
any order.
The Merkle tree is the recursive definition of RFC 6962 §2.1, as slow and as plain as it stands
there.
"""

import base64
import hashlib
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

ORIGIN = "park.example/log"
MEDIA = "application/vnd.greenledger."
START = 1_767_225_600  # 2026-01-01T00:00:00Z
POINT = "aa" * 16
CONSUMER = "bb" * 16
CONTRACT = "cc" * 16

Statement = dict[str, Any]


def sha256(raw: bytes) -> bytes:
    return hashlib.sha256(raw).digest()


# The tree of RFC 6962 §2.1, by its definition


def leaf(entry: bytes) -> bytes:
    return sha256(b"\x00" + entry)


def node(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right)


def split(size: int) -> int:
    """The largest power of two below ``size``."""
    k = 1
    while k * 2 < size:
        k *= 2
    return k


def mth(leaves: Sequence[bytes]) -> bytes:
    if not leaves:
        return sha256(b"")
    if len(leaves) == 1:
        return leaves[0]
    if len(leaves) >= 32:
        return _mth_of_many(tuple(leaves))
    k = split(len(leaves))
    return node(mth(leaves[:k]), mth(leaves[k:]))


@lru_cache(512)
def _mth_of_many(leaves: tuple[bytes, ...]) -> bytes:
    """The same; forgers ask for the same large trees again and again."""
    k = split(len(leaves))
    return node(mth(leaves[:k]), mth(leaves[k:]))


def inclusion(index: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PATH(m, D[n]), over leaf hashes."""
    if len(leaves) <= 1:
        return []
    k = split(len(leaves))
    if index < k:
        return [*inclusion(index, leaves[:k]), mth(leaves[k:])]
    return [*inclusion(index - k, leaves[k:]), mth(leaves[:k])]


def consistency(size: int, leaves: Sequence[bytes]) -> list[bytes]:
    """PROOF(m, D[n])."""

    def subproof(m: int, part: Sequence[bytes], whole: bool) -> list[bytes]:
        if m == len(part):
            return [] if whole else [mth(part)]
        k = split(len(part))
        if m <= k:
            return [*subproof(m, part[:k], whole), mth(part[k:])]
        return [*subproof(m - k, part[k:], False), mth(part[:k])]

    return subproof(size, leaves, True)


# Keys and notes


@dataclass(frozen=True)
class Key:
    """A private key with a name; made from a seed, so that every run has the same bytes."""

    name: str
    seed: str

    @property
    def private(self) -> Ed25519PrivateKey:
        return Ed25519PrivateKey.from_private_bytes(sha256(self.seed.encode()))

    @property
    def public(self) -> bytes:
        return self.private.public_key().public_bytes_raw()

    def id_of(self, kind: int) -> bytes:
        return sha256(self.name.encode() + b"\n" + bytes([kind]) + self.public)[:4]

    def vkey_of(self, kind: int) -> str:
        encoded = base64.b64encode(bytes([kind]) + self.public).decode()
        return f"{self.name}+{self.id_of(kind).hex()}+{encoded}"

    @property
    def id(self) -> str:
        return self.id_of(1).hex()

    @property
    def vkey(self) -> str:
        return self.vkey_of(1)

    def line(self, text: bytes) -> bytes:
        signature = base64.b64encode(self.id_of(1) + self.private.sign(text))
        return b"\xe2\x80\x94 " + self.name.encode() + b" " + signature + b"\n"

    def cosignature_line(self, text: bytes, time_s: int) -> bytes:
        message = f"cosignature/v1\ntime {time_s}\n".encode() + text
        raw = self.id_of(4) + struct.pack(">Q", time_s) + self.private.sign(message)
        return b"\xe2\x80\x94 " + self.name.encode() + b" " + base64.b64encode(raw) + b"\n"


def note(text: bytes, *signers: Key) -> bytes:
    return text + b"\n" + b"".join(key.line(text) for key in signers)


LOG = Key(ORIGIN, "log")
OPERATOR = Key(f"{ORIGIN}/operator", "operator")
FARM = Key(f"{ORIGIN}/farm", "farm")
FARM_NEXT = Key(f"{ORIGIN}/farm", "farm, next")
METER = Key(f"{ORIGIN}/farm", "the farm's meter")
GRID = Key(f"{ORIGIN}/grid", "grid company")
MALLORY = Key(f"{ORIGIN}/mallory", "mallory")
WITNESS = Key("witness.example", "witness")


def at(time_s: int) -> str:
    return datetime.fromtimestamp(time_s, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


# Statements


def reference(body: bytes, name: str) -> dict[str, Any]:
    return {"hash": sha256(body).hex(), "size": len(body), "media": MEDIA + name}


def json_body(content: object, salt: str) -> bytes:
    return sha256(salt.encode()) + json.dumps(content, ensure_ascii=False).encode()


MANIFEST = json_body(
    {"file": {}, "profile": "", "reason": "", "repairs": [], "rejections": [], "repeats": 0},
    "manifest",
)
RUN = json_body({"from": at(START), "to": at(START + 86400), "interval_s": 900}, "run")
POINT_CONTENT: dict[str, Any] = {
    "name": "pv-roof-1",
    "kind": "generation",
    "technology": "pv",
    "park_system": "energy",
    "owner": "farm",
    "parent": "",
    "region": "320500",
    "capacity": 5_000_000,
    "capacity_unit": "W",
    "unit": "Wh",
    "measure": "additive",
    "interval_s": 900,
    "meters": [
        {
            "number": "M-1",
            "from": at(START),
            "to": "",
            "multiplier": "80",
            "accuracy": "0.2S",
            "calibrated": "2025-12-01",
            "calibration_expires": "2030-12-01",
            "opening": "12.5",
            "closing": "",
        }
    ],
}
POINT_BODY = json_body(POINT_CONTENT, "point")


def reading(
    number: int,
    *,
    point: str = POINT,
    value: int | None = None,
    quality: int = 0,
    start: int | None = None,
) -> bytes:
    start = START + 900 * number if start is None else start
    value = 1000 + number if value is None else value
    nonce = sha256(b"nonce %d" % number)[:16]
    return nonce + bytes.fromhex(point) + struct.pack(">QIqH", start, 900, value, quality)


def allocation(number: int, *, wh: int = 250, supply_class: int = 2) -> bytes:
    nonce = sha256(b"allocation %d" % number)[:16]
    ids = bytes.fromhex(CONTRACT + POINT + CONSUMER)
    return nonce + ids + struct.pack(">QIqBQ", START + 900 * number, 900, wh, supply_class, 7)


@dataclass
class Inner:
    """An inner tree over leaves of readings or allocations."""

    leaves: list[bytes]

    @property
    def hashes(self) -> list[bytes]:
        return [leaf(raw) for raw in self.leaves]

    def reference(self, name: str) -> dict[str, Any]:
        return {"root": mth(self.hashes).hex(), "size": len(self.leaves), "media": MEDIA + name}

    def opened(self, index: int) -> dict[str, Any]:
        return {
            "bytes": self.leaves[index].hex(),
            "index": index,
            "path": [h.hex() for h in inclusion(index, self.hashes)],
        }


READINGS = Inner([reading(n, quality=0b1000000010 if n == 3 else 0) for n in range(11)])
READINGS_NEXT = Inner([reading(n, value=-5) for n in range(11, 16)])
ALLOCATIONS = Inner([allocation(n) for n in range(5)])


@dataclass
class Log:
    """Entries one after the other. ``time_s`` is the clock of those who write."""

    origin: str = ORIGIN
    log_key: Key = LOG
    entries: list[bytes] = field(default_factory=list)
    time_s: int = START
    _number: int = 0

    def statement(self, kind: str, author: str, /, **members: Any) -> Statement:
        self._number += 1
        identity = sha256(f"{self.origin} {self._number}".encode())[:16].hex()
        return {
            "type": kind,
            "id": identity,
            "log": self.origin,
            "author": author,
            "at": at(self.time_s),
            **members,
        }

    def add(self, statement: Statement, *signers: Key) -> int:
        text = json.dumps(statement, ensure_ascii=False, separators=(",", ":")).encode() + b"\n"
        return self.add_raw(note(text, *signers))

    def add_raw(self, entry: bytes) -> int:
        self.entries.append(entry)
        return len(self.entries) - 1

    def tick(self, seconds: int = 60) -> int:
        self.time_s += seconds
        return self.add(self.statement("tick", "operator"), OPERATOR)

    @property
    def hashes(self) -> list[bytes]:
        return [leaf(entry) for entry in self.entries]

    def id_of(self, index: int) -> str:
        identity: str = json.loads(self.entries[index].partition(b"\n")[0])["id"]
        return identity

    # What stands in most logs

    def genesis(self, **changes: Any) -> int:
        members = {
            "name": "Test park",
            "zone": "+08:00",
            "log_vkey": self.log_key.vkey,
            "vkey": OPERATOR.vkey,
        }
        return self.add(
            self.statement("log.genesis", "operator", **(members | changes)), OPERATOR, self.log_key
        )

    def party(self, party: str, *roles: str, replaces: str = "", name: str = "") -> int:
        return self.add(
            self.statement(
                "party.register",
                "operator",
                party=party,
                name=name or f"{party} Ltd",
                roles=sorted(roles),
                replaces=replaces,
            ),
            OPERATOR,
        )

    def key(
        self,
        key: Key,
        *,
        author: Key = OPERATOR,
        custody: str = "owner",
        device: str = "none",
        replaces: str = "",
    ) -> int:
        party = key.name.rpartition("/")[2]
        statement = self.statement(
            "key.register",
            author.name.rpartition("/")[2],
            party=party,
            vkey=key.vkey,
            custody=custody,
            device=device,
            replaces=replaces,
        )
        return self.add(statement, author, key)

    def key_act(self, kind: str, key: Key, *, author: Key, **members: Any) -> int:
        party = key.name.rpartition("/")[2]
        statement = self.statement(
            kind, author.name.rpartition("/")[2], party=party, vkey=key.vkey, **members
        )
        return self.add(statement, author)

    def point(
        self,
        *,
        author: Key = FARM,
        replaces: str = "",
        body: bytes = POINT_BODY,
        point: str = POINT,
    ) -> int:
        statement = self.statement(
            "point.register",
            author.name.rpartition("/")[2],
            point=point,
            replaces=replaces,
            body=reference(body, "point+json"),
        )
        return self.add(statement, author)

    def readings_statement(
        self,
        inner: Inner,
        *,
        author: str = "farm",
        sequence: int = 0,
        previous: str = "",
        source: str = "scada.1",
    ) -> Statement:
        return self.statement(
            "readings",
            author,
            source=source,
            sequence=sequence,
            previous=previous,
            body=inner.reference("readings"),
            manifest=reference(MANIFEST, "manifest+json"),
        )

    def run_statement(self, *, author: str = "operator", as_of: int = 1) -> Statement:
        return self.statement(
            "match.run",
            author,
            policy="pro-rata/1",
            as_of=as_of,
            body=ALLOCATIONS.reference("allocations"),
            manifest=reference(RUN, "run+json"),
        )

    # What is published

    def checkpoint_text(self, size: int | None = None) -> bytes:
        hashes = self.hashes[:size]
        root = base64.b64encode(mth(hashes)).decode()
        return f"{self.origin}\n{len(hashes)}\n{root}\n".encode()

    def checkpoint(self, size: int | None = None) -> bytes:
        return note(self.checkpoint_text(size), self.log_key)

    def tlog_proof(self, index: int, *, extra: bool = True) -> bytes:
        lines = ["c2sp.org/tlog-proof@v1"]
        if extra:
            lines.append("extra " + base64.b64encode(self.entries[index]).decode())
        lines.append(f"index {index}")
        lines += [base64.b64encode(h).decode() for h in inclusion(index, self.hashes)]
        return "\n".join([*lines, "", ""]).encode() + self.checkpoint()

    def opening(
        self,
        kind: str,
        indexes: Sequence[int],
        *,
        leaf: dict[str, Any] | None = None,
        bodies: Sequence[bytes] = (),
    ) -> dict[str, Any]:
        value: dict[str, Any] = {
            "format": "greenledger-opening/v1",
            "kind": kind,
            "checkpoint": self.checkpoint().decode(),
            "entries": [self.opened_entry(index) for index in indexes],
            "bodies": [
                {"hash": sha256(b).hex(), "base64": base64.b64encode(b).decode()} for b in bodies
            ],
        }
        return value if leaf is None else value | {"leaf": leaf}

    def opened_entry(self, index: int) -> dict[str, Any]:
        path = [h.hex() for h in inclusion(index, self.hashes)]
        return {"index": index, "note": self.entries[index].decode(), "path": path}

    def export(self, folder: Path, *, size: int | None = None) -> Path:
        """A tile directory. The full tiles of a level are cut from the hashes of that level, by
        their definition.
        """
        entries = self.entries[:size]
        write(folder / "checkpoint", self.checkpoint(size))
        bundles = [struct.pack(">H", len(entry)) + entry for entry in entries]
        _write_tiles(folder, "entries", bundles)
        level, hashes = 0, [leaf(entry) for entry in entries]
        while hashes:
            _write_tiles(folder, str(level), hashes)
            hashes = [mth(hashes[i : i + 256]) for i in range(0, len(hashes) - 255, 256)]
            level += 1
        return folder


def _write_tiles(folder: Path, kind: str, items: list[bytes]) -> None:
    for number in range(-(-len(items) // 256)):
        part = items[256 * number : 256 * number + 256]
        name = f"{number:03}" if len(part) == 256 else f"{number:03}.p/{len(part)}"
        write(folder / "tile" / kind / name, b"".join(part))


def write(path: Path, raw: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(raw)


@dataclass(frozen=True)
class Park:
    """A good log, and where its entries stand."""

    log: Log
    genesis: int
    farm: int
    farm_key: int
    grid: int
    grid_key: int
    endorsement: int
    point: int
    batch: int
    next_batch: int
    run: int

    def reading_opening(self, index: int = 3) -> dict[str, Any]:
        return self.log.opening(
            "reading",
            [
                self.batch,
                self.point,
                self.endorsement,
                self.farm_key,
                self.farm,
                self.grid_key,
                self.grid,
                self.genesis,
            ],
            leaf=READINGS.opened(index),
            bodies=[POINT_BODY],
        )

    def allocation_opening(self, index: int = 2) -> dict[str, Any]:
        return self.log.opening(
            "allocation", [self.run, self.genesis], leaf=ALLOCATIONS.opened(index)
        )

    def entry_opening(self) -> dict[str, Any]:
        return self.log.opening("entry", [self.point, self.farm_key, self.farm, self.genesis])


def registered(log: Log) -> Log:
    """Genesis, farm and grid company with their keys: what most attacks begin with."""
    log.genesis()
    log.tick()
    log.party("farm", "generator")
    log.key(FARM, device="meter")
    log.party("grid", "verifier")
    log.key(GRID)
    return log


def park() -> Park:
    log = registered(Log())
    endorsement = log.key_act(
        "key.endorse", FARM, author=GRID, claim="meter key read out on site, seal 4711"
    )
    point = log.point()
    log.tick(900)
    batch = log.add(log.readings_statement(READINGS), FARM)
    following = log.readings_statement(
        READINGS_NEXT, sequence=1, previous=leaf(log.entries[batch]).hex()
    )
    next_batch = log.add(following, FARM)
    log.tick(900)
    run = log.add(log.run_statement(as_of=len(log.entries)), OPERATOR)
    return Park(
        log=log,
        genesis=0,
        farm=2,
        farm_key=3,
        grid=4,
        grid_key=5,
        endorsement=endorsement,
        point=point,
        batch=batch,
        next_batch=next_batch,
        run=run,
    )


def written(value: object) -> bytes:
    """JSON in the one way of formats.md §5; half a surrogate pair can only be written escaped."""
    text = json.dumps(value, ensure_ascii=False, separators=(",", ":")) + "\n"
    return text.encode(errors="backslashreplace")
