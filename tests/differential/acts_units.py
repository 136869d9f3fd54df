"""Schemes, projects, units, reductions and statements, good and bad.

What the services would sign is caught as a draft, signed by who is drawn, and perhaps changed.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from dataclasses import fields, replace
from datetime import date
from pathlib import Path
from typing import Any, Final, NoReturn

from ledger.certificates.service import MeteredIssue, issue_metered
from ledger.certificates.settlement import settle
from ledger.credits import service as credits_
from ledger.credits.service import Monitored
from ledger.credits.store import ProjectKey, RecordRow, find_records
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.lots.model import Month
from ledger.parties.desk import Desk, Draft
from ledger.registry import acting, lifecycle, service, store, used
from ledger.registry.leaves import Use
from ledger.registry.project import Project
from ledger.registry.scheme import PURPOSES, Scheme, shipped
from ledger.statements.profile import read_statement_profile
from ledger.statements.service import import_statement
from ledger.units import Period
from tests import units
from tests.credits.flows import masses
from tests.differential.acts_lots import other_lots
from tests.differential.world import PARTIES, POINTS, Act, World, drawn, signed_draft
from tests.ledgers import DAY_S

# Of 1 kWh: what the parks of these histories generate is worth some units.
GEC: Final = replace(shipped("gec"), unit_size=1_000)
SCHEMES: Final = (GEC, units.reductions(), shipped("internal"))
JANUARY, FEBRUARY = units.month(2026, 1), units.month(2026, 2)
KILN: Final = ProjectKey(scheme="internal", project="K1")
# The last one, of a plant that has certificates, freezes these.
PROJECTS: Final = (
    ("gec", "P1", units.wind("roof", points=(bytes.fromhex(POINTS[0]),))),
    ("gec", "P2", units.wind("hill")),
    ("reductions", "R1", units.wind("dam", crediting=JANUARY)),
    ("internal", "K1", Project(name="K", owner="farm", plant="k", technology="ccus")),
    ("reductions", "R2", units.wind("hill", crediting=FEBRUARY)),
)
_PROFILE: Final = (
    'kind = "gec"\nscheme = "gec"\nissuer = "registry"\n[file]\nformat = "csv"\n'
    '[units]\ncode = "code"\nquantity = "units"\n[status]\nvalue = "issued"\n'
)
_RETIRE: Final = lifecycle.RETIRE
_ACTS: Final = (*lifecycle.MOVES, *[_RETIRE] * 4)


class _Drafted(Exception):
    """The draft that a service was about to sign."""

    def __init__(self, draft: Draft) -> None:
        super().__init__()
        self.draft = draft


class _Drafting(Desk):
    """A desk that signs nothing: it hands back the first draft."""

    __slots__ = ()

    def sign(self, draft: Draft, **_signers: Any) -> NoReturn:
        raise _Drafted(draft)


def drafting(world: World) -> Desk:
    desk = world.house.desk
    return _Drafting(**{one.name: getattr(desk, one.name) for one in fields(Desk)})


def drafted(world: World, serve: Callable[[Desk], object]) -> Draft | None:
    """None where a service would do nothing, or refuses by itself."""
    try:
        serve(drafting(world))
    except _Drafted as found:
        return found.draft
    except LedgerError:
        return None
    return None


def found_registry(world: World) -> None:
    """Three schemes, a project of each and one more, and units that parties hold."""
    desk = world.house.desk
    for rules in SCHEMES:
        service.register_scheme(desk, rules)
    for of, name, master in PROJECTS[:-1]:
        service.register_project(desk, of, name, master)
    service.issue(desk, "gec", [_certificates("C0", 0)])


def _act(world: World, draft: Draft | None) -> Act:
    """Mostly as drafted, by its author; else with a member that is another one."""
    if draft is None:
        return register_scheme(world)
    act = signed_draft(world, draft)
    return act if world.chance.random() < 0.65 else _with_another_member(world, act)


def register_scheme(world: World) -> Act:
    chance = world.chance
    rules: Scheme = chance.choice(SCHEMES)
    rules = replace(rules, source=chance.choice(["one", "two"]))
    if chance.random() < 0.1:
        rules = replace(rules, unit_size=7)
    return _act(world, drafted(world, lambda desk: service.register_scheme(desk, rules)))


def register_project(world: World) -> Act:
    chance = world.chance
    of, name, master = chance.choice([*PROJECTS[:-1] * 3, PROJECTS[-1]])
    master = replace(master, state=chance.choice([*["registered"] * 5, "frozen", "validated"]))
    if chance.random() < 0.2:
        master = replace(master, owner=chance.choice(["mill", "ghost"]))
    serve = drafted(world, lambda desk: service.register_project(desk, of, name, master))
    return _act(world, serve)


def issue(world: World) -> Act:
    way = world.chance.choice([_imported, _imported, _credits, _metered, _of_record])
    return _act(world, way(world))


def _imported(world: World) -> Draft | None:
    """Mostly the next numbers of a code."""
    code = world.chance.choice(["C0", "C1", "C2"])
    first = _next_unit(world, "gec", code)
    if world.chance.random() < 0.1:
        first = max(0, first - 1)
    found = _certificates(code, first, project=world.chance.choice(["P2", "P2", "", "P9"]))
    frozen = world.chance.random() < 0.1
    return drafted(world, lambda desk: service.issue(desk, "gec", [found], frozen=frozen))


def _certificates(code: str, first: int, project: str = "P2") -> service.NewBatch:
    owners = (("ordinary", "farm"), ("ordinary", "mill"), ("green-trade", "farm"))
    shares = [
        (class_, owner, first + 10 * place, first + 10 * (place + 1))
        for place, (class_, owner) in enumerate(owners)
    ]
    end = first + 10 * len(owners)
    return units.new_batch(code, first, end, shares=shares, period=FEBRUARY, project=project)


def _next_unit(world: World, scheme: str, code: str) -> int:
    with reading(world.house.engine) as conn:
        rows = store.batches_of_code(conn, world.house.log.log_id, scheme, code)
    return max((row.units.end for row in rows), default=0)


def _credits(world: World) -> Draft | None:
    first = _next_unit(world, "reductions", "R")
    class_ = world.chance.choice(["credit", "credit", "energy", "gold"])
    found = units.new_batch(
        "R", first, first + 5, owner="mill", class_=class_, project="R1", period=JANUARY
    )
    return drafted(world, lambda desk: service.issue(desk, "reductions", [found]))


def _metered(world: World) -> Draft | None:
    """By the lots of the roof."""
    class_ = world.chance.choice(["ordinary", "green-trade", "green-trade"])
    month = Month(year=2026, month=2, zone_offset_s=8 * 3600)
    wanted = MeteredIssue(project="P1", month=month, code="M", units={class_: None})
    return drafted(world, lambda desk: issue_metered(desk, wanted))


def _of_record(world: World) -> Draft | None:
    found = _one_record(world)
    return drafted(world, lambda desk: credits_.issue_record(desk, found))


def move(world: World) -> Act:
    """An act on what somebody holds; one that the service refuses is written all the same."""
    chance = world.chance
    with reading(world.house.engine) as conn:
        rows = store.find_holdings(conn, world.house.log.log_id, live=chance.random() < 0.9)
    if not rows:
        return issue(world)
    row = chance.choice([row for row in rows if row.state != lifecycle.ACTIVE] or rows)
    row = chance.choice([row, *rows])
    names = [name for name in _ACTS if row.state in lifecycle.MOVES[name].ends]
    name = chance.choice(names if chance.random() < 0.8 else _ACTS)
    draft = drafted(world, lambda desk: _serve(world, desk, name, row))
    return _act(world, draft or _by_hand(world, name, row))


def _serve(world: World, desk: Desk, name: str, row: store.HoldingRow) -> object:
    of = units.pick(_serial(world, row), scheme=row.batch.scheme)
    if name == lifecycle.TRANSFER:
        return acting.transfer(desk, row.owner, _receiver(world, row), of)
    if name == _RETIRE:
        return acting.retire(desk, row.owner, of, _use(world, row))
    if name in lifecycle.MARKING:
        return acting.mark(desk, name, row.owner, of, "because")
    if name == lifecycle.SPLIT:
        return acting.split(desk, row.owner, of)
    if name == lifecycle.MERGE:
        return acting.merge(desk, row.owner, units.pick(row.batch.code, scheme=row.batch.scheme))
    if name == lifecycle.SETTLE:
        wh = world.chance.choice([1_000, 5_000])
        return settle(desk, units.settlement("one", wh))
    if name == lifecycle.EXPIRE:
        return acting.expire_due(desk)
    return acting.finish(desk, name, row.owner, of, "because")


def _serial(world: World, row: store.HoldingRow) -> str:
    """All of a holding, or a part of it."""
    first, end = row.units.first, row.units.end
    if world.chance.random() < 0.5:
        first = world.chance.randrange(first, end)
        end = world.chance.randrange(first, end) + 1
    return f"{row.batch.short}:{first}-{end}"


def _receiver(world: World, row: store.HoldingRow) -> str:
    return world.chance.choice([one for one in ("farm", "mill", "grid") if one != row.owner])


def _use(world: World, row: store.HoldingRow) -> Use:
    """Of the day that claims are of; now and then for nobody, or for what can't be."""
    chance = world.chance
    purpose = "green-power" if row.batch.scheme == "gec" else "voluntary"
    return Use(
        beneficiary=chance.choice([*["mill"] * 6, "farm", "ghost"]),
        purpose=purpose if chance.random() < 0.95 else chance.choice(PURPOSES),
        period=Period(start_s=DAY_S, end_s=DAY_S + chance.choice([3600, 86_400])),
    )


