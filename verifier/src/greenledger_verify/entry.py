"""Entries (formats.md §1, §4): a signed note whose text is one strict JSON statement.

``parse_entry`` judges an entry by itself. What depends on other entries (who may sign, what may
follow) is in ``rules``.
"""

from dataclasses import dataclass
from typing import Final

from greenledger_verify import members
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import (
    MEDIA,
    Check,
    check_members,
    hash_reference,
    integer,
    one_of,
    or_empty,
    root_reference,
    sorted_list,
    text,
    words,
)
from greenledger_verify.merkle import leaf_hash
from greenledger_verify.note import Note, parse_note
from greenledger_verify.periodforms import PERIOD_MEMBERS, month
from greenledger_verify.recordforms import RECORD_MEMBERS
from greenledger_verify.strict_json import STATEMENT_DEPTH_MAX, parse_object
from greenledger_verify.unitforms import UNIT_MEMBERS, check_unit_form

ENTRY_SIZE_MAX: Final = 65_535
CLAIM_QUARTERS_MAX: Final = 2**20

_COMMON: Final[dict[str, Check]] = {
    "type": text(1, 40),
    "id": members.random_id,
    "log": members.origin,
    "author": members.party_id,
    "at": members.time,
}
_REGISTRATION: Final[dict[str, Check]] = {"replaces": or_empty(members.random_id)}
_READINGS: Final[dict[str, Check]] = {
    "source": members.source,
    "sequence": integer(0),
    "previous": or_empty(members.hash_hex),
    "body": root_reference(MEDIA + "readings", leaves_min=1, leaves_max=500_000),
    "manifest": hash_reference(MEDIA + "manifest+json"),
}

# formats.md §4, column "public members".
MEMBERS: Final[dict[str, dict[str, Check]]] = {
    "log.genesis": {
        "name": words(1, 200),
        "zone": members.zone,
        "log_vkey": members.vkey,
        "vkey": members.vkey,
    },
    "log.succeed": {
        "origin": members.origin,
        "log_vkey": members.vkey,
        "size": integer(1),
        "root": members.hash_hex,
        "since": month,
    },
    "log-key.register": {"log_vkey": members.log_vkey},
    "log-key.end": {"log_vkey": members.log_vkey, "reason": words(1, 500)},
    "tick": {},
    "party.register": {
        **_REGISTRATION,
        "party": members.party_id,
        "name": words(1, 200),
        "roles": members.roles,
    },
    "key.register": {
        "party": members.party_id,
        "vkey": members.vkey,
        "custody": one_of("owner", "operator"),
        "device": one_of("none", "meter", "gateway"),
        "replaces": or_empty(members.key_id),
    },
    "key.endorse": {"party": members.party_id, "vkey": members.vkey, "claim": words(1, 500)},
    "key.revoke": {"party": members.party_id, "vkey": members.vkey, "reason": words(1, 500)},
    "officer.register": {
        "officer": members.random_id,
        "vkey": members.vkey,
        "custody": one_of("owner", "operator"),
    },
    "officer.end": {"officer": members.random_id, "reason": words(1, 500)},
    "party.approval": {"rule": one_of("four-eyes", "none"), "reason": words(1, 500)},
    "point.register": {
        **_REGISTRATION,
        "point": members.random_id,
        "body": hash_reference(MEDIA + "point+json"),
    },
    "readings": _READINGS,
    "readings.correction": {**_READINGS, "corrects": hash_reference(MEDIA + "corrects")},
    "readings.erase": {
        "batches": members.batches,
        "reason": members.reason,
        "body": hash_reference(MEDIA + "erased+json"),
    },
    "contract.register": {
        **_REGISTRATION,
        "contract": members.random_id,
        "body": hash_reference(MEDIA + "contract+json"),
    },
    "match.run": {
        "policy": one_of("pro-rata/1", "maximal/1"),
        "as_of": integer(1),
        "body": root_reference(MEDIA + "allocations", leaves_min=0),
        "manifest": hash_reference(MEDIA + "run+json"),
    },
    "lot.divide": {
        "run": members.hash_hex,
        "origins": sorted_list(members.lot_origin, least=1),
        "spends": sorted_list(members.lot_id, least=0),
        "creates": sorted_list(members.lot_id, least=1),
        "body": root_reference(MEDIA + "division", leaves_min=2),
    },
    "lot.wrap": {
        "form": one_of("gec", "settlement", "stamp", "footprint"),
        "wraps": sorted_list(members.lot_id, least=1),
        "body": hash_reference(MEDIA + "form+json"),
    },
    "claim.make": {
        "claim": members.random_id,
        "replaces": or_empty(members.random_id),
        "spends": sorted_list(members.lot_id, least=0),
        "retires": sorted_list(members.random_id, least=0),
        "body": root_reference(MEDIA + "claim", leaves_min=1, leaves_max=CLAIM_QUARTERS_MAX),
        "manifest": hash_reference(MEDIA + "claim+json"),
    },
    "claim.withdraw": {"claim": members.random_id, "reason": words(1, 500)},
    "claim.flag": {
        "claim": members.random_id,
        "state": one_of("short", "cured"),
        "because": members.hash_hex,
    },
    **UNIT_MEMBERS,
    **PERIOD_MEMBERS,
    **RECORD_MEMBERS,
}

