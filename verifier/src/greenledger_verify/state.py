"""What the entries of a log say so far: its parties, keys, registrations, chains of batches,
and its books of lots and units.
"""

from dataclasses import dataclass, field, replace

from greenledger_verify.logkeys import LogKeys
from greenledger_verify.lotbook import LotBook
from greenledger_verify.note import VerifierKey
from greenledger_verify.text import Text
from greenledger_verify.unitbook import UnitBook


@dataclass(frozen=True, slots=True, kw_only=True)
class Party:
    """A registered organisation; ``registration`` is the id of the ``party.register`` in force."""

    name: str
    roles: tuple[str, ...]
    registration: str


@dataclass(frozen=True, slots=True, kw_only=True)
class RegisteredKey:
    """A party's key, where it was registered, and how it ended (None: in force)."""

    key: VerifierKey
    party: str
    custody: str
    device: str
    index: int
    ended: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Officer:
    """Who prepares or approves for a party: its key, and how it ended (None: it has not)."""

    key: VerifierKey
    party: str
    index: int
    ended: Text | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Endorsement:
    """``endorser`` vouched for a key in entry ``index``, signed with its key ``endorser_vkey``."""

    endorser: str
    party: str
    vkey: str
    claim: str
    index: int
    endorser_vkey: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedRecord:
    """The last entry of a record's name: whose the name is, and whether that entry put it."""

    author: str
    id: str
    in_force: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportVersion:
    """The last version of a report; ``number`` as many as stand before it."""

    author: str
    kind: str
    id: str
    as_of: int
    number: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Predecessor:
    """The log before: its last known checkpoint, and the month that accounts begin with here."""

    origin: str
    vkey: str
    size: int
    root: str
    since: str


@dataclass(slots=True, kw_only=True)
class State:
    """What the entries so far say. ``log_keys`` sign the checkpoints,
    ``signer`` is the author's key under the entry that is taken in, ``runs`` the log size that each
    run knows, by its leaf hash. ``officers`` by id; ``approvals``: each party's rule of approval;
    ``periods``: state and revision, by party and name. ``batches``: their authors, by leaf hash;
    ``erased``: the entry that erased them. ``records`` by register and name, ``reports`` by id.
    """

    origin: str
    complete: bool
    index: int = 0
    operator: str = ""
    zone: str = ""
    tick_s: int = 0
    tick_index: int = 0
    parties: dict[str, Party] = field(default_factory=dict)
    keys: dict[tuple[str, str], RegisteredKey] = field(default_factory=dict)
    log_keys: LogKeys = field(default_factory=LogKeys)
    public_keys: set[bytes] = field(default_factory=set)
    officers: dict[str, Officer] = field(default_factory=dict)
    approvals: dict[str, str] = field(default_factory=dict)
    periods: dict[tuple[str, str], tuple[str, int]] = field(default_factory=dict)
    in_force: dict[tuple[str, str], str] = field(default_factory=dict)
    chains: dict[tuple[str, str], tuple[int, bytes]] = field(default_factory=dict)
    used_ids: set[tuple[str, bytes]] = field(default_factory=set)
    endorsements: list[Endorsement] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=dict)
    signer: RegisteredKey | None = None
    runs: dict[bytes, int] = field(default_factory=dict)
    corrections: set[bytes] = field(default_factory=set)
    batches: dict[bytes, str] = field(default_factory=dict)
    erased: dict[bytes, int] = field(default_factory=dict)
    records: dict[tuple[str, str], NamedRecord] = field(default_factory=dict)
    reports: dict[str, ReportVersion] = field(default_factory=dict)
    predecessor: Predecessor | None = None
    lots: LotBook = field(init=False)
    units: UnitBook = field(init=False)

    def __post_init__(self) -> None:
        self.lots = LotBook(complete=self.complete)
        self.units = UnitBook(complete=self.complete)

    def add_key(self, key: RegisteredKey) -> None:
        self.keys[key.party, key.key.key_id.hex()] = key
        self.public_keys.add(key.key.public_key)

    def end_key(self, party: str, key_id: str, ended: Text) -> None:
        """From the next entry on the key signs nothing."""
        self.keys[party, key_id] = replace(self.keys[party, key_id], ended=ended)

    def end_officer(self, officer: str, ended: Text) -> None:
        """From the next entry on the officer signs nothing."""
        self.officers[officer] = replace(self.officers[officer], ended=ended)
