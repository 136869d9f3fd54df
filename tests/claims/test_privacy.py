"""Who has the public log, and all evidence of all other consumers of a source: what do they learn?

The victim is the saw. The roof has more than all want, then less; then the saw is alone, with a
remainder and without one. What docs/formats.md §10 says can be inferred is inferred here, exactly;
what it does not say is searched for in every byte, and must not be there.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
import re
from collections.abc import Iterator
from typing import Any

import pytest

from ledger.claims import service as claims
from ledger.db import reading
from ledger.house import House
from ledger.lots.division import Division, lot_nonces
from ledger.lots.store import LotRow
from ledger.matching.service import run_matching
from ledger.metering.batches import nonces
from tests.claims.neighbours import (
    ALONE,
    ALONE_SHORT,
    COUNT,
    LARGE,
    OTHERS,
    PLENTY,
    SHORT,
    VICTIM,
    World,
    consumed,
    consumption_shown,
    readings_shown,
    roof_part,
    shown_in,
    shown_lots,
    world,
)
from tests.claims.parks import DAY as SMALL_DAY
from tests.claims.parks import FIRST, T, evidence_of, park, park_template, parse, point_of
from tests.divided import draft
from tests.ledgers import (
    DAY_S,
    QUARTER_S,
    begun_template,
    rows,
)

__all__ = ["begun_template", "park", "park_template", "world"]


# (a) every byte


def texts_of(value: Any) -> Iterator[str]:
    if isinstance(value, dict):
        for name, member in value.items():
            yield name
            yield from texts_of(member)
    elif isinstance(value, list):
        for member in value:
            yield from texts_of(member)
    else:
        yield str(value)


def decoded(text: str) -> Iterator[bytes]:
    yield text.encode()
    if re.fullmatch("[0-9a-f]*", text) and len(text) % 2 == 0:
        yield bytes.fromhex(text)
    if re.fullmatch("[A-Za-z0-9+/]*=*", text) and len(text) % 4 == 0:
        yield base64.b64decode(text)


@pytest.fixture(scope="module")
def seen(world: World) -> bytes:
    """All that the others have, with everything in it that is hex or base64 decoded too."""
    found = [world.tiles, *world.files.values()]
    for line in world.tiles.split(b"\n"):
        found += [base64.b64decode(word) for word in re.findall(rb"[A-Za-z0-9+/]{40,}=*", line)
                  if len(word) % 4 == 0]  # fmt: skip
    for raw in world.files.values():
        for text in texts_of(parse(raw)):
            found += decoded(text)
    return b"\n\n".join(found)


def forms(secret: bytes | int | str) -> Iterator[bytes]:
    """How it might be written: raw, decimal, hex, base64 at any place of a longer text (of short
    ones too little is left of that: but `seen` has all base64 decoded)."""
    if isinstance(secret, str):
        raw = secret.encode()
    elif isinstance(secret, int):
        raw = secret.to_bytes(8, "big")
        yield from (str(secret).encode(), f"{secret:,}".encode(), secret.to_bytes(8, "little"))
    else:
        raw = secret
    yield raw
    yield raw.hex().encode()
    for shift in range(3) if len(raw) >= 16 else ():
        text = base64.b64encode(bytes(shift) + raw)
        yield text[4 if shift else 0 : -4]


def shown_bodies(world: World) -> set[str]:
    return {body["hash"] for raw in world.files.values() for body in parse(raw)["bodies"]}


def secrets_of_all(world: World) -> Iterator[bytes]:
    """Secrets and salts of all bodies that nobody opened, and of all batches, run and division."""
    for (secret,) in rows(world.house, "SELECT secret FROM batches"):
        yield bytes(secret)
    opened = {part["secret"] for name in OTHERS for part in world.parts(name, "full", "claim")}
    for hash_, data in rows(world.house, "SELECT hash, data FROM bodies"):
        salt = bytes(data[4:36]) if data[:3] in (b"GLA", b"GLC", b"GLD") else bytes(data[:32])
        if bytes(hash_).hex() not in shown_bodies(world) and salt.hex() not in opened:
            yield salt


def nonces_of_victim(world: World) -> Iterator[bytes]:
    """Of its readings, its lots and its claim."""
    (batch,) = rows(world.house, "SELECT secret, id FROM batches WHERE source = ?", "of-mill")
    streams = [nonces(bytes(batch[0]), world.house.log.origin, batch[1], COUNT)]
    holder = point_of(world.house, VICTIM)
    for lot in world.lots:
        if lot.holder == holder or lot.point == holder or not lot.supply_class:
            yield world.division.secrets.lot_key(lot.number)
            count = len(world.division.origins[0].fresh_wh)
            mine = world.division.secrets.lot_nonces(lot.number, count)
            streams.append(mine[FIRST : FIRST + COUNT].tobytes())
    for stream in streams:
        yield from (stream[at : at + 16] for at in range(0, len(stream), 16))


def values_of_victim(world: World) -> Iterator[int]:
    """Readings, cover, what is left of its consumption; and its lot where no other has energy.

    In times of plenty its lot is all that it consumed: see the inferences below.
    """
    holder = point_of(world.house, VICTIM)
    yield from (consumed(0, LARGE)[at] for at in (*SHORT, *ALONE, *ALONE_SHORT))
    for lot in world.lots:
        if lot.point == holder:
            yield lot.wh
        if lot.point == holder and not lot.supply_class:
            yield from (wh for wh in world.wh(lot) if wh)
    supply, left = world.supply(VICTIM), world.supply("")
    yield from (world.wh(supply)[at] for at in (*ALONE, *ALONE_SHORT))
    yield from (world.wh(left)[at] for at in ALONE)


def test_no_private_byte_is_exported(world: World, seen: bytes) -> None:
    wanted: list[bytes | int | str] = [VICTIM, "secret-contract"]
    wanted += [*values_of_victim(world), *secrets_of_all(world), *nonces_of_victim(world)]
    assert len(wanted) > 200
    for secret in wanted:
        for form in forms(secret):
            assert form not in seen, (secret, form)


def test_the_search_finds_what_is_shown(world: World, seen: bytes) -> None:
    """Else the test above would pass for the wrong reason."""
    till, roof = world.supply("till"), consumed(1, LARGE)
    shown: list[bytes | int | str] = ["till", world.wh(till)[0], roof[0], till.lot]
    shown.append(world.division.secrets.lot_key(till.number))
    for secret in shown:
        assert any(form in seen for form in forms(secret)), secret


# (b) what can be inferred, and no more


def test_all_others_together_know_the_residual(world: World) -> None:
    known = {name: shown_lots(world, name) for name in OTHERS}
    metered = readings_shown(world, "till")
    assert sorted(metered) == [*PLENTY, *SHORT], "where no other has energy nothing is opened"
    for at, metered_wh in metered.items():
        truth = world.truth(at)
        residual_wh = metered_wh - sum(known[name][at].wh for name in OTHERS)
        assert residual_wh == truth[VICTIM] + truth[""]
        assert (truth[""] == 0) == (at in SHORT)


def test_a_share_by_demand_tells_what_all_wanted(world: World) -> None:
    """Where too little is split by demand, allotted is to wanted as all is to all: that needs no
    tree, and shows the load of the last consumer, but for what was rounded."""
    known, metered = shown_lots(world, "till"), readings_shown(world, "till")
    wanted = {name: consumption_shown(world, name) for name in OTHERS}
    for at in SHORT:
        all_wh = wanted["till"][at] * metered[at] / known[at].wh
        guess_wh = all_wh - sum(wanted[name][at] for name in OTHERS)
        assert abs(guess_wh - consumed(0, LARGE)[at]) < 100


def test_siblings_are_sums_over_groups_of_other_lots(world: World) -> None:
    groups = set()
    for name in OTHERS:
        for at, shown in shown_lots(world, name).items():
            others = {who: wh for who, wh in world.truth(at).items() if who != name and wh}
            beside_wh = [wh for *_, wh in shown.siblings]
            assert shown.wh + sum(beside_wh) == readings_shown(world, name)[at]
            subsets = {
                sum(others[who] for who in group): group
                for size in range(1, len(others) + 1)
                for group in itertools.combinations(sorted(others), size)
            }
            assert all(wh in subsets for wh in beside_wh)
            groups.add(frozenset(subsets[wh] for wh in beside_wh))
    assert len(groups) > 6, "the groups change from one quarter-hour to the next"


def test_the_residual_may_fall_into_its_two_lots_without_names(world: World) -> None:
    """Where the victim's lot and the remainder hang apart, both stand there, not which is which."""
    apart = 0
    for at in PLENTY:
        truth = world.truth(at)
        victim_wh, left_wh = truth[VICTIM], truth[""]
        seen_wh = {wh for name in OTHERS for *_, wh in shown_lots(world, name)[at].siblings}
        assert (victim_wh in seen_wh) == (left_wh in seen_wh) != (victim_wh + left_wh in seen_wh)
        assert victim_wh == consumed(0, LARGE)[at], "with energy left over, it is what it consumed"
        apart += victim_wh in seen_wh
    assert apart


