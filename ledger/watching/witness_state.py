"""What a witness keeps on disk: its keys, the logs that it knows, and what it cosigned of each.

    witness.json              its name, and its keys by vkey, in force or ended
    keys/<key id>.key         private keys, each for its owner alone
    logs/<origin hash>/       log.json (keys, address, whether it is audited), cosigned.json (the
                              last checkpoint), violation.json, conflict-*.json, lock, and of an
                              audited log mirror/

Each file is replaced whole, and on disk before anybody is answered. The lock of a log is held from
the comparison with `cosigned.json` to its replacement, by whatever thread or process.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final, TypeVar

from greenledger_verify.merkle import EMPTY_ROOT
from greenledger_verify.note import VerifierKey
from ledger import files
from ledger.errors import Corrupt, InvalidInput, NotFound, Refused
from ledger.watching.conflict import Conflict
from ledger.watching.cosigner import ED25519, ML_DSA_44, Cosigner, parse_cosigner
from ledger.watching.notes import read_log_keys

_BYTES_MAX: Final = 1024 * 1024
T = TypeVar("T")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnKey:
    """A key of the witness; `ended_s` is 0 while it is in force."""

    vkey: str
    since_s: int
    ended_s: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownLog:
    """A log that the witness cosigns: `vkeys` are its keys by hand, `learned` those that its own
    entries registered, `ended` those that they ended."""

    origin: str
    vkeys: tuple[str, ...]
    url: str = ""
    audit: bool = False
    learned: tuple[str, ...] = ()
    ended: tuple[str, ...] = ()

    @property
    def keys(self) -> list[VerifierKey]:
        found = [one for one in (*self.vkeys, *self.learned) if one not in self.ended]
        return read_log_keys(dict.fromkeys(found)) if found else []


@dataclass(frozen=True, slots=True, kw_only=True)
class Cosigned:
    """The last checkpoint that was cosigned, with signatures; size 0 before the first."""

    size: int = 0
    root: bytes = EMPTY_ROOT
    time_s: int = 0
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Broken:
    """Why an audited log is never cosigned again: the entry that breaks a rule."""

    index: int
    reason: str
    size: int
    note: str
    found_s: int


def _read(path: Path, parse: Callable[[Any], T]) -> T | None:
    """Raises Corrupt."""
    try:
        data = files.read_regular(path, _BYTES_MAX)
    except InvalidInput as error:
        raise Corrupt(str(error)) from error  # a link, a folder: nobody's request is to blame
    if data is None:
        return None
    try:
        return parse(json.loads(data))
    except (ValueError, KeyError, TypeError) as error:
        raise Corrupt(f"{path} is broken: {error}") from error


def _write(path: Path, members: Mapping[str, Any]) -> None:
    text = json.dumps(members, ensure_ascii=False, indent=1) + "\n"
    files.replace(path, text.encode())


def _known_log(members: Any) -> KnownLog:
    lists = {name: tuple(members[name]) for name in ("vkeys", "learned", "ended")}
    return KnownLog(**{**members, **lists})


def _cosigned(members: Any) -> Cosigned:
    return Cosigned(**{**members, "root": bytes.fromhex(members["root"])})


def origin_hash(origin: str) -> str:
    return hashlib.sha256(origin.encode()).hexdigest()


class LogState:
    """One log's folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @contextmanager
    def locked(self) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    @property
    def known(self) -> KnownLog:
        found = _read(self.folder / "log.json", _known_log)
        if found is None:
            raise Corrupt(f"{self.folder} has no log.json")
        return found

    def save_known(self, known: KnownLog) -> None:
        _write(self.folder / "log.json", asdict(known))

    @property
    def cosigned(self) -> Cosigned:
        return _read(self.folder / "cosigned.json", _cosigned) or Cosigned()

    def save_cosigned(self, cosigned: Cosigned) -> None:
        """Call with the lock, in which `cosigned` was compared with what is there."""
        members = {**asdict(cosigned), "root": cosigned.root.hex()}
        _write(self.folder / "cosigned.json", members)

    @property
    def broken(self) -> Broken | None:
        return _read(self.folder / "violation.json", lambda members: Broken(**members))

    @property
    def conflicts(self) -> list[Path]:
        """Evidence of two histories that the log signed."""
        return sorted(self.folder.glob("conflict-*.json"))

    def save_conflict(self, conflict: Conflict) -> None:
        conflict.check()
        path = self.folder / f"conflict-{conflict.old.size}.json"
        if not path.exists():
            files.replace(path, conflict.encode())

    def save_broken(self, broken: Broken) -> None:
        """Once and for all: the first stays."""
        if self.broken is None:
            _write(self.folder / "violation.json", asdict(broken))