def _by_hand(world: World, name: str, row: store.HoldingRow) -> Draft:
    by_operator = lifecycle.by_whom(name, row.state) == lifecycle.OPERATOR
    return acting.move_draft(
        drafting(world),
        name,
        "operator" if by_operator else row.owner,
        [(row, [row.units])],
        terms=units.terms_of(name, len(row.units), _use(world, row)),
        to=_receiver(world, row),
        retirement=drawn(world) if name == _RETIRE else "",
    )


def disclose(world: World) -> Act:
    made = retirements(world)
    if not made:
        return move(world)
    found = world.chance.choice(made).retirement
    return _act(world, drafted(world, lambda desk: acting.disclose(desk, found)))


def retirements(world: World) -> Sequence[used.RetirementRow]:
    with reading(world.house.engine) as conn:
        return used.find_retirements(conn, world.house.log.log_id)


# Reductions and statements


def record(world: World) -> Act:
    chance = world.chance
    start_s = DAY_S + 3600 * chance.randrange(12)
    found = Monitored(
        key=KILN if chance.random() < 0.95 else ProjectKey(scheme="gec", project="P2"),
        period=Period(start_s=start_s, end_s=start_s + 3600),
        points={},
        mass_g=masses(),
        tolerance_g=100_000_000,
        biogenic_ppm=250_000,
        treatment=chance.choice(["credited", "credited", "at-source"]),
    )
    author = chance.choice([*["farm"] * 6, *["operator"] * 3, "mill"])
    draft = drafted(world, lambda desk: credits_.record_reduction(desk, found, author=author))
    return _act(world, draft)