def test_one_other_lot_is_plain(park: House) -> None:
    """Two consumers and no remainder: the evidence of the one shows what the other was allotted."""
    run_matching(park.desk, SMALL_DAY)
    file = parse(evidence_of(park, claims.make(park.desk, ["till"], SMALL_DAY).claim))
    found = [
        shown_in(lot)[T]
        for part in file["parts"]
        if part["part"] == "cells"
        for lot in part["lots"]
    ]
    pairs = {(shown.wh, *(wh for *_, wh in shown.siblings)) for shown in found}
    assert pairs == {(539, 461), (539, 700 - 539)}, (
        "of the roof the saw's; of its own, what is left"
    )


def test_headers_link_a_lot_to_its_division_alone(world: World) -> None:
    with reading(world.house.engine) as conn:
        query = "SELECT data FROM entries WHERE type LIKE 'lot.%' OR type LIKE 'claim.%'"
        headers = [
            json.loads(bytes(data).split(b"\n")[0]) for (data,) in conn.exec_driver_sql(query)
        ]
    common = {"type", "id", "log", "author", "at"}
    members = {header["type"]: set(header) - common for header in headers}
    assert members == {
        "lot.divide": {"run", "origins", "spends", "creates", "body"},
        "claim.make": {"claim", "replaces", "spends", "retires", "body", "manifest"},
    }
    (divide,) = (header for header in headers if header["type"] == "lot.divide")
    claimed = {lot for header in headers for lot in header["spends"]}
    assert len(claimed) == 2 * (1 + len(OTHERS)), "one of supply and one of cover each"
    assert claimed < set(divide["creates"])
    # All origins are in the one division: nothing there tells the roof's lots from the others.
    assert len(divide["origins"]) == 2 + len(OTHERS)