CORRECTS_LEAF_SIZE: Final = 32
_CLAIM_RESTS_ON: Final = ("spends", "retires", "replaces")


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A well-formed entry. ``statement`` holds what §4 gives to its type; the signatures are not
    verified yet.
    """

    raw: bytes
    leaf_hash: bytes
    note: Note
    statement: dict[str, object]
    at_s: int

    def text(self, member: str) -> str:
        value = self.statement[member]
        assert isinstance(value, str)
        return value

    def texts(self, member: str) -> list[str]:
        value = self.statement[member]
        assert isinstance(value, list)
        return value

    def integer(self, member: str) -> int:
        value = self.statement[member]
        assert isinstance(value, int)
        return value

    def reference(self, member: str) -> dict[str, object]:
        value = self.statement[member]
        assert isinstance(value, dict)
        return value

    @property
    def type(self) -> str:
        return self.text("type")

    @property
    def author(self) -> str:
        return self.text("author")


def parse_entry(raw: bytes) -> Entry:
    """Judge an entry by itself.

    1. At most 65,535 bytes; a strict signed note.
    2. Its text is one line that is one JSON object: the statement.
    3. The statement has exactly the members of its type, each of the right form.
    """
    # 1
    if len(raw) > ENTRY_SIZE_MAX:
        raise VerificationError(
            "an entry has at most 65535 bytes, this one has {given}", given=len(raw)
        )
    note = parse_note(raw)
    # 2
    if (
        not note.text.startswith(b"{")
        or not note.text.endswith(b"}\n")
        or note.text.count(b"\n") > 1
    ):
        raise VerificationError("the text of an entry is one line, one JSON object")
    statement = parse_object(note.text[:-1], depth_max=STATEMENT_DEPTH_MAX)
    # 3
    _check_statement(statement)
    return Entry(
        raw=raw,
        leaf_hash=leaf_hash(raw),
        note=note,
        statement=statement,
        at_s=members.parse_time(statement["at"]),
    )


def _check_statement(statement: dict[str, object]) -> None:
    kind = statement.get("type")
    if not isinstance(kind, str) or kind not in MEMBERS:
        raise VerificationError(
            "{type} is not a type of entry", type=kind if isinstance(kind, str) else "?"
        )
    with locate("statement {type}", type=kind):
        check_members(statement, {**_COMMON, **MEMBERS[kind]})
        if kind == "readings.correction":
            _check_corrects_size(statement)
        if kind in ("readings", "readings.correction"):
            _check_previous(statement)
        if kind == "lot.divide":
            _check_division_size(statement)
        if kind == "claim.make" and not any(statement[name] for name in _CLAIM_RESTS_ON):
            raise VerificationError("it spends no lot, has no retirement and replaces no claim")
        if kind in UNIT_MEMBERS:
            check_unit_form(kind, statement)


def _check_corrects_size(statement: dict[str, object]) -> None:
    body, corrects = statement["body"], statement["corrects"]
    assert isinstance(body, dict)
    assert isinstance(corrects, dict)
    if corrects["size"] != members.SALT_SIZE + CORRECTS_LEAF_SIZE * body["size"]:
        raise VerificationError(
            "corrects has {given} bytes, not a salt and 32 for each of {leaves} leaves",
            given=corrects["size"],
            leaves=body["size"],
        )


def _check_division_size(statement: dict[str, object]) -> None:
    body, origins, creates = statement["body"], statement["origins"], statement["creates"]
    assert isinstance(body, dict)
    assert isinstance(origins, list)
    assert isinstance(creates, list)
    if body["size"] != len(origins) + len(creates):
        raise VerificationError(
            "body has {given} leaves, not one for each of {origins} origins and {lots} lots",
            given=body["size"],
            origins=len(origins),
            lots=len(creates),
        )


def _check_previous(statement: dict[str, object]) -> None:
    if (statement["sequence"] == 0) != (statement["previous"] == ""):
        raise VerificationError("previous is empty exactly for sequence 0")
