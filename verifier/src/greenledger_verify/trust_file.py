"""The file ``--trust``: TOML with the tables that docs/formats.md §9.1 lists."""

import re
import tomllib
from collections.abc import Iterable
from typing import Any, Final

from greenledger_verify.encoding import NATURAL_MAX, decode_base64, decode_hex
from greenledger_verify.failure import UnusableInput, VerificationError, unusable
from greenledger_verify.note import COSIGNATURES, ED25519, VerifierKey, parse_vkey
from greenledger_verify.trust import (
    Pin,
    Policy,
    Trust,
    TrustedEndorser,
    TrustedLog,
    TrustedWitness,
)
from greenledger_verify.tsacerts import Authority, parse_certificate

_TABLES: Final = ("log", "endorser", "witness", "authority")
_POLICY: Final = ("witnesses", "auditing", "authorities")
_CERTIFICATES_MAX: Final = 64
_PEM = re.compile(r"-----BEGIN CERTIFICATE-----([A-Za-z0-9+/=\s]*)-----END CERTIFICATE-----")


def parse_trust_file(raw: bytes) -> Trust:
    """``[[log]]`` (``origin``, ``vkey``, and ``size`` with ``root``), ``[[endorser]]`` (``party``,
    ``vkey``), ``[[witness]]`` (``vkey``, ``audits``), ``[[authority]]`` (``name``,
    ``certificates``), ``[policy]`` (``witnesses``, ``auditing``, ``authorities``).
    """
    try:
        document = tomllib.loads(raw.decode())
    except (ValueError, RecursionError):
        raise UnusableInput("the trust file is not TOML") from None
    tables = {name: document.get(name, []) for name in _TABLES}
    policy = document.get("policy", {})
    if (
        not set(document) <= {*_TABLES, "policy"}
        or not all(isinstance(table, list) for table in tables.values())
        or not isinstance(policy, dict)
    ):
        raise UnusableInput(
            "the trust file must consist of [[log]], [[endorser]], [[witness]] and [[authority]] "
            "tables and one [policy]"
        )
    logs = [_log(table) for table in tables["log"]]
    authorities = tuple(_authority(table) for table in tables["authority"])
    if len({one.name for one in authorities}) != len(authorities):
        raise UnusableInput("two authorities of the trust file have one name")
    _require_own_roots(authorities)
    return Trust(
        logs=tuple(log for log, _ in logs),
        witnesses=tuple(_witness(table) for table in tables["witness"]),
        endorsers=tuple(_endorser(table) for table in tables["endorser"]),
        authorities=authorities,
        pins=tuple(pin for _, pin in logs if pin is not None),
        policy=_policy(policy),
    )


def _log(table: object) -> tuple[TrustedLog, Pin | None]:
    members = _members(table, "log", {"origin": str, "vkey": str}, {"size": int, "root": str})
    origin = members["origin"]
    key = _key(members, "log", origin)
    if ("size" in members) != ("root" in members):
        raise UnusableInput("size and root of a [[log]] table stand together, or neither")
    log = TrustedLog(origin=origin, key=key)
    if "size" not in members:
        return log, None
    with unusable("[[{kind}]] {name}", kind="log", name=origin):
        if not 1 <= members["size"] <= NATURAL_MAX:
            raise VerificationError("size is not a number of entries from 1 on")
        root = decode_hex(members["root"], 32)
    return log, Pin(origin=origin, size=members["size"], root=root)


def _endorser(table: object) -> TrustedEndorser:
    members = _members(table, "endorser", {"party": str, "vkey": str}, {})
    key = _key(members, "endorser", members["party"])
    if key.kind != ED25519:
        raise UnusableInput("the key of {name} is a witness's", name=members["party"])
    return TrustedEndorser(party=members["party"], key=key)


def _witness(table: object) -> TrustedWitness:
    members = _members(table, "witness", {"vkey": str}, {"audits": bool})
    key = _key(members, "witness", members["vkey"])
    if key.kind not in COSIGNATURES:
        raise UnusableInput("the key of {name} is not a witness's (type 4 or 6)", name=key.name)
    return TrustedWitness(key=key, audits=members.get("audits", False))


def _authority(table: object) -> Authority:
    """Certificates that issue themselves are roots, others help to lead there."""
    members = _members(table, "authority", {"name": str, "certificates": str}, {})
    with unusable("[[{kind}]] {name}", kind="authority", name=members["name"]):
        blocks = _PEM.findall(members["certificates"])
        if len(blocks) > _CERTIFICATES_MAX:
            raise VerificationError("more than {max} certificates", max=_CERTIFICATES_MAX)
        certificates = [
            parse_certificate(decode_base64("".join(block.split()))) for block in blocks
        ]
        roots = tuple(one for one in certificates if one.issuer == one.subject)
        if not roots or not members["name"]:
            raise VerificationError(
                "an authority needs a name, and a root certificate (one that issued itself) in PEM"
            )
    return Authority(
        name=members["name"],
        roots=roots,
        others=tuple(one for one in certificates if one not in roots),
    )


def _require_own_roots(authorities: Iterable[Authority]) -> None:
    """One root under two names would be counted as two authorities."""
    names: dict[bytes, str] = {}
    for authority in authorities:
        for root in authority.roots:
            name = names.setdefault(root.public_key, authority.name)
            if name != authority.name:
                raise UnusableInput(
                    "the authorities {name} and {other} have a root of one key",
                    name=name,
                    other=authority.name,
                )


def _policy(table: dict[str, object]) -> Policy:
    members = _members(table, "policy", {}, dict.fromkeys(_POLICY, int))
    if any(not 0 <= number <= NATURAL_MAX for number in members.values()):
        raise UnusableInput("the numbers of [policy] are from 0 on")
    return Policy(**members)


def _key(members: dict[str, Any], kind: str, name: str) -> VerifierKey:
    with unusable("[[{kind}]] {name}", kind=kind, name=name):
        key = parse_vkey(members["vkey"])
        if kind == "log" and key.kind not in (ED25519, COSIGNATURES[-1]):
            raise VerificationError("the key of {name} is a witness's", name=name)
    return key


def _members(
    table: object, kind: str, required: dict[str, type], optional: dict[str, type]
) -> dict[str, Any]:
    """The members of a table, each of its type, none unknown."""
    kinds = required | optional
    if not isinstance(table, dict) or not set(required) <= set(table) <= set(kinds):
        raise UnusableInput(
            "a table {kind} has the members {required}, and may have {optional}",
            kind=kind,
            required=list(required) or "–",
            optional=list(optional) or "–",
        )
    for name, value in table.items():
        if type(value) is not kinds[name]:
            raise UnusableInput(
                "{member} of a table {kind} is not of the type {type}",
                member=name,
                kind=kind,
                type=kinds[name].__name__,
            )
    return table
