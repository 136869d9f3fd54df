"""A forger's workshop for schemes, units and retirements, written from docs/formats.md §3.6, §4.9.

``Desk`` writes entries and remembers what stands behind them. What an act begins is given by those
who call it, so that any of it may be wrong; ``act``, ``owners`` and ``batch`` change members of
leaves.
"""

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from hashlib import shake_256
from typing import Any

from tests.verifier.forge import MEDIA, OPERATOR, Key, Log, json_body, leaf, mth, reference, sha256
from tests.verifier.forge_lots import Value, b64, shared

FROM, TO, EXPIRES = "2026-01-31T16:00:00Z", "2026-02-28T16:00:00Z", "2028-01-31T16:00:00Z"


def unit_class(name: str, **changes: Any) -> Value:
    own = {"class": name, "moves_max": 3, "moved_by": "transfer", "lot_classes": [], "lots": "none"}
    return own | changes


GEC: Value = {
    "name": "Green certificate",
    "kind": "certificate",
    "unit": "Wh",
    "unit_size": 1000,
    "validity_months": 24,
    "classes": [
        unit_class("bound", moves_max=1, moved_by="settle", lot_classes=[2], lots="wrapped"),
        unit_class("tradable"),
    ],
    "purposes": ["green-power", "voluntary"],
    "vintages": [{"from": "2000-01-01T00:00:00Z", "policy": "validity"}],
    "cap_ppm": 1_000_000,
    "barred": [],
    "freezes": [],
    "buffer_ppm": 0,
    "source": "forged for a test",
    "status": "unverified",
}
CREDIT: Value = GEC | {
    "name": "Credit",
    "kind": "credit",
    "unit": "g",
    "unit_size": 1_000_000,
    "validity_months": 0,
    "classes": [unit_class("general")],
    "purposes": ["ets-compliance", "neutrality"],
    "vintages": [],
    "cap_ppm": 50_000,
}


def name_id(name: str) -> str:
    """A holding's, or a retirement's, id from a name."""
    return sha256(name.encode())[:16].hex()


@dataclass(frozen=True)
class Held:
    """A holding as it really is, by name: a range of units of a class, of a batch (full name)."""

    name: str
    batch: str
    unit_class: str
    moves: int
    first: int
    end: int
    owner: str

    @property
    def id(self) -> str:
        return name_id(self.name)

    def value(self) -> Value:
        return {"holding": self.id, "moves": self.moves, **self.units(self.first, self.end)}

    def units(self, first: int, end: int) -> Value:
        return {"batch": self.batch, "class": self.unit_class, "first": first, "end": end}


@dataclass
class UnitEntry:
    """A ``unit.issue`` or ``unit.move``: what its leaves say, and where it stands."""

    entry: int
    values: list[Any]
    batches: list[str]
    begins: list[str]
    ends: list[Held]
    nonces: bytes

    @property
    def raws(self) -> list[bytes]:
        return [
            self.nonces[16 * place :][:16] + written(value)
            for place, value in enumerate(self.values)
        ]


