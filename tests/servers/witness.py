"""A C2SP witness of the tests' own, written apart from ours, and one that may be told to misbehave.

It knows a log by its vkey, keeps (size, root), and checks consistency by RFC 9162 §2.1.4.2. It
takes nothing from `ledger` or the verifier: what both of them got wrong together would show here.
"""

from __future__ import annotations

import base64
import contextlib
import hashlib
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.mldsa import MLDSA44PrivateKey

from tests.servers.answering import Quiet, answering

_DASH: Final = "\u2014"


@dataclass(frozen=True)
class Cosigner:
    """A witness's key: type 4 is Ed25519, 6 ML-DSA-44; the same in every run."""

    name: str
    type_: int = 4

    @property
    def _seed(self) -> bytes:
        return hashlib.sha256(f"{self.name} {self.type_}".encode()).digest()

    @property
    def public(self) -> bytes:
        if self.type_ == 4:
            return Ed25519PrivateKey.from_private_bytes(self._seed).public_key().public_bytes_raw()
        return MLDSA44PrivateKey.from_seed_bytes(self._seed).public_key().public_bytes_raw()

    @property
    def key_id(self) -> bytes:
        head = self.name.encode() + b"\n" + bytes([self.type_])
        return hashlib.sha256(head + self.public).digest()[:4]

    @property
    def vkey(self) -> str:
        blob = base64.b64encode(bytes([self.type_]) + self.public).decode()
        return f"{self.name}+{self.key_id.hex()}+{blob}"

    def line(self, text: bytes, at_s: int) -> bytes:
        """Its signature line over the text of a checkpoint."""
        if self.type_ == 4:
            message = b"cosignature/v1\ntime " + str(at_s).encode() + b"\n" + text
            made = Ed25519PrivateKey.from_private_bytes(self._seed).sign(message)
        else:
            origin, size, root = text.split(b"\n")[:3]
            name = self.name.encode()
            message = b"subtree/v1\n\x00" + bytes([len(name)]) + name + struct.pack(">Q", at_s)
            message += bytes([len(origin)]) + origin + struct.pack(">QQ", 0, int(size))
            message += base64.b64decode(root)
            made = MLDSA44PrivateKey.from_seed_bytes(self._seed).sign(message)
        blob = base64.b64encode(self.key_id + struct.pack(">Q", at_s) + made).decode()
        return f"{_DASH} {self.name} {blob}\n".encode()


def _node(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(b"\x01" + left + right).digest()


def consistent(old: int, new: int, old_root: bytes, new_root: bytes, path: Sequence[bytes]) -> bool:
    """RFC 9162 §2.1.4.2, for 0 < old < new."""
    rest = list(path)
    if old & (old - 1) == 0:
        rest.insert(0, old_root)
    if not rest:
        return False
    fn, sn = old - 1, new - 1
    while fn & 1:
        fn, sn = fn >> 1, sn >> 1
    fr = sr = rest.pop(0)
    for hash_ in rest:
        if sn == 0:
            return False
        if fn & 1 or fn == sn:
            fr, sr = _node(hash_, fr), _node(hash_, sr)
            while not fn & 1 and fn:
                fn, sn = fn >> 1, sn >> 1
        else:
            sr = _node(sr, hash_)
        fn, sn = fn >> 1, sn >> 1
    return (fr, sr, sn) == (old_root, new_root, 0)


# Status, media type and body.
Reply = tuple[int, str, bytes]


@dataclass
class Witness:
    """A witness of one log. `answer` may be exchanged by a test, and so may all that it knows."""

    log_vkey: str
    cosigners: Sequence[Cosigner]
    clock_s: Callable[[], float] = time.time
    size: int = 0
    root: bytes = b""
    url: str = ""
    last: bytes = b""
    asked: list[bytes] = field(default_factory=list)
    answer: Callable[[bytes], Reply] = field(init=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        self.answer = self.honest

    def honest(self, body: bytes) -> Reply:
        with self._lock:
            return self._add(body)

    def _add(self, body: bytes) -> Reply:
        head, _, note = body.partition(b"\n\n")
        old_line, *hashes = head.split(b"\n")
        old = int(old_line.removeprefix(b"old "))
        text, _, signatures = note.rpartition(b"\n\n")
        text += b"\n"
        origin, size_line, root_line = text.split(b"\n")[:3]
        size, root = int(size_line), base64.b64decode(root_line)
        name, key_id, blob = self.log_vkey.split("+", 2)
        if origin.decode() != name:
            return 404, "text/plain", b"unknown log\n"
        if not _signed(text, signatures, name, bytes.fromhex(key_id), base64.b64decode(blob)[1:]):
            return 403, "text/plain", b"not signed\n"
        if old > size:
            return 400, "text/plain", b"old is larger\n"
        if old != self.size:
            return 409, "text/x.tlog.size", f"{self.size}\n".encode()
        path = [base64.b64decode(line) for line in hashes]
        if old == size and size:
            if root != self.root:
                return 409, "text/x.tlog.size", f"{self.size}\n".encode()
        elif old and not consistent(old, size, self.root, root, path):
            return 422, "text/plain", b"not consistent\n"
        elif not old and path:
            return 422, "text/plain", b"a path from nothing\n"
        self.size, self.root = size, root
        lines = [one.line(text, int(self.clock_s())) for one in self.cosigners]
        return 200, "text/plain", b"".join(lines)


def _signed(text: bytes, signatures: bytes, name: str, key_id: bytes, public: bytes) -> bool:
    for line in signatures.decode().splitlines():
        _, by, encoded = line.split(" ")
        blob = base64.b64decode(encoded)
        if by == name and blob[:4] == key_id:
            with contextlib.suppress(InvalidSignature):
                Ed25519PublicKey.from_public_bytes(public).verify(blob[4:], text)
                return True
    return False


@contextlib.contextmanager
def serving(witness: Witness) -> Iterator[Witness]:
    """Answer on a free port until the block ends."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.path == "/w/add-checkpoint"
            witness.asked.append(body)
            self._send(*witness.answer(body))

        def do_GET(self) -> None:
            """What it cosigned last, by a test's word."""
            assert self.path.endswith("/checkpoint")
            self._send(200 if witness.last else 404, "text/plain", witness.last)

        def _send(self, status: int, media: str, found: bytes) -> None:
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(found)))
            self.end_headers()
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                self.wfile.write(found)

    with answering(Handler) as url:
        witness.url = f"{url}/w"
        yield witness
