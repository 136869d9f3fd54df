"""Trust roots: what the person who verifies brings along. No file under judgement can add to
them.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from greenledger_verify.failure import UnusableInput, unusable
from greenledger_verify.note import (
    COSIGNATURE_MLDSA,
    COSIGNATURES,
    ED25519,
    VerifierKey,
    parse_vkey,
)
from greenledger_verify.tsacerts import Authority


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedLog:
    """A log by its origin and a key that signs its checkpoints: Ed25519, or ML-DSA-44 as its second
    one.
    """

    origin: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedEndorser:
    """A party whose word for meters' keys counts, pinned by the key that it signs with."""

    party: str
    key: VerifierKey


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustedWitness:
    """A witness by its key. One that ``audits`` cosigns only what it has checked the single-use
    rule on, entry by entry; that it does so is its word.
    """

    key: VerifierKey
    audits: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Pin:
    """What was seen of a log before: its first ``size`` entries (1 or more) have this root."""

    origin: str
    size: int
    root: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Policy:
    """The least numbers of distinct witnesses, auditing witnesses and authorities that must vouch,
    by name.
    """

    witnesses: int = 0
    auditing: int = 0
    authorities: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Trust:
    """The logs that are trusted, witnesses and authorities whose word counts, endorsers of keys,
    what was seen before, and how many must vouch.
    """

    logs: tuple[TrustedLog, ...]
    witnesses: tuple[TrustedWitness, ...] = ()
    endorsers: tuple[TrustedEndorser, ...] = ()
    authorities: tuple[Authority, ...] = ()
    pins: tuple[Pin, ...] = ()
    policy: Policy = Policy()

    def keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        return tuple(
            log.key for log in self.logs if log.origin == origin and log.key.kind == ED25519
        )

    def second_keys_of(self, origin: str) -> tuple[VerifierKey, ...]:
        """The log's ML-DSA-44 keys, where its user has pinned some."""
        return tuple(
            log.key for log in self.logs if log.origin == origin and log.key.kind != ED25519
        )

    def audits(self, key: VerifierKey) -> bool:
        return any(one.audits and one.key == key for one in self.witnesses)

    def pins_of(self, origin: str) -> tuple[Pin, ...]:
        return tuple(pin for pin in self.pins if pin.origin == origin)


def trust_of(vkeys: Iterable[str], toml: bytes | None = None) -> Trust:
    """Trust roots from ``--vkey`` (Ed25519: a log, named as its origin; cosigner: a witness, or the
    second key of a log of that name) and a ``--trust`` file.
    """
    # The file's reader needs the values above.
    from greenledger_verify.trust_file import parse_trust_file

    given = []
    for vkey in vkeys:
        with unusable("--vkey"):
            given.append(parse_vkey(vkey))
    trust = Trust(logs=(), policy=Policy()) if toml is None else parse_trust_file(toml)
    names = {key.name for key in given if key.kind == ED25519}
    names |= {log.origin for log in trust.logs}
    own = [key for key in given if key.kind == ED25519]
    own += [key for key in given if key.kind == COSIGNATURE_MLDSA and key.name in names]
    logs = [*(TrustedLog(origin=key.name, key=key) for key in own), *trust.logs]
    witnesses = [
        TrustedWitness(key=key) for key in given if key.kind in COSIGNATURES and key not in own
    ]
    if not any(log.key.kind == ED25519 for log in logs):
        raise UnusableInput(
            "no log key given: use --vkey or --trust, with a key that you got from a source you "
            "trust"
        )
    _require_independent(logs, [*witnesses, *trust.witnesses])
    return Trust(
        logs=tuple(logs),
        witnesses=(*witnesses, *trust.witnesses),
        endorsers=trust.endorsers,
        authorities=trust.authorities,
        pins=trust.pins,
        policy=trust.policy,
    )


def _require_independent(logs: Sequence[TrustedLog], witnesses: Iterable[TrustedWitness]) -> None:
    """One key under two names would be counted as two that vouch, and a log does not vouch for
    itself.
    """
    origins = {log.origin for log in logs}
    names = {log.key.public_key: f"log {log.origin}" for log in logs}
    for one in witnesses:
        if one.key.name in origins:
            raise UnusableInput(
                "the witness {name} has the name of a log: it would vouch for itself",
                name=one.key.name,
            )
        name = names.setdefault(one.key.public_key, one.key.name)
        if name != one.key.name:
            raise UnusableInput(
                "the key of the witness {name} is also that of {other}",
                name=one.key.name,
                other=name,
            )