def written(value: Any) -> bytes:
    if isinstance(value, bytes):
        return value
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@dataclass
class Desk:
    """``held`` are holdings by name as they last were; ``retired`` the entry of a retirement by id,
    ``schemes`` the registrations of a scheme: (entry, body).
    """

    log: Log
    entries: dict[int, UnitEntry] = field(default_factory=dict)
    held: dict[str, Held] = field(default_factory=dict)
    begun_in: dict[str, int] = field(default_factory=dict)
    issued: dict[str, int] = field(default_factory=dict)
    retired: dict[str, int] = field(default_factory=dict)
    schemes: dict[str, list[tuple[int, bytes]]] = field(default_factory=dict)

    def scheme(self, scheme: str, content: Value, **changes: Any) -> int:
        """Registered anew where it was before."""
        before = self.schemes.setdefault(scheme, [])
        body = json_body(content | changes, f"scheme {scheme} {len(before)}")
        statement = self.log.statement(
            "scheme.register",
            "operator",
            scheme=scheme,
            replaces=self.log.id_of(before[-1][0]) if before else "",
            body=reference(body, "scheme+json"),
        )
        before.append((self.log.add(statement, OPERATOR), body))
        return before[-1][0]

    def issue(
        self,
        scheme: str,
        batch: str,
        holdings: Sequence[Held],
        *,
        leaf_changes: Mapping[str, Any] | None = None,
        owners: Mapping[str, str] | None = None,
        lots: Iterable[str] = (),
        **members: Any,
    ) -> int:
        """One batch ``<code>/<revision>``; ``lots`` stand behind it, and are wrapped."""
        name = f"{scheme}/{batch}"
        every = [replace(one, batch=name) for one in holdings]
        lots = sorted(lots)
        content: Value = {
            "batch": name,
            "first": every[0].first,
            "end": every[-1].end,
            "from": FROM,
            "to": TO,
            "expires": EXPIRES if scheme == "gec" else "",
            "project": "plant-1",
            "record": "",
            "lots": lots,
            "eligible_wh": 0,
            "carried_wh": 0,
            "left_wh": 0,
            "holdings": [
                {
                    "holding": one.id,
                    "class": one.unit_class,
                    "first": one.first,
                    "end": one.end,
                }
                for one in every
            ],
        } | dict(leaf_changes or {})
        values: list[Any] = [content, *_owners(every, owners), {"document": "", "note": "forged"}]
        statement = self.log.statement(
            "unit.issue",
            "operator",
            **{
                "scheme": scheme,
                "state": "active",
                "batches": [batch],
                "spends": [],
                "wraps": lots,
                "begins": sorted(one.id for one in every),
            }
            | members,
        )
        made = self._write(statement, OPERATOR, values, [name], every, [])
        self.issued[name] = made
        return made

    def move(
        self,
        kind: str,
        signer: Key,
        ends: Sequence[str],
        begins: Sequence[Held],
        terms: Value,
        *,
        gone: Sequence[Value] = (),
        act: Mapping[str, Any] | None = None,
        owners: Mapping[str, str] | None = None,
        retirement: str = "",
        **members: Any,
    ) -> int:
        ended = sorted((self.held[name] for name in ends), key=lambda one: one.id)
        content = {
            "ended": [one.value() for one in ended],
            "begun": [one.value() for one in sorted(begins, key=lambda one: one.id)],
            "gone": sorted(gone, key=lambda one: (one["batch"], one["first"])),
            "terms": terms,
        } | dict(act or {})
        party = signer.name.rpartition("/")[2]
        statement = self.log.statement(
            "unit.move",
            party,
            **{
                "act": kind,
                "retirement": retirement,
                "ends": [one.id for one in ended],
                "begins": sorted(one.id for one in begins),
            }
            | members,
        )
        made = self._write(
            statement, signer, [content, *_owners(begins, owners)], [], begins, ended
        )
        if retirement:
            self.retired[retirement] = made
        return made

    def _write(
        self,
        statement: Value,
        signer: Key,
        values: list[Any],
        batches: list[str],
        begins: Sequence[Held],
        ends: list[Held],
    ) -> int:
        text = f"{self.log.origin}\n{statement['id']}".encode()
        secret = sha256(b"units" + text)
        nonces = shake_256(b"greenledger/units/v1\n" + secret + text).digest(16 * len(values))
        ids = sorted(one.id for one in begins)
        made = UnitEntry(-1, values, batches, ids, ends, nonces)
        hashes = [leaf(raw) for raw in made.raws]
        body = {"root": mth(hashes).hex(), "size": len(hashes), "media": MEDIA + "units"}
        made.entry = self.log.add({"body": body} | statement, signer)
        self.entries[made.entry] = made
        for one in begins:
            self.held[one.name] = one
            self.begun_in[one.id] = made.entry
        return made.entry

    # Acts as they should be; what may be wrong goes through as keywords

    def begin(self, of: str, name: str, first: int, end: int, **changes: Any) -> Held:
        """Some units of a holding, under another name."""
        return replace(self.held[of], name=name, first=first, end=end, **changes)

    def whole(self, of: str, name: str, **changes: Any) -> Held:
        return replace(self.held[of], name=name, **changes)

    def split(self, signer: Key, of: str, at: int, first: str, second: str, **more: Any) -> int:
        one = self.held[of]
        begins = [self.begin(of, first, one.first, at), self.begin(of, second, at, one.end)]
        return self.move("split", signer, [of], begins, {"note": ""}, **more)

    def same(self, kind: str, signer: Key, of: str, name: str, **more: Any) -> int:
        """reserve, lock, freeze, release."""
        return self.move(kind, signer, [of], [self.whole(of, name)], {"reason": "so"}, **more)

    def transfer(self, signer: Key, of: str, name: str, owner: str, **more: Any) -> int:
        """All of it."""
        to = self.whole(of, name, owner=owner, moves=self.held[of].moves + 1)
        return self.move("transfer", signer, [of], [to], {"document": "", "note": ""}, **more)

    def settle(self, of: str, name: str, owner: str, **more: Any) -> int:
        to = self.whole(of, name, owner=owner, moves=self.held[of].moves + 1)
        terms = {
            "contract": name_id("contract"),
            "month": "2026-02",
            "contract_wh": 3000,
            "generation_wh": 1000,
            "consumption_wh": 2000,
            "settled_wh": 1000,
            "document": "",
        } | more.pop("terms", {})
        return self.move("settle", OPERATOR, [of], [to], terms, **more)

    def retire(
        self, signer: Key, of: str, units: int, name: str, rest: str = "", **more: Any
    ) -> str:
        """The first ``units`` are gone; ``rest`` is the name of what is left. Returns the id."""
        one = self.held[of]
        at = one.first + units
        begins = [self.begin(of, rest, at, one.end)] if at < one.end else []
        terms: Value = {
            "beneficiary": one.owner,
            "purpose": "voluntary",
            "from": FROM,
            "to": TO,
            "units": units,
            "obligation": 0,
            "note": "",
        } | more.pop("terms", {})
        self.move(
            "retire",
            signer,
            [of],
            more.pop("begins", begins),
            terms,
            gone=more.pop("gone", [one.units(one.first, at)]),
            retirement=name_id(name),
            **more,
        )
        return name_id(name)

    # Evidence

    def chain(self, retirements: Iterable[str]) -> dict[int, set[int]]:
        """The leaves to open, by entry: acts, batches, owners, and earlier revisions (§9)."""
        opened: dict[int, set[int]] = {}
        waiting = [self.retired[one] for one in retirements if one in self.retired]
        for entry in waiting:
            opened.setdefault(entry, set()).add(0)
            for held in self.entries[entry].ends:
                source = self.begun_in.get(held.id)
                if source is None:
                    continue
                made = self.entries[source]
                before = len(made.batches) or 1
                place = made.batches.index(held.batch) if held.batch in made.batches else 0
                opened.setdefault(source, set()).update(
                    {place, before + made.begins.index(held.id)}
                )
                if made.batches:
                    self._open_earlier(held.batch, opened)
                else:
                    waiting.append(source)
        return opened

    def _open_earlier(self, batch: str, opened: dict[int, set[int]]) -> None:
        code, _, revision = batch.rpartition("/")
        for number in range(int(revision)):
            issue = self.issued.get(f"{code}/{number}")
            if issue is not None:
                place = self.entries[issue].batches.index(f"{code}/{number}")
                opened.setdefault(issue, set()).add(place)

    def registrations(self, chain: Iterable[int]) -> dict[int, bytes]:
        """Registrations of schemes in force at these entries: entry and body."""
        found = {}
        for entry in chain:
            made = self.entries[entry]
            names = {*made.batches, *(one.batch for one in made.ends)}
            # In a fixed order: the files that are made of it are compared byte for byte.
            for scheme in sorted({name.partition("/")[0] for name in names}):
                before = [one for one in self.schemes.get(scheme, ()) if one[0] < entry]
                if before:
                    found[before[-1][0]] = before[-1][1]
        return found

    def parts(self, chain: Mapping[int, set[int]]) -> list[Value]:
        return [units_part(self.entries[entry], chain[entry]) for entry in sorted(chain)]


def _owners(begins: Sequence[Held], owners: Mapping[str, str] | None) -> list[Value]:
    """Owners that are told instead are by name of the holding."""
    told = owners or {}
    return [
        {"holding": one.id, "owner": told.get(one.name, one.owner)}
        for one in sorted(begins, key=lambda one: one.id)
    ]


def units_part(made: UnitEntry, places: Iterable[int]) -> Value:
    raws = made.raws
    opened = sorted(places)
    return {
        "part": "units",
        "entry": made.entry,
        "leaves": [{"index": place, "bytes": raws[place].hex()} for place in opened],
        "nodes": b64(b"".join(shared([leaf(raw) for raw in raws], opened))),
    }