def verify(world: World) -> Act:
    found = _one_record(world)
    confirmed, who = world.chance.random() < 0.8, world.chance.choice(["grid"] * 5 + ["mill"])
    draft = drafted(
        world,
        lambda desk: credits_.verify_reduction(desk, found, who, "seen", confirmed=confirmed),
    )
    return _act(world, draft) if draft else record(world)


def _records(world: World) -> Sequence[RecordRow]:
    with reading(world.house.engine) as conn:
        return find_records(conn, world.house.log.log_id)


def _one_record(world: World) -> bytes:
    rows = _records(world)
    return world.chance.choice(rows).record if rows else bytes.fromhex(drawn(world))


def reverse(world: World) -> Act:
    """Now and then of more than was stored, or of what is to come."""
    if not any(row.state in ("confirmed", "issued") for row in _records(world)):
        return verify(world)
    mass_g = world.chance.choice([1, 10**6, 10**6, 10**12])
    at_s = world.chance.choice([*[DAY_S] * 4, 2**33])
    draft = drafted(world, lambda desk: credits_.reverse(desk, KILN, mass_g, at_s, "a leak"))
    return _act(world, draft)


def statement(world: World) -> Act:
    chance = world.chance
    text = f"code,units\nC{chance.randrange(3)},{chance.randint(1, 3)}\n"
    as_of = date(2026, chance.choice([2, 2, 12]), 28)
    profile = read_statement_profile(_PROFILE, where="a profile")
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "statement.csv"
        path.write_text(text)
        draft = drafted(
            world,
            lambda desk: import_statement(desk, path, profile, profile_text=_PROFILE, as_of=as_of),
        )
    return _act(world, draft)