class WitnessState:
    """The folder of a witness."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @classmethod
    def create(cls, folder: Path, name: str, *, ml_dsa: bool, now_s: int) -> WitnessState:
        """A witness with new keys. Raises Refused where there is one."""
        if (folder / "witness.json").exists():
            raise Refused(f"{folder} holds a witness already")
        made = [Cosigner.new(name, kind) for kind in (ED25519, *([ML_DSA_44] if ml_dsa else []))]
        files.make_private_folder(folder / "logs")
        found = cls(folder)
        with found._locked():
            found._add_keys(name, [], made, now_s)
        return found

    @contextmanager
    def _locked(self, how: int = fcntl.LOCK_EX) -> Iterator[None]:
        with (self.folder / "lock").open("w") as file:
            fcntl.flock(file, how)
            yield

    # Keys

    def _members(self) -> Any:
        found = _read(self.folder / "witness.json", lambda members: members)
        if found is None:
            raise NotFound(
                f"{self.folder} holds no witness; make one with: greenledger witness init NAME"
            )
        return found

    @property
    def name(self) -> str:
        return str(self._members()["name"])

    @property
    def keys(self) -> list[OwnKey]:
        return [OwnKey(**one) for one in self._members()["keys"]]

    @property
    def cosigners(self) -> list[Cosigner]:
        """Private keys in force. Raises Corrupt where one is missing."""
        with self._locked(fcntl.LOCK_SH):
            return self._in_force()

    def _in_force(self) -> list[Cosigner]:
        return [self._private(one) for one in self.keys if not one.ended_s]

    def _path(self, vkey: str) -> Path:
        return self.folder / "keys" / f"{vkey.split('+')[1]}.key"

    def _private(self, key: OwnKey) -> Cosigner:
        data = files.read_regular(self._path(key.vkey), _BYTES_MAX)
        if data is None:
            raise Corrupt(f"the private key of {key.vkey} is missing in {self.folder / 'keys'}")
        found = parse_cosigner(data.decode(errors="replace"))
        if found.vkey != key.vkey:
            raise Corrupt(f"{self._path(key.vkey)} is not the private key of {key.vkey}")
        return found

    def _add_keys(self, name: str, old: list[OwnKey], made: list[Cosigner], now_s: int) -> None:
        for one in made:
            files.write_private(self._path(one.vkey), one.text.encode() + b"\n")
        keys = [*old, *(OwnKey(vkey=one.vkey, since_s=now_s) for one in made)]
        self._save_keys(name, keys)

    def _save_keys(self, name: str, keys: list[OwnKey]) -> None:
        _write(self.folder / "witness.json", {"name": name, "keys": [asdict(key) for key in keys]})

    def rotate(self, now_s: int) -> list[OwnKey]:
        """A new key of each kind that is in force, beside the old ones. Returns the new ones."""
        with self._locked():
            kinds = sorted({one.kind for one in self._in_force()})
            made = [Cosigner.new(self.name, kind) for kind in kinds]
            self._add_keys(self.name, self.keys, made, now_s)
        return self.keys[-len(made) :]

    def end(self, key: str, now_s: int) -> OwnKey:
        """The key (a vkey, or its id) signs no more, and its private half is removed. Raises
        NotFound, or Refused for the last one of its kind."""
        with self._locked():
            keys = self.keys
            found = [one for one in keys if not one.ended_s and _is(one, key)]
            if len(found) != 1:
                raise NotFound(f"no key {key!r} of this witness is in force; see: witness show")
            others = [one for one in self._in_force() if one.vkey != found[0].vkey]
            if self._private(found[0]).kind not in {one.kind for one in others}:
                raise Refused(
                    "it is the last key of its kind: make the next one first, with: greenledger"
                    " witness rotate-key"
                )
            ended = replace(found[0], ended_s=now_s)
            self._save_keys(self.name, [ended if one == found[0] else one for one in keys])
            self._path(ended.vkey).unlink(missing_ok=True)
        return ended

    # Logs

    def log(self, origin: str) -> LogState | None:
        folder = self.folder / "logs" / origin_hash(origin)
        return LogState(folder) if (folder / "log.json").is_file() else None

    def logs(self) -> list[LogState]:
        found = [LogState(path.parent) for path in self.folder.glob("logs/*/log.json")]
        return sorted(found, key=lambda one: one.known.origin)

    def add_log(self, vkeys: Sequence[str], url: str, *, audit: bool) -> KnownLog:
        """A log, or further keys and another address of one that is known. Raises InvalidInput."""
        self._members()
        origin = read_log_keys(vkeys)[0].name
        folder = self.folder / "logs" / origin_hash(origin)
        files.make_private_folder(folder)
        state = LogState(folder)
        with state.locked():
            old = _read(folder / "log.json", _known_log) or KnownLog(origin=origin, vkeys=())
            known = replace(
                old,
                vkeys=tuple(dict.fromkeys((*old.vkeys, *vkeys))),
                url=url or old.url,
                audit=audit or old.audit,
            )
            if known.audit and not known.url:
                raise InvalidInput("--audit: say where the log is published, with --url")
            state.save_known(known)
        return known


def _is(key: OwnKey, given: str) -> bool:
    return given in (key.vkey, key.vkey.split("+")[1])
