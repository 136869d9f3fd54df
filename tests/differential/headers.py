"""Headers of entries, drawn from small pools: well signed, by whom they may be, about anything.

Nothing here keeps a book, so that most entries use something twice, or before it is there.
"""

from __future__ import annotations

import json
import random
from typing import Any, Final

from ledger.registry.lifecycle import MOVES
from ledger.registry.lifecycle import OPERATOR as OPERATORS
from tests.differential.writing import write
from tests.verifier.forge import GRID, MEDIA, OPERATOR, Key, leaf, note, reference
from tests.verifier.forge_park import MILL, SHOP, SUN, WIND, LotPark

LOTS: Final = [f"{number:032x}" for number in range(1, 15)]
CLAIMS: Final = [f"{number:032x}" for number in range(5)]
RECORDS: Final = [f"{number:032x}" for number in range(3)]
SCHEMES: Final = ("gec", "ccus")
OF_LOTS: Final = (
    *["lot.divide"] * 3,
    "lot.wrap",
    *["claim.make"] * 3,
    "claim.withdraw",
    *["claim.flag"] * 2,
)
OF_UNITS: Final = (
    *["unit.issue"] * 5,
    *["unit.move"] * 9,
    *["unit.disclose"] * 2,
    *["claim.make"] * 4,
    *["claim.withdraw"] * 3,
    *["lot.divide"] * 2,
    "lot.wrap",
    "scheme.register",
    "project.register",
    "reduction.record",
    "reduction.verify",
)


