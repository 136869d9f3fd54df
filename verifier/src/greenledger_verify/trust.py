"""Trust roots: what the person who verifies brings along. No file under judgement can add to
them.
"""

import tomllib
from collections.abc import Iterable
from dataclasses import dataclass

from greenledger_verify.failure import UnusableInput, unusable
from greenledger_verify.note import COSIGNATURE_V1, VerifierKey, parse_vkey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLog:
    """A log by its origin and the key that signs its checkpoints."""

    origin: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The logs that are trusted, and witnesses whose cosignatures count."""

    logs: tuple[TrustedLog, ...]
    witnesses: tuple[VerifierKey, ...] = ()

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        return tuple(log.key for log in self.logs if log.origin == origin)


def trust_of(vkeys: Iterable[str], toml: bytes | None = None) -> Trust:
    """Trust roots from ``--vkey`` (Ed25519: a log, named as its origin; cosigner: a witness) and a
    ``--trust`` file.
    """
    logs, witnesses = [], []
    for vkey in vkeys:
        with unusable("--vkey"):
            key = parse_vkey(vkey)
        if key.kind == COSIGNATURE_V1:
            witnesses.append(key)
        else:
            logs.append(TrustedLog(origin=key.name, key=key))
    if toml is not None:
        logs += parse_trust_file(toml)
    if not logs:
        raise UnusableInput(
            "no log key given: use --vkey or --trust, with a key that you got from a source you "
            "trust"
        )
    return Trust(logs=tuple(logs), witnesses=tuple(witnesses))


def parse_trust_file(raw: bytes) -> list[TrustedLog]:
    """``[[log]]`` tables with exactly ``origin`` and ``vkey``."""
    try:
        document = tomllib.loads(raw.decode())
    except (ValueError, RecursionError):
        raise UnusableInput("the trust file is not TOML") from None
    tables = document.get("log")
    if set(document) != {"log"} or not isinstance(tables, list):
        raise UnusableInput("the trust file must consist of [[log]] tables")
    return [_trusted_log(table) for table in tables]


def _trusted_log(table: object) -> TrustedLog:
    if not isinstance(table, dict) or set(table) != {"origin", "vkey"}:
        raise UnusableInput("a [[log]] table has exactly the members origin and vkey")
    origin, vkey = table["origin"], table["vkey"]
    if not isinstance(origin, str) or not isinstance(vkey, str):
        raise UnusableInput("origin and vkey of a [[log]] table are strings")
    with unusable("[[log]] {origin}", origin=origin):
        key = parse_vkey(vkey)
    if key.kind == COSIGNATURE_V1:
        raise UnusableInput("the key of log {origin} is a witness's", origin=origin)
    return TrustedLog(origin=origin, key=key)
