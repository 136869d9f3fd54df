"""A Mosquitto of the test's own: unprivileged, on a free port, by deploy/mosquitto.conf itself."""

from __future__ import annotations

import asyncio
import contextlib
import datetime
import ipaddress
import os
import shutil
import socket
import ssl
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import aiomqtt
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from tests.servers.api import free_port

DEPLOY = Path(__file__).parents[2] / "deploy"
PASSWORDS = {"gateway": "gateway-secret-word", "roof": "roof-secret-word", "mill": "mill-word"}
_USER = "nobody"


@dataclass(slots=True, kw_only=True)
class Mosquitto:
    """One broker. `folder` holds its files; `ca_file` is what its clients trust."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def ca_file(self) -> Path:
        return self.folder / "secrets" / "ca.crt"

    def start(self) -> None:
        as_root = os.geteuid() == 0
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["mosquitto", "-c", str(self.folder / "mosquitto.conf")],
                stdout=log,
                stderr=log,
                user=_USER if as_root else None,
                cwd=self.folder,
            )
        deadline = time.monotonic() + 10
        while True:
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port)):
                return
            assert self.process.poll() is None, (self.folder / "log").read_text()
            assert time.monotonic() < deadline, "mosquitto does not listen"
            time.sleep(0.02)

    def stop(self) -> None:
        if self.process is not None:
            self.process.terminate()
            self.process.wait(10)
            self.process = None

    def publish(self, source: str, payloads: Sequence[bytes | str], *, park: str = "p") -> None:
        """Publish as the meter of that source; done when the broker has acknowledged all."""
        asyncio.run(self._publish(source, f"greenledger/{park}/{source}/readings", payloads))

    async def _publish(self, user: str, topic: str, payloads: Sequence[bytes | str]) -> None:
        context = ssl.create_default_context(cafile=self.ca_file)
        async with aiomqtt.Client(
            "127.0.0.1",
            self.port,
            username=user,
            password=PASSWORDS[user],
            tls_context=context,
        ) as client:
            for payload in payloads:
                await client.publish(topic, payload, qos=1)


@contextlib.contextmanager
def mosquitto() -> Iterator[Mosquitto]:
    """Started; stopped and cleared away at the end."""
    folder = Path(tempfile.mkdtemp(prefix="mosquitto-"))
    broker = Mosquitto(folder=folder, port=free_port())
    try:
        _lay_out(broker)
        broker.start()
        yield broker
    finally:
        broker.stop()
        shutil.rmtree(folder)


def _lay_out(broker: Mosquitto) -> None:
    folder = broker.folder
    for name in ("secrets", "data", "config"):
        (folder / name).mkdir()
    shutil.copy(DEPLOY / "mosquitto.acl", folder / "config" / "acl")
    text = (DEPLOY / "mosquitto.conf").read_text().replace("/mosquitto/", f"{folder}/")
    listener = "listener 8883\n"
    assert listener in text
    text = text.replace(listener, f"listener {broker.port} 127.0.0.1\n")
    (folder / "mosquitto.conf").write_text(text)
    passwords = folder / "secrets" / "passwords"
    passwords.touch(0o600)
    for user, password in PASSWORDS.items():
        subprocess.run(["mosquitto_passwd", "-b", str(passwords), user, password], check=True)
    certificates(folder / "secrets")
    if os.geteuid() == 0:
        for path in (folder, *folder.rglob("*")):
            shutil.chown(path, _USER)


def certificates(folder: Path) -> None:
    """An authority of a day, and a certificate of it for 127.0.0.1 and localhost."""
    now = datetime.datetime.now(datetime.UTC)

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, *, authority: bool
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - datetime.timedelta(hours=1))
            .not_valid_after(now + datetime.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=authority, path_length=None), critical=True)
        )

    ca_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    ca = certificate("test authority", ca_key, "test authority", authority=True).sign(
        ca_key, hashes.SHA256()
    )
    names = [
        x509.DNSName("localhost"),
        x509.IPAddress(ipaddress.ip_address("127.0.0.1")),
    ]
    mine = (
        certificate("localhost", key, "test authority", authority=False)
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .sign(ca_key, hashes.SHA256())
    )
    (folder / "ca.crt").write_bytes(ca.public_bytes(serialization.Encoding.PEM))
    (folder / "server.crt").write_bytes(mine.public_bytes(serialization.Encoding.PEM))
    secret = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    (folder / "server.key").touch(0o600)
    (folder / "server.key").write_bytes(secret)