class Headers:
    """Draws entries of some kinds; `entries` begin the log, and are good."""

    def __init__(self, chance: random.Random, kinds: tuple[str, ...]) -> None:
        self.chance = chance
        self.kinds = kinds
        self.park = LotPark()
        self.park.register()
        batch = self.park.readings(OPERATOR, [(SUN, 1, 900, 5, 0)])
        self.park.readings(
            OPERATOR,
            [(SUN, 1, 900, 6, 0)],
            kind="readings.correction",
            sequence=1,
            previous=leaf(self.park.log.entries[batch.entry]).hex(),
            corrects={"hash": "00" * 32, "size": 64, "media": MEDIA + "corrects"},
        )
        self.correction = leaf(self.park.log.entries[-1]).hex()
        self.runs = [self.park.start_run().hex() for _ in range(4)]
        self.registered: dict[tuple[str, ...], list[str]] = {}
        self.created = LOTS[:1]
        self.holdings = ["0" * 32]
        self.retirements = ["0" * 32]
        for scheme in SCHEMES:
            self._sign(OPERATOR, "scheme.register", self._scheme(scheme, first=True))
            self._sign(OPERATOR, "project.register", self._project(scheme, first=True))
        self.entries = self.park.log.entries

    def draw(self) -> bytes:
        kind = self.chance.choice(self.kinds)
        members = {
            "lot.divide": self._division,
            "lot.wrap": self._wrap,
            "claim.make": self._claim,
            "claim.withdraw": self._withdrawal,
            "claim.flag": self._flag,
            "scheme.register": self._scheme,
            "project.register": self._project,
            "unit.issue": self._issue,
            "unit.move": self._move,
            "unit.disclose": self._disclosure,
            "reduction.record": self._record,
            "reduction.verify": self._verification,
        }[kind]()
        return self._signed(self._signer(kind, members), kind, members)

    def remember(self, raw: bytes) -> None:
        """What was taken: names that later entries may use, rightly or not."""
        said = json.loads(raw.partition(b"\n")[0])
        self.holdings += said.get("begins", [])
        self.created = sorted({*self.created, *said.get("creates", [])})
        if said.get("act") == "retire":
            self.retirements.append(said["retirement"])

    def _signer(self, kind: str, members: dict[str, Any]) -> Key:
        if kind == "unit.move" and self.chance.random() < 0.9:
            act = MOVES[members["act"]]
            return OPERATOR if act.by == OPERATORS or self.chance.random() < 0.2 else MILL
        if kind in ("claim.make", "claim.withdraw", "unit.move", "unit.disclose"):
            return self.chance.choice([MILL, MILL, MILL, SHOP, OPERATOR])
        if kind == "reduction.verify":
            return GRID
        if kind == "reduction.record":
            return self.chance.choice([MILL, OPERATOR])
        return OPERATOR

    def _signed(self, signer: Key, kind: str, members: dict[str, Any]) -> bytes:
        party = signer.name.rpartition("/")[2]
        said = self.park.log.statement(kind, party, **members)
        if kind.endswith(".register"):
            name = tuple(members[one] for one in ("scheme", "project") if one in members)
            self.registered.setdefault(name, []).append(said["id"])
        return note(write(said, self.chance).encode() + b"\n", signer)

    def _sign(self, signer: Key, kind: str, members: dict[str, Any]) -> None:
        self.park.log.entries.append(self._signed(signer, kind, members))

    def _list(self, pool: list[str], least: int, most: int) -> list[str]:
        """Sorted, but for once in a while."""
        found = sorted(self.chance.sample(pool, self.chance.randint(least, most)))
        if found and self.chance.random() < 0.04:
            found = self.chance.choice([found[::-1], [found[0], *found], [*found, found[-1]]])
        return found

    def division_of(self, creates: list[str]) -> bytes:
        """Of an origin that nobody divides otherwise."""
        said = {"run": self.runs[0], "origins": [f"{SUN}/2026-07/0"], "spends": []}
        body = {"root": "11" * 32, "size": 1 + len(creates), "media": MEDIA + "division"}
        return self._signed(OPERATOR, "lot.divide", said | {"creates": creates, "body": body})

    def _division(self) -> dict[str, Any]:
        months = [f"{point}/2026-{month:02}" for point in (SUN, WIND) for month in (1, 2, 3)]
        pool = [f"{month}/{revision}" for month in months for revision in (0, 0, 0, 1, 2)]
        origins = self._list(sorted(set(pool)), 1, 2) if self.chance.random() < 0.4 else []
        origins = origins or [self.chance.choice(pool)]
        creates = self._list(LOTS, 1, 3)
        size = len(origins) + len(creates)
        return {
            "run": self.chance.choice(self.runs),
            "origins": origins,
            "spends": self._list(LOTS, 0, self.chance.choice([0, 0, 0, 1])),
            "creates": creates,
            "body": {"root": "11" * 32, "size": size, "media": MEDIA + "division"},
        }

    def _wrap(self) -> dict[str, Any]:
        body = reference(bytes(40), "form+json")
        form = self.chance.choice(["gec", "settlement", "stamp"])
        return {"form": form, "wraps": self._list(LOTS, 1, 2), "body": body}

    def _claim(self) -> dict[str, Any]:
        replaces = self.chance.choice(["", "", "", *CLAIMS])
        some = min(self.chance.choice([0, 1, 1, 2]), len(self.retirements))
        retires = self._list(self.retirements[-4:], 0, some)
        return {
            "claim": self.chance.choice(CLAIMS),
            "replaces": replaces,
            "spends": self._list(LOTS, 0, 1) if replaces or retires else self._list(LOTS, 1, 1),
            "retires": retires,
            "body": {"root": "22" * 32, "size": 2688, "media": MEDIA + "claim"},
            "manifest": reference(bytes(40), "claim+json"),
        }

    def _withdrawal(self) -> dict[str, Any]:
        return {"claim": self.chance.choice(CLAIMS), "reason": "mistaken"}

    def _flag(self) -> dict[str, Any]:
        state = self.chance.choice(["short", "cured"])
        return {"claim": self.chance.choice(CLAIMS), "state": state, "because": self.correction}

    # Schemes, projects, units, reductions

    def _replaces(self, *name: str) -> str:
        known = self.registered.get(name, [])
        return self.chance.choice(["", *known, *known[-1:] * 3, "ab" * 16])

    def _scheme(self, scheme: str = "", *, first: bool = False) -> dict[str, Any]:
        name = scheme or self.chance.choice(SCHEMES)
        return {
            "scheme": name,
            "replaces": "" if first else self._replaces(name),
            "body": reference(bytes(40), "scheme+json"),
        }

    def _project(self, scheme: str = "", *, first: bool = False) -> dict[str, Any]:
        name = scheme or self.chance.choice(SCHEMES)
        project = "P-1" if first else self.chance.choice(["P-1", "P-1", "P-2"])
        return {
            "scheme": name,
            "project": project,
            "replaces": "" if first else self._replaces(name, project),
            "body": reference(bytes(40), "project+json"),
        }

    def _issue(self) -> dict[str, Any]:
        pool = [f"{code}/{revision}" for code in "ABCD" for revision in (0, 0, 0, 1, 2, 10)]
        batches = self._list(sorted(set(pool)), 1, 2) if self.chance.random() < 0.2 else []
        batches = batches or [self.chance.choice(pool)]
        begins = self._begins(self.chance.randint(1, 4))
        wraps = self._list(self.created, 0, self.chance.choice([0, 0, 1]))
        spends = self._list(self.created, 0, self.chance.choice([0, 0, 0, 1]))
        return {
            "scheme": self.chance.choice(SCHEMES),
            "state": self.chance.choice(["active", "active", "frozen"]),
            "batches": batches,
            "spends": wraps if self.chance.random() < 0.2 else spends,
            "wraps": wraps,
            "begins": begins,
            "body": self._units(len(batches) + len(begins) + 1),
        }

    def _move(self) -> dict[str, Any]:
        """Mostly as many holdings as the act asks for."""
        act = self.chance.choice([*MOVES, "split", "merge", "merge", "retire", "retire"])
        ends, begins = 1, 1
        if act == "split":
            begins = 2
        elif act == "merge":
            ends = 2
        elif act == "retire":
            begins = self.chance.choice([0, 1])
        if self.chance.random() < 0.2:
            ends, begins = self.chance.randint(1, 3), self.chance.randint(0, 3)
        recent = self.holdings[-8:]
        ended = self._list(recent, min(ends, len(recent)), min(ends, len(recent)))
        begun = self._begins(begins)
        retires = (act == "retire") != (self.chance.random() < 0.02)
        return {
            "act": act,
            "retirement": self._retirement() if retires else "",
            "ends": ended,
            "begins": begun,
            "body": self._units(len(begun) + 1),
        }

    def issue_of(self, batch: str, begins: list[str], **more: Any) -> bytes:
        """One that says this, whatever it is."""
        said = self._issue() | {"batches": [batch], "begins": begins, "state": "active"}
        said |= {"spends": [], "wraps": [], "body": self._units(len(begins) + 2)} | more
        return self._signed(OPERATOR, "unit.issue", said)

    def move_of(self, act: str, ends: list[str], begins: list[str]) -> bytes:
        """By the operator, who may do all that headers can forbid."""
        retirement = self.chance.randbytes(16).hex() if act == "retire" else ""
        said = {"act": act, "retirement": retirement, "ends": ends, "begins": begins}
        return self._signed(OPERATOR, "unit.move", said | {"body": self._units(len(begins) + 1)})

    def _begins(self, count: int) -> list[str]:
        """Mostly ids that nobody has used yet."""
        fresh = [self.chance.randbytes(16).hex() for _ in range(count)]
        if fresh and self.chance.random() < 0.1:
            fresh[0] = self.chance.choice(self.holdings)
        return self._list(fresh, len(fresh), len(fresh))

    def _retirement(self) -> str:
        if self.chance.random() < 0.3:
            return self.chance.choice(self.retirements)
        return self.chance.randbytes(16).hex()

    def _units(self, size: int) -> dict[str, Any]:
        return {"root": "33" * 32, "size": size, "media": MEDIA + "units"}

    def _disclosure(self) -> dict[str, Any]:
        return {
            "retirement": self.chance.choice(self.retirements[-4:]),
            "scheme": "gec",
            "units": 5,
            "beneficiary": "mill",
            "purpose": "voluntary",
            "from": "2026-01-01T00:00:00Z",
            "to": "2026-02-01T00:00:00Z",
            "serials": ["A/0:0-3", "A/0:7-9"],
        }

    def _record(self) -> dict[str, Any]:
        return {
            "record": self.chance.choice(RECORDS),
            "scheme": "ccus",
            "project": "P-1",
            "body": reference(bytes(40), "reduction+json"),
        }

    def _verification(self) -> dict[str, Any]:
        body = reference(bytes(40), "verification+json")
        return {"record": self.chance.choice(RECORDS), "body": body}
