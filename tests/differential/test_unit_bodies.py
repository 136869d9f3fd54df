"""Bodies about schemes, projects, reductions, statements and units: one verdict on each.

What a body says is judged here by itself; what it has to do with others of the log is judged by
the ledger when it appends, and by the verifier where evidence opens it.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from itertools import pairwise, product
from typing import Any, Final

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from greenledger_verify import unitleaves
from greenledger_verify.bodies import verify_body
from greenledger_verify.failure import VerificationError
from ledger.credits.record import Record, Reversal, Verification
from ledger.errors import LedgerError
from ledger.log.bodies import Blob, json_media
from ledger.registry import lifecycle, scheme
from ledger.registry.acts import _by_class
from ledger.registry.body import UnitsBody
from ledger.registry.leaves import Act, Batch, Use, check_paper, owner_of
from ledger.registry.moving import act_in
from ledger.registry.project import Project
from ledger.registry.ranges import require_even
from ledger.registry.scheme import Scheme, shipped
from ledger.statements.model import Statement
from tests.credits.flows import masses
from tests.differential.writing import changed, write
from tests.ledgers import ORIGIN

SALT: Final = bytes(32)
NONCE: Final = bytes(16)
H: Final = [f"{number:02x}" * 16 for number in range(1, 9)]

PROJECT: Final[dict[str, Any]] = {
    "name": "Roof PV 屋顶",
    "owner": "farm",
    "plant": "1-plant",
    "technology": "pv",
    "points": H[:2],
    "state": "registered",
    "from": "2026-01-31T16:00:00Z",
    "to": "2036-01-31T16:00:00Z",
    "inside_ets": 0,
    "generation": 1,
}
FLOWS: Final[list[dict[str, Any]]] = [
    {"role": role, "points": H[:2] if role == "injected" else [], "g": mass_g}
    for role, mass_g in masses().items()
]
REDUCTION: Final[dict[str, Any]] = {
    "from": "2026-01-31T16:00:00Z",
    "to": "2026-02-28T16:00:00Z",
    "as_of": 40,
    "treatment": "credited",
    "flows": FLOWS,
    "tolerance_g": 20_000_000,
    "biogenic_ppm": 250_000,
    "stored_g": 4_700_000_000,
    "emissions_g": 500_000_000,
    "net_g": 4_200_000_000,
}
VERIFICATION: Final[dict[str, Any]] = {
    "verdict": "confirmed",
    "finding": "Seen on site 现场",
    "document": "ab" * 32,
    "debit_g": 7,
    "buffer_g": 5,
    "parts": [
        {"class": "avoided", "carried_g": 999_999, "g": 2_000_002, "units": 3, "left_g": 1},
        {"class": "removal", "carried_g": 0, "g": 999_999, "units": 0, "left_g": 999_999},
    ],
}
REJECTED: Final = VERIFICATION | {
    "verdict": "rejected", "document": "", "debit_g": 0, "buffer_g": 0, "parts": [],
}  # fmt: skip
REVERSAL: Final = {"g": 10**15, "at": "2026-02-28T16:00:00Z", "reason": "A well leaked 泄漏"}
ROW: Final[dict[str, Any]] = {
    "row": 2,
    "code": "GD-2026.01_A",
    "month": "2026-01",
    "project": "P-1",
    "class": "ordinary",
    "first": 0,
    "end": 12,
    "status": "held",
    "party": "mill",
    "wh": 12_000_000,
    "note": "第一行",
}
STATEMENT: Final[dict[str, Any]] = {
    "scheme": "gec",
    "issuer": "绿证平台",
    "as_of": "2026-02-01",
    "file": {"name": "list.csv", "size": 0, "hash": "cd" * 32},
    "profile": 'kind = "gec"\n',
    "rows": [
        ROW,
        ROW | {"first": 12, "end": 20, "status": "transferred", "month": ""},
        ROW | {"row": 5, "code": "", "end": 3, "project": "", "class": "", "party": ""},
        ROW | {"row": 6, "code": "", "end": 0},
    ],
}
GOOD: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "scheme": tuple(shipped(name).to_json() for name in scheme.shipped_schemes()),
    "project": (PROJECT, PROJECT | {"from": "", "to": "", "points": []}),
    "reduction": (REDUCTION, REDUCTION | {"treatment": "at-source"}),
    "verification": (VERIFICATION, REJECTED, REJECTED | {"verdict": "confirmed"}),
    "reversal": (REVERSAL,),
    "statement": (STATEMENT,),
}
READERS: Final[dict[str, Callable[[dict[str, Any]], object]]] = {
    "scheme": lambda value: Scheme.from_json("some", value),
    "project": Project.from_json,
    "reduction": Record.from_json,
    "verification": Verification.from_json,
    "reversal": Reversal.from_json,
    "statement": Statement.from_json,
}


def why(read: Callable[[], object]) -> str:
    """Why it is refused; nothing where it is not. Any other error is a crash."""
    try:
        read()
    except (LedgerError, VerificationError) as error:
        return str(error) or "?"
    return ""


def agree(name: str, text: str) -> bool:
    """Whether both take it."""
    raw = SALT + text.encode(errors="surrogatepass")
    media = json_media(name)
    ledger = why(lambda: READERS[name](Blob.open(raw, media).json()))
    verifier = why(lambda: verify_body(raw, {"size": len(raw), "media": media}))
    assert bool(ledger) == bool(verifier), f"{text}: ledger {ledger!r}, verifier {verifier!r}"
    return not ledger


def plain(value: Any) -> str:
    return write(value, random.Random(0))


def test_the_good_ones_are_taken() -> None:
    for name, contents in GOOD.items():
        for content in contents:
            assert agree(name, plain(content)), name


@settings(max_examples=600)
@given(name=st.sampled_from(sorted(GOOD)), seed=st.integers(0, 2**32), changes=st.integers(0, 2))
def test_json_bodies(name: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    value: Any = chance.choice(GOOD[name])
    for _ in range(changes):
        value = changed(value, chance)
    agree(name, write(value, chance))


# Members by their edges: (body, member, values)
TEXTS: Final = (
    *["x" * length for length in (0, 1, 40, 41, 64, 65, 200, 201, 500, 501)],
    *["X", "9x", "-x", "a.b", "a_b", "a b", "\x7f", "\u2028", "阳"],
)
NUMBERS: Final = (-1, 0, 1, 2, 1_199, 1_200, 1_201, 12_000, 999_999, 10**6, 10**6 + 1, 10**15,
                  10**15 + 1, 2**53 - 1, 2**53)  # fmt: skip
TIMES: Final = ("", "1969-12-31T23:45:00Z", "1970-01-01T00:00:00Z", "0001-01-01T00:00:00Z",
                "2026-01-31T16:00:01Z", "2036-01-31T16:00:00Z", "9999-12-31T23:45:00Z",
                "2026-02-30T00:00:00Z", "2026-02", "x")  # fmt: skip
DAYS: Final = ("", "2026-02-01", "2026-01-31", "2026-02-30", "0000-01-01", "0001-01-01",
               "9999-12-31", "2026-2-1", "2026-02-01 ", "20260201")  # fmt: skip
MONTHS: Final = ("", "2026-01", "2026-02", "2025-12", "0000-01", "0001-01", "2026-00", "2026-13",
                 "2026-1", "9999-12")  # fmt: skip


@pytest.mark.parametrize("name", sorted(GOOD))
def test_each_member_at_its_edges(name: str) -> None:
    for content in GOOD[name][:2]:
        for member, value in product(content, (*TEXTS, *NUMBERS, *TIMES, *DAYS, [], {}, [[]])):
            agree(name, plain(content | {member: value}))


def with_row(**changes: Any) -> dict[str, Any]:
    return STATEMENT | {"rows": [ROW | {name.rstrip("_"): one for name, one in changes.items()}]}


def test_rows_of_statements_at_their_edges() -> None:
    for member, value in product(ROW, (*TEXTS, *NUMBERS, *MONTHS, [], {})):
        agree("statement", plain(with_row(**{member: value})))
    for name in TEXTS:
        file = STATEMENT["file"] | {"name": name}
        agree("statement", plain(STATEMENT | {"file": file}))
    for as_of, month in product(DAYS, MONTHS):
        agree("statement", plain(with_row(month=month) | {"as_of": as_of}))


@given(
    code=st.sampled_from(["", "A"]),
    first=st.sampled_from([0, 1, 5, 2**53 - 1]),
    end=st.sampled_from([0, 1, 5, 6, 2**53 - 1]),
    wh=st.sampled_from([0, 1]),
)
def test_units_of_rows(code: str, first: int, end: int, wh: int) -> None:
    agree("statement", plain(with_row(code=code, first=first, end=end, wh=wh)))


@given(
    rows=st.lists(
        st.tuples(
            st.sampled_from(["A", "B"]), st.integers(0, 5), st.integers(1, 4), st.integers(1, 3)
        ),
        min_size=1,
        max_size=4,
    )
)
def test_rows_of_one_statement(rows: list[tuple[str, int, int, int]]) -> None:
    found = [
        ROW | {"row": line, "code": code, "first": first, "end": first + count}
        for code, first, count, line in rows
    ]
    agree("statement", plain(STATEMENT | {"rows": found}))


@settings(max_examples=200)
@given(
    seed=st.integers(0, 2**32),
    tolerance_g=st.sampled_from([0, 9_999_999, 10**7, 25 * 10**7, 25 * 10**7 + 1]),
    role=st.sampled_from(sorted(masses())),
    more_g=st.sampled_from([-(10**15), -(10**7), -1, 0, 1, 10**7, 10**7 + 1, 10**15]),
)
def test_balances(seed: int, tolerance_g: int, role: str, more_g: int) -> None:
    """Sums follow the flows, so that the balance alone decides; sometimes they do not."""
    chance = random.Random(seed)
    g = masses() | {role: masses()[role] + more_g}
    stored = g["injected"] - g["produced"] - g["surface-leakage"] - g["equipment-leakage"]
    emissions = g["energy-emissions"] + g["transport-emissions"] + g["injection-emissions"]
    content = REDUCTION | {
        "flows": [flow | {"g": g[flow["role"]]} for flow in FLOWS],
        "tolerance_g": tolerance_g,
        "stored_g": stored + chance.choice([0, 0, 0, 1]),
        "emissions_g": emissions,
        "net_g": max(0, stored - emissions),
    }
    agree("reduction", plain(content))


FLOW_CHANGES: Final[tuple[Callable[[list[dict[str, Any]]], list[dict[str, Any]]], ...]] = (
    lambda flows: flows[::-1],
    lambda flows: flows[:-1],
    lambda flows: [*flows, flows[-1]],
    lambda flows: [flow | {"points": [H[0]]} for flow in flows[:1]] + flows[1:],
    lambda flows: [flow | {"points": [H[3]]} for flow in flows[:1]] + flows[1:],
    lambda flows: [flow | {"points": [H[4], H[3]]} for flow in flows[:1]] + flows[1:],
    lambda flows: [flow | {"points": [H[3], H[3]]} for flow in flows[:1]] + flows[1:],
    lambda flows: [flow | {"role": "lost"} for flow in flows[:1]] + flows[1:],
)


@pytest.mark.parametrize("change", FLOW_CHANGES)
def test_flows(change: Callable[[list[dict[str, Any]]], list[dict[str, Any]]]) -> None:
    agree("reduction", plain(REDUCTION | {"flows": change(FLOWS)}))


@given(
    carried_g=st.sampled_from([0, 1, 999_999, 10**6]),
    g=st.sampled_from([0, 1, 10**6, 10**15, 10**15 + 1]),
    off=st.sampled_from([0, 0, 1]),
    verdict=st.sampled_from(["confirmed", "rejected"]),
    order=st.sampled_from([1, -1]),
)
def test_parts(carried_g: int, g: int, off: int, verdict: str, order: int) -> None:
    units, left_g = divmod(carried_g + g, 10**6)
    part = {"class": "avoided", "carried_g": carried_g, "g": g, "units": units + off}
    parts = [part | {"left_g": left_g}, VERIFICATION["parts"][1]][::order]
    agree("verification", plain(VERIFICATION | {"verdict": verdict, "parts": parts}))


CLASSES: Final = shipped("gec").to_json()["classes"]


@pytest.mark.parametrize(
    "change",
    [
        {"unit": "g"},
        {"unit": "g", "kind": "credit"},
        {"kind": "record"},
        {"classes": CLASSES[::-1]},
        {"classes": [CLASSES[0], *CLASSES]},
        {"classes": [CLASSES[0] | {"lots": "none"}]},
        {"classes": [CLASSES[0] | {"lot_classes": []}]},
        {"classes": [CLASSES[0] | {"lots": "none", "lot_classes": []}]},
        {"classes": [CLASSES[0] | {"lot_classes": [4, 0]}]},
        {"classes": [CLASSES[0] | {"lot_classes": [0, 5]}]},
        {"classes": [CLASSES[0] | {"lot_classes": [0, 6]}]},
        {"classes": [CLASSES[0] | {"lot_classes": [-1, 0]}]},
        {"classes": [CLASSES[0] | {"class": "9"}]},
        {"vintages": [{"from": "2026-01-01T00:00:00Z", "policy": "validity"}] * 2},
        {"vintages": [{"from": "2026-01-01T00:00:00Z", "policy": "always"}]},
        {"purposes": ["voluntary", "green-power"]},
        {"purposes": ["fun"]},
        {"freezes": ["gec", "gec"]},
        {"freezes": ["ccer", "gec"]},
        *[
            {"barred": [{"technology": technology, "from": from_, "to": to}]}
            for technology in ("9-pv", "pv", "", "PV")
            for from_ in ("2026-01-01T00:00:00Z", "")
            for to in ("", "2026-01-01T00:00:00Z", "2026-01-01T00:00:01Z")
        ],
    ],
)
def test_members_of_schemes_that_depend_on_each_other(change: dict[str, Any]) -> None:
    agree("scheme", plain(shipped("gec").to_json() | change))


@pytest.mark.parametrize("from_", TIMES)
@pytest.mark.parametrize("to", TIMES)
def test_periods(from_: str, to: str) -> None:
    period = {"from": from_, "to": to}
    agree("project", plain(PROJECT | period))
    agree("reduction", plain(REDUCTION | period))
    agree_on_leaf("batch", plain(BATCH | period))
    terms = ACTS["retire"]["terms"] | period
    agree_on_leaf("retire", plain(ACTS["retire"] | {"terms": terms}))


# Leaves of units

UNITS: Final = {"batch": "gec/GD.1/0", "class": "ordinary", "first": 3, "end": 9}
BATCH: Final[dict[str, Any]] = {
    "batch": "gec/GD.1/0",
    "first": 3,
    "end": 9,
    "from": "2026-01-31T16:00:00Z",
    "to": "2026-02-28T16:00:00Z",
    "expires": "2028-01-31T16:00:00Z",
    "project": "P-1",
    "record": "",
    "lots": H[4:6],
    "eligible_wh": 6_200_000,
    "carried_wh": 1,
    "left_wh": 200_001,
    "holdings": [
        {"holding": H[0], "class": "ordinary", "first": 3, "end": 5},
        {"holding": H[1], "class": "ordinary", "first": 5, "end": 9},
    ],
}
WITHOUT_LOTS: Final = BATCH | {
    "lots": [], "eligible_wh": 0, "carried_wh": 0, "left_wh": 0, "expires": "", "project": "",
    "holdings": [
        BATCH["holdings"][0], BATCH["holdings"][1] | {"class": "self-use"},
    ],
}  # fmt: skip
PAPER: Final = {"document": "ab" * 32, "note": "第一批"}
OWNER: Final = {"holding": H[0], "owner": "mill"}


def piece(holding: str, first: int, end: int, moves: int = 0, **changes: Any) -> dict[str, Any]:
    return {"holding": holding, **UNITS, "moves": moves, "first": first, "end": end} | changes


TERMS: Final[dict[str, dict[str, Any]]] = {
    "transfer": {"document": "", "note": ""},
    "settle": {
        "contract": H[7],
        "month": "2026-02",
        "contract_wh": 9,
        "generation_wh": 5,
        "consumption_wh": 7,
        "settled_wh": 5,
        "document": "ab" * 32,
    },
    "split": {"note": "halves"},
    "merge": {"note": ""},
    **{name: {"reason": "asked for"} for name in sorted(lifecycle.MARKING)},
    "retire": {
        "beneficiary": "mill",
        "purpose": "green-power",
        "from": "2026-02-28T16:00:00Z",
        "to": "2026-03-31T16:00:00Z",
        "units": 4,
        "obligation": 0,
        "note": "",
    },
    **{name: {"reason": "it is over"} for name in ("export", "expire", "withdraw", "cancel")},
}


def act_of(name: str) -> dict[str, Any]:
    """Two holdings of adjoining units end; what begins, or is gone, are the same units."""
    ended = [piece(H[0], 3, 5), piece(H[1], 5, 9)]
    begun = [piece(H[2], 3, 5), piece(H[3], 5, 9)]
    gone: list[dict[str, Any]] = []
    if name == "split":
        ended, begun = ended[1:], [piece(H[2], 5, 6), piece(H[3], 6, 9)]
    if name == "merge":
        begun = [piece(H[2], 3, 9)]
    if name in lifecycle.FINAL:
        begun, gone = begun[:1], [UNITS | {"first": 5}]
    return {"ended": ended, "begun": begun, "gone": gone, "terms": TERMS[name]}


ACTS: Final = {name: act_of(name) for name in lifecycle.MOVES}
LEAVES: Final[dict[str, tuple[dict[str, Any], ...]]] = {
    "batch": (BATCH, WITHOUT_LOTS),
    "owner": (OWNER,),
    **{name: (value,) for name, value in ACTS.items()},
}


@dataclass(frozen=True)
class _Header:
    """What `act_in` asks of an entry."""

    statement: Mapping[str, Any]


def ledger_reads(kind: str, text: bytes) -> None:
    body = UnitsBody.seal([], secret=SALT, origin=ORIGIN, id_="00" * 16)
    body = UnitsBody._of([text], SALT, ORIGIN, "00" * 16)
    value = body.json(0)
    if kind == "batch":
        found = Batch.from_json(value)
        assert not found.lots or found.class_
    elif kind == "owner":
        owner_of(value, value.get("holding", ""))
    else:
        _ledger_reads_act(kind, body, value)


def _ledger_reads_act(kind: str, body: UnitsBody, value: dict[str, Any]) -> None:
    """Under a header of the same holdings, which are sorted; and what follows from the leaf."""
    act = Act.from_json(kind, value)
    ends, begins = (sorted({one.holding.hex() for one in side}) for side in (act.ended, act.begun))
    padded = UnitsBody._of([*body.texts, *[b"{}"] * len(begins)], SALT, ORIGIN, "00" * 16)
    act_in(_Header({"act": kind, "ends": ends, "begins": begins}), padded)  # type: ignore[arg-type]
    require_even(_by_class(act.ended), _by_class([*act.begun, *act.gone]))
    if kind == lifecycle.RETIRE:
        Use.from_json(act.terms)


def verifier_reads(kind: str, text: bytes) -> None:
    if kind == "batch":
        unitleaves.batch_leaf(NONCE + text)
    elif kind == "owner":
        unitleaves.owner_leaf(NONCE + text)
    else:
        unitleaves.act_leaf(NONCE + text, kind)


# Sums of a leaf that the ledger judges beside what it holds, when it appends.
BESIDE_OTHERS: Final = (
    "units, but says", "settled_wh is", "an obligation stands only", "is of several classes",
)  # fmt: skip


def agree_on_leaf(kind: str, text: str) -> bool:
    raw = text.encode(errors="surrogatepass")
    ledger, verifier = (
        why(lambda: ledger_reads(kind, raw)), why(lambda: verifier_reads(kind, raw))
    )  # fmt: skip
    if not ledger and any(one in verifier for one in BESIDE_OTHERS):
        return False
    assert bool(ledger) == bool(verifier), f"{text}: ledger {ledger!r}, verifier {verifier!r}"
    return not ledger


def test_the_good_leaves_are_taken() -> None:
    for kind, contents in LEAVES.items():
        for content in contents:
            assert agree_on_leaf(kind, plain(content)), kind
    check_paper(PAPER)


@settings(max_examples=600)
@given(kind=st.sampled_from(sorted(LEAVES)), seed=st.integers(0, 2**32), changes=st.integers(0, 2))
def test_leaves(kind: str, seed: int, changes: int) -> None:
    chance = random.Random(seed)
    value: Any = chance.choice(LEAVES[kind])
    for _ in range(changes):
        value = changed(value, chance)
    agree_on_leaf(kind, write(value, chance))


@pytest.mark.parametrize(
    "text",
    [
        "",
        " ",
        "{",
        "{}",
        "[]",
        " {}",
        "{} ",
        "{}\n",
        "\n{}",
        "{\n}",
        "{\t}",
        '{"a":"\t"}',
        "\ufeff{}",
    ],
)
@pytest.mark.parametrize("kind", ["batch", "owner", "split"])
def test_a_leaf_is_one_line(kind: str, text: str) -> None:
    agree_on_leaf(kind, text)
    good = plain(LEAVES[kind][0])
    for odd in (" " + good, good + " ", good + "\n", good.replace(":", ":\n", 1), good + "\x00"):
        agree_on_leaf(kind, odd)


@settings(max_examples=200)
@given(
    act=st.sampled_from(sorted(ACTS)),
    cuts=st.lists(st.integers(3, 9), max_size=3),
    gone=st.lists(st.tuples(st.integers(3, 9), st.integers(3, 10)), max_size=2),
    code=st.sampled_from(["gec/GD.1/0", "gec/GD.1/10", "gec/GD.1/2", "gec/GD/0", "gec/GD-1/0"]),
)
def test_ranges(act: str, cuts: list[int], gone: list[tuple[int, int]], code: str) -> None:
    """What begins and is gone against what ends, of one batch and of two."""
    edges = [3, *cuts, 9]
    begun = [piece(H[2 + place], first, end) for place, (first, end) in enumerate(pairwise(edges))]
    ended = ACTS[act]["ended"]
    other = piece(H[6], 0, 4, batch=code)
    if code != "gec/GD.1/0":
        ended, gone_there = [*ended, other], [UNITS | {"batch": code, "first": 0, "end": 4}]
    else:
        gone_there = []
    found = [UNITS | {"first": first, "end": end} for first, end in gone]
    for whole in ([*found, *gone_there], [*gone_there, *found]):
        value = ACTS[act] | {"ended": ended, "begun": begun, "gone": whole}
        agree_on_leaf(act, plain(value))


ORDERS: Final = ("gec/A/0", "gec/A/10", "gec/A/2", "gec/A-B/0", "gec/A.B/0", "gec/a/0", "gec/_/0")


@pytest.mark.parametrize("first", ORDERS)
@pytest.mark.parametrize("second", ORDERS)
def test_the_order_of_what_is_gone(first: str, second: str) -> None:
    """By the batch as a text: so no reader has to take a name apart."""
    ended = [piece(H[0], 0, 4, batch=first), piece(H[1], 4, 8, batch=second)]
    gone = [
        UNITS | {"batch": batch, "first": at, "end": at + 4}
        for batch, at in ((first, 0), (second, 4))
    ]
    value = ACTS["cancel"] | {"ended": ended, "begun": [], "gone": gone}
    assert agree_on_leaf("cancel", plain(value)) == (first <= second)
