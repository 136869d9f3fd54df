"""`gateway.toml`: what a gateway is told (docs/gateway.md). Unknown members are errors."""

from __future__ import annotations

import stat
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Final, TypeVar

from ledger.errors import InvalidInput, NotFound
from ledger.files import parse_toml
from ledger.gateway.collector import Limits
from ledger.log.notes import Signer, VerifyKey, parse_skey, parse_vkey
from ledger.parties.keystore import Keystore
from ledger.parties.signer import signer_of
from ledger.settings import Settings

_Section = TypeVar("_Section")
_SECRET_BYTES_MAX: Final = 4096


@dataclass(frozen=True, slots=True, kw_only=True)
class Server:
    """The ledger's API. `log_vkey` is pinned: what is not signed by it is not believed."""

    url: str
    log_vkey: str
    ca_file: str = ""
    token_file: str = ""
    timeout_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The gateway's own key: `file`, private and plain, or the vkey of one in an encrypted store
    (`folder`; its key-encryption key is in GREENLEDGER_KEK, or beside it)."""

    file: str = ""
    folder: str = ""
    vkey: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broker:
    """The MQTT broker. The `+` of `topic` is the source."""

    host: str
    topic: str
    client_id: str
    port: int = 0
    tls: bool = True
    ca_file: str = ""
    username: str = ""
    password_file: str = ""
    keepalive_s: int = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Collect:
    """Windows and what is taken; see collector.Limits. `send_every_s`: how often is looked."""

    window_s: int = 900
    grace_s: int = 30
    snap_s: int = 60
    memory_days: int = 40
    send_every_s: int = 5

    @property
    def limits(self) -> Limits:
        return Limits(
            window_s=self.window_s,
            grace_s=self.grace_s,
            snap_s=self.snap_s,
            memory_s=self.memory_days * 86_400,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """A whole file. Paths in it are relative to the folder that it is in."""

    outbox: Path
    server: Server
    key: Key
    broker: Broker
    collect: Collect
    folder: Path

    def path(self, text: str) -> Path:
        return self.folder / text

    @property
    def log_key(self) -> VerifyKey:
        return parse_vkey(self.server.log_vkey)

    def signing_key(self) -> Signer:
        """Raises NotFound, InvalidInput or Unavailable; no message holds any of it."""
        if self.key.file:
            return parse_skey(read_secret(self.path(self.key.file)))
        settings = Settings()
        kek = settings.kek.get_secret_value() if settings.kek else None
        signer = signer_of(settings.signer, settings.signer_timeout_s) if settings.signer else None
        store = Keystore(self.path(self.key.folder), kek, signer)
        return store.get(parse_vkey(self.key.vkey))


def read_config(path: Path) -> Config:
    """Raises NotFound or InvalidInput, and says where."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    return parse_config(path.read_bytes(), path)


def parse_config(data: bytes, path: Path) -> Config:
    """The bytes of the file at `path`. Raises InvalidInput."""
    try:
        text = data.decode()
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path}: {error}") from error
    found = parse_toml(text, str(path))
    try:
        return _config(found, path.resolve().parent)
    except InvalidInput as error:
        raise InvalidInput(f"{path}: {error}") from error


def _config(found: Mapping[str, Any], folder: Path) -> Config:
    known = {"outbox", "server", "key", "mqtt", "collect"}
    unknown = sorted(set(found) - known)
    if unknown:
        raise InvalidInput(f"unknown member {unknown[0]!r}; known are {', '.join(sorted(known))}")
    if not isinstance(found.get("outbox"), str):
        raise InvalidInput("outbox is missing: the folder for what is not yet in the log")
    config = Config(
        outbox=folder / found["outbox"],
        server=_section(found, "server", Server),
        key=_section(found, "key", Key),
        broker=_section(found, "mqtt", Broker),
        collect=_section(found, "collect", Collect),
        folder=folder,
    )
    parse_vkey(config.server.log_vkey)
    if bool(config.key.file) == bool(config.key.folder and config.key.vkey):
        raise InvalidInput("[key] has a file, or the folder of a key store and a vkey in it")
    if config.broker.topic.split("/").count("+") != 1 or "#" in config.broker.topic:
        raise InvalidInput("[mqtt] topic has exactly one level '+', the source, and no '#'")
    if not config.broker.client_id:
        raise InvalidInput("[mqtt] client_id is empty: the broker keeps messages by that name")
    collect = config.collect
    if not (0 <= collect.grace_s < collect.window_s <= 86_400 and 86_400 % collect.window_s == 0):
        raise InvalidInput("[collect] window_s divides a day, and grace_s is less than a window")
    if not (0 <= collect.snap_s <= 300 and 1 <= collect.memory_days <= 366):
        raise InvalidInput("[collect] snap_s is 0 to 300, memory_days 1 to 366")
    if not 1 <= collect.send_every_s <= 3600:
        raise InvalidInput("[collect] send_every_s is 1 to 3600")
    return config


def _section(found: Mapping[str, Any], name: str, kind: type[_Section]) -> _Section:
    section = found.get(name, {})
    if not isinstance(section, dict):
        raise InvalidInput(f"[{name}] is a table")
    types = {field.name: field.type for field in fields(kind)}  # type: ignore[arg-type]
    unknown = sorted(set(section) - set(types))
    if unknown:
        raise InvalidInput(f"[{name}]: unknown {unknown[0]!r}; known are {', '.join(types)}")
    wanted = {"str": str, "int": int, "bool": bool}
    for member, value in section.items():
        if type(value) is not wanted[str(types[member])]:
            raise InvalidInput(f"[{name}] {member} is of type {types[member]}, not {value!r}")
    try:
        return kind(**section)
    except TypeError as error:
        missing = str(error).rpartition(":")[2].strip()
        raise InvalidInput(f"[{name}] lacks {missing}") from error


def read_secret(path: Path) -> str:
    """A secret's file, without its last line break. Raises NotFound; InvalidInput where others
    than its owner may read it."""
    if not path.is_file():
        raise NotFound(f"no file {path}")
    mode = stat.S_IMODE(path.stat().st_mode)
    if mode & 0o077:
        raise InvalidInput(f"{path} may be read by others (mode {mode:04o}): chmod 600 it")
    data = path.read_bytes()
    if len(data) > _SECRET_BYTES_MAX:
        raise InvalidInput(f"{path} has {len(data)} bytes, too many for a secret")
    try:
        return data.decode().removesuffix("\n")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{path} is not UTF-8") from error