# What headers say


def _with_another_member(world: World, act: Act) -> Act:
    """The same bodies under a header that says something else."""
    chance, said = world.chance, dict(act.said)
    own = [name for name in said if name not in ("type", "id", "log", "at", "name")]
    name = chance.choice(own)
    said[name] = _another(world, name, said[name])
    keys = act.keys if chance.random() < 0.2 else (world.key(str(said["author"])),)
    return replace(act, said=said, keys=keys)


def _another(world: World, name: str, value: Any) -> Any:
    chance = world.chance
    holdings, ended = _holdings(world)
    choices: dict[str, Sequence[Any]] = {
        "author": PARTIES,
        "scheme": ["gec", "reductions", "internal", "none"],
        "project": ["P1", "P2", "R1", "K1", "none"],
        "replaces": ["", *world.stale, drawn(world)],
        "state": ["active", "frozen"],
        "act": list(lifecycle.MOVES),
        "retirement": ["", drawn(world), *(row.retirement.hex() for row in retirements(world))],
        "record": [_one_record(world).hex(), drawn(world)],
        "kind": ["gec", "green-trade", "credits"],
        "beneficiary": PARTIES,
        "purpose": PURPOSES,
    }
    if name in choices:
        return chance.choice(choices[name])
    if name in ("ends", "begins"):
        one = chance.choice([*holdings, *ended, drawn(world)])
        ways = [sorted({*value, one}), sorted({*value[1:], one}), [*value, *value], value[1:]]
        return chance.choice([*ways, value[::-1]])
    if name in ("spends", "wraps"):
        return other_lots(world, value)
    if name == "batches":
        code = value[0].partition("/")[0]
        return chance.choice([[f"{code}/{chance.randrange(4)}"], [*value, *value], []])
    if name == "body":
        return value | {"size": chance.choice([1, 2, 3, 2**20])}
    if name in ("from", "to"):
        return chance.choice(["2026-02-27T00:00:00Z", "2026-02-28T00:00:00Z"])
    if name == "units":
        return value + chance.choice([-1, 1])
    return chance.choice([value[1:], [*value, *value]])  # serials


def _holdings(world: World) -> tuple[list[str], list[str]]:
    """Those that last, and those that have ended."""
    with reading(world.house.engine) as conn:
        rows = store.find_holdings(conn, world.house.log.log_id)
    last = [row.holding.hex() for row in rows if row.live]
    return last, [row.holding.hex() for row in rows if not row.live]