def test_the_order_of_ids_says_nothing(world: World) -> None:
    """The same plans drafted again: the roof's lots stand elsewhere among those of the entry."""
    roof = sorted(str(plan.id) for plan in world.plans).index(
        next(str(plan.id) for plan in world.plans if plan.id.point == point_of(world.house, "roof"))
    )
    places = set()
    for _ in range(8):
        made = draft(world.plans, run=bytes(32), operator="operator", origin="a.example")
        body = made.bodies["body"]
        assert isinstance(body, Division)
        by_holder = sorted(body.origins[roof].lots, key=lambda lot: lot.holder)
        places.add(tuple(lot.number for lot in by_holder))
    assert len(places) > 4


# (c) where a leaf stands


def leaf_of(world: World, lot: LotRow, at: int) -> bytes:
    nonce = world.division.secrets.lot_nonces(lot.number, FIRST + COUNT)[FIRST + at].tobytes()
    return leaf(nonce, lot.lot, world.wh(lot)[at])


def leaf(nonce: bytes, lot: bytes, wh: int) -> bytes:
    return hashlib.sha256(b"L" + nonce + lot + wh.to_bytes(8, "big")).digest()


def test_a_lot_stands_elsewhere_in_each_quarter_hour(world: World) -> None:
    """By so many quarter-hours that none of it comes by chance."""
    firsts = {VICTIM: 0, **dict.fromkeys(OTHERS, 0)}
    orders = set()
    for at in (*PLENTY, *SHORT):
        order = sorted(firsts, key=lambda who: leaf_of(world, world.supply(who), at))
        firsts[order[0]] += 1
        orders.add(tuple(order))
    assert len(orders) > 4
    assert max(firsts.values()) < len(PLENTY) + len(SHORT)
    sides = {
        (name, shown.siblings[-1][0])
        for name in OTHERS
        for shown in shown_lots(world, name).values()
    }
    assert len(sides) > len(OTHERS), "left of its last sibling, and right of it"


