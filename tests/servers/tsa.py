"""Time-stamping authorities of the tests' own: `openssl ts -reply` behind a small HTTP server.

Made once for a session: one that is trusted, one that nobody trusts, one whose certificate ended.
"""

from __future__ import annotations

import contextlib
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from pathlib import Path
from typing import Final

import pytest

from tests.servers.answering import Quiet, answering

# `certs` is left out: the signer's certificate alone goes into a token.
_CONFIG: Final = """
[ tsa ]
default_tsa = tsa1
[ tsa1 ]
serial = {folder}/serial
signer_digest = sha256
default_policy = 1.2.3.4.1
digests = sha256, sha512
ess_cert_id_alg = sha256
[ root ]
basicConstraints = critical, CA:TRUE
keyUsage = critical, keyCertSign
[ signer ]
basicConstraints = critical, CA:FALSE
keyUsage = critical, digitalSignature
extendedKeyUsage = critical, timeStamping
"""


def openssl(*words: str, stdin: bytes | None = None) -> bytes:
    done = subprocess.run(["openssl", *words], input=stdin, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout


@dataclass(frozen=True)
class Keys:
    """The files of an authority: `root.pem`, `tsa.pem`, `tsa.key`, `tsa.cnf`."""

    folder: Path

    @classmethod
    def make(cls, folder: Path, name: str, *, dates: tuple[str, str] | None = None) -> Keys:
        """`dates`: of the signer's certificate, YYYYMMDDHHMMSSZ; from now on where none."""
        folder.mkdir()
        config = folder / "tsa.cnf"
        config.write_text(_CONFIG.format(folder=folder))
        (folder / "serial").write_text("01\n")
        new = ("req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes")
        root, tsa = folder / "root", folder / "tsa"
        openssl(
            *(*new, "-x509", "-days", "3650", "-subj", f"/O={name}/CN=Root"),
            *("-config", str(_request_config(folder)), "-extensions", "root"),
            *("-keyout", f"{root}.key", "-out", f"{root}.pem"),
        )
        openssl(
            *(*new, "-subj", f"/O={name}/CN=TSA", "-config", str(_request_config(folder))),
            *("-keyout", f"{tsa}.key", "-out", f"{tsa}.csr"),
        )
        if dates is None:
            openssl(
                *("x509", "-req", "-in", f"{tsa}.csr", "-CA", f"{root}.pem"),
                *("-CAkey", f"{root}.key", "-CAcreateserial", "-days", "365"),
                *("-extfile", str(config), "-extensions", "signer", "-out", f"{tsa}.pem"),
            )
        else:
            _sign_with_dates(folder, dates)
        return cls(folder)

    @property
    def roots(self) -> str:
        return (self.folder / "root.pem").read_text()

    def reply(self, query: bytes) -> bytes:
        """The TimeStampResp to a request, whatever it asks for."""
        with tempfile.NamedTemporaryFile(dir=self.folder) as file:
            file.write(query)
            file.flush()
            return openssl(
                *("ts", "-reply", "-queryfile", file.name, "-config", str(self.folder / "tsa.cnf")),
                *("-signer", str(self.folder / "tsa.pem"), "-inkey", str(self.folder / "tsa.key")),
            )


def _request_config(folder: Path) -> Path:
    path = folder / "request.cnf"
    path.write_text("[ req ]\ndistinguished_name = dn\n[ dn ]\n" + _CONFIG.format(folder=folder))
    return path


def _sign_with_dates(folder: Path, dates: tuple[str, str]) -> None:
    """`openssl x509` of 3.0 takes no dates; `openssl ca` does."""
    (folder / "index.txt").touch()
    (folder / "ca-serial").write_text("77\n")
    config = folder / "ca.cnf"
    config.write_text(
        f"[ ca ]\ndefault_ca = d\n[ d ]\ndatabase = {folder}/index.txt\n"
        f"serial = {folder}/ca-serial\nnew_certs_dir = {folder}\ndefault_md = sha256\npolicy = p\n"
        "[ p ]\norganizationName = optional\ncommonName = supplied\n"
        + _CONFIG.format(folder=folder)
    )
    openssl(
        *("ca", "-batch", "-notext", "-config", str(config), "-in", str(folder / "tsa.csr")),
        *("-cert", str(folder / "root.pem"), "-keyfile", str(folder / "root.key")),
        *("-startdate", dates[0], "-enddate", dates[1], "-extensions", "signer"),
        *("-out", str(folder / "tsa.pem")),
    )


# What a server does with a request: status, media type, body.
Reply = tuple[int, str, bytes]


@dataclass
class Authority:
    """A running server. `answer` may be exchanged by a test; `slow_s` waits before each piece."""

    keys: Keys
    answer: Callable[[bytes], Reply] = field(init=False)
    slow_s: float = 0.0
    asked: int = 0
    url: str = ""

    def __post_init__(self) -> None:
        self.answer = self.honest

    def honest(self, query: bytes) -> Reply:
        return 200, "application/timestamp-reply", self.keys.reply(query)


@contextlib.contextmanager
def serving(authority: Authority) -> Iterator[Authority]:
    """Answer on a free port until the block ends."""

    class Handler(Quiet, BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            query = self.rfile.read(int(self.headers["Content-Length"]))
            assert self.headers["Content-Type"] == "application/timestamp-query"
            authority.asked += 1
            status, media, body = authority.answer(query)
            self.send_response(status)
            self.send_header("Content-Type", media)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            step = len(body) if not authority.slow_s else 8
            with contextlib.suppress(BrokenPipeError, ConnectionResetError):
                for at in range(0, len(body), step or 1):
                    time.sleep(authority.slow_s)
                    self.wfile.write(body[at : at + step])

    with answering(Handler) as url:
        authority.url = f"{url}/tsr"
        yield authority


@dataclass(frozen=True)
class Authorities:
    """Keys of authorities: of the one that is trusted, of a stranger, and of one that is over."""

    good: Keys
    stranger: Keys
    expired: Keys


@pytest.fixture(scope="session")
def authorities(tmp_path_factory: pytest.TempPathFactory) -> Authorities:
    folder = tmp_path_factory.mktemp("tsa")
    return Authorities(
        good=Keys.make(folder / "good", "Good"),
        stranger=Keys.make(folder / "stranger", "Stranger"),
        expired=Keys.make(
            folder / "expired", "Expired", dates=("20200101000000Z", "20210101000000Z")
        ),
    )


@pytest.fixture
def tsa(authorities: Authorities) -> Iterator[Authority]:
    """The trusted authority, running."""
    with serving(Authority(authorities.good)) as found:
        yield found
