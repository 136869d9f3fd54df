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
class TrustedEndorser:
    """A party whose word for meters' keys counts, pinned by the key that it signs with."""

    party: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The logs that are trusted, witnesses whose cosignatures count, and endorsers of keys."""

    logs: tuple[TrustedLog, ...]
    witnesses: tuple[VerifierKey, ...] = ()
    endorsers: tuple[TrustedEndorser, ...] = ()

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        return tuple(log.key for log in self.logs if log.origin == origin)


def trust_of(vkeys: Iterable[str], toml: bytes | None = None) -> Trust:
    """Trust roots from ``--vkey`` (Ed25519: a log, named as its origin; cosigner: a witness) and a
    ``--trust`` file.
    """
    logs: list[TrustedLog] = []
    witnesses: list[VerifierKey] = []
    endorsers: list[TrustedEndorser] = []
    for vkey in vkeys:
        with unusable("--vkey"):
            key = parse_vkey(vkey)
        if key.kind == COSIGNATURE_V1:
            witnesses.append(key)
        else:
            logs.append(TrustedLog(origin=key.name, key=key))
    if toml is not None:
        from_file, endorsers = parse_trust_file(toml)
        logs += from_file
    if not logs:
        raise UnusableInput(
            "no log key given: use --vkey or --trust, with a key that you got from a source you "
            "trust"
        )
    return Trust(logs=tuple(logs), witnesses=tuple(witnesses), endorsers=tuple(endorsers))


def parse_trust_file(raw: bytes) -> tuple[list[TrustedLog], list[TrustedEndorser]]:
    """``[[log]]`` tables with exactly ``origin`` and ``vkey``; ``[[endorser]]`` tables with exactly
    ``party`` and ``vkey``, or none.
    """
    try:
        document = tomllib.loads(raw.decode())
    except (ValueError, RecursionError):
        raise UnusableInput("the trust file is not TOML") from None
    logs, endorsers = document.get("log"), document.get("endorser", [])
    if (
        not {"log"} <= set(document) <= {"log", "endorser"}
        or not isinstance(logs, list)
        or not isinstance(endorsers, list)
    ):
        raise UnusableInput("the trust file must consist of [[log]] and [[endorser]] tables")
    return [_trusted_log(table) for table in logs], [
        _trusted_endorser(table) for table in endorsers
    ]


def _trusted_log(table: object) -> TrustedLog:
    origin, key = _named_key(table, "log", "origin")
    return TrustedLog(origin=origin, key=key)


def _trusted_endorser(table: object) -> TrustedEndorser:
    party, key = _named_key(table, "endorser", "party")
    return TrustedEndorser(party=party, key=key)


def _named_key(table: object, kind: str, member: str) -> tuple[str, VerifierKey]:
    """The name and the Ed25519 key of a ``[[kind]]`` table."""
    if not isinstance(table, dict) or set(table) != {member, "vkey"}:
        raise UnusableInput(
            "a [[{kind}]] table has exactly the members {member} and vkey", kind=kind, member=member
        )
    name, vkey = table[member], table["vkey"]
    if not isinstance(name, str) or not isinstance(vkey, str):
        raise UnusableInput(
            "{member} and vkey of a [[{kind}]] table are strings", kind=kind, member=member
        )
    with unusable("[[{kind}]] {name}", kind=kind, name=name):
        key = parse_vkey(vkey)
    if key.kind == COSIGNATURE_V1:
        raise UnusableInput("the key of {name} is a witness's", name=name)
    return name, key