# (d) keys and nonces


def test_what_opens_one_lot_opens_no_other(world: World) -> None:
    victim = world.supply(VICTIM)
    hashes = {
        hash_
        for name in OTHERS
        for shown in shown_lots(world, name).values()
        for _, hash_, _ in shown.siblings
    }
    mine = {leaf_of(world, victim, at) for at in (*PLENTY, *SHORT)}
    assert mine & hashes, "its leaf is a sibling somewhere"
    for name in OTHERS:
        (lot,) = roof_part(world, name, "full")["lots"]
        opened = lot_nonces(bytes.fromhex(lot["key"]), FIRST + COUNT)[FIRST:].tolist()
        sampled = [
            base64.b64decode(one["nonces"])
            for number in range(3)
            for one in roof_part(world, name, f"sampled {number}")["lots"]
        ]
        given = {*opened, *(raw[k : k + 16] for raw in sampled for k in range(0, len(raw), 16))}
        assert given == set(opened), "a sample opens nonces of its own lot alone"
        for at, nonce in itertools.product((*PLENTY, *SHORT), given):
            assert leaf(nonce, victim.lot, world.wh(victim)[at]) not in mine


# (e) guessing


def test_a_small_value_is_not_guessed_without_its_nonce() -> None:
    nonce, lot, small = bytes(range(16)), bytes(range(16, 32)), 1234
    target = leaf(nonce, lot, small)
    assert [wh for wh in range(2000) if leaf(nonce, lot, wh) == target] == [small]
    for guess in (bytes(16), lot, bytes([255]) * 16):
        assert not [wh for wh in range(2000) if leaf(guess, lot, wh) == target]


def test_an_empty_quarter_hour_is_not_guessed(world: World) -> None:
    """Its neighbours' hashes are shown; nobody can tell from one that nothing was metered there."""
    number = next(
        k for k, one in enumerate(world.division.origins)
        if world.supply("till").number in [lot.number for lot in one.lots]
    )  # fmt: skip
    outer, sums, _ = world.division.open_origin(number, {})
    start_s = DAY_S + COUNT * QUARTER_S  # the first quarter-hour without a reading

    def outer_leaf(sum_root: bytes) -> bytes:
        books = bytes(24)
        return hashlib.sha256(
            b"\0" + start_s.to_bytes(8, "big") + bytes(32) + books + sum_root
        ).digest()

    at = FIRST + COUNT
    assert outer[at] == outer_leaf(bytes(sums[at])), "whoever knows the secret can tell"
    for guess in (bytes(32), hashlib.sha256().digest(), hashlib.sha256(b"N").digest()):
        assert outer[at] != outer_leaf(guess)
    assert len({bytes(one) for one in sums}) == len(sums), "each empty one has a secret of its own"
