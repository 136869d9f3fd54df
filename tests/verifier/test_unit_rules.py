"""Logs with schemes, units and reductions: a good one passes and is counted; each broken rule is
refused.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.unitforms import ACTS
from tests.verifier.forge import FARM, GRID, OPERATOR
from tests.verifier.forge_certified import certified
from tests.verifier.forge_lots import MEDIA
from tests.verifier.forge_park import MILL, SHOP
from tests.verifier.test_lot_rules import TRUST, A, B, C, after, explained, twice
from tests.verifier.unit_writer import H, R, S, Units


def test_a_good_log(tmp_path: Path) -> None:
    park = certified()
    said = explained(park.log, tmp_path)
    assert "4 batches of units were issued, each revision once; 22 holdings, of them 17" in said
    assert "5 retirements, of them 5 in claims and 0 disclosed." in said
    assert "How many units a batch or a holding has and whose they are" in said
    assert "注销 5 次，其中列入声明 5 次" in explained(park.log, tmp_path / "zh", "zh")


def test_all_that_is_allowed(tmp_path: Path) -> None:
    w = Units()
    w.scheme("gec")
    w.project("ccus", "P-1")
    w.issue(["w/1", "x/0"], H[10:12], state="frozen", spends=[A], wraps=[B])
    w.move("split", [H[0]], H[5:7])
    w.move("merge", H[5:7], [H[7]], signer=OPERATOR)
    w.move("reserve", [H[7]], [H[8]])
    w.move("lock", [H[8]], [H[9]])
    w.move("split", [H[9]], H[12:14])
    w.move("settle", [H[12]], [H[14]])
    w.move("freeze", [H[13]], [H[15]])
    w.move("split", [H[15]], H[16:18], signer=FARM)
    w.move("release", [H[16]], [H[18]], signer=OPERATOR)
    w.move("cancel", [H[17]], [])
    w.move("expire", [H[10]], [])
    w.move("transfer", [H[1]], [H[19]])
    w.move("export", [H[19]], [])
    w.retire(R, [H[2]], [])
    w.retire(S, [H[3], H[4]], [])
    w.disclose(R)
    w.certified(A, [R])
    w.certified(B, [S], replaces=A)
    w.record(C)
    w.verify(C)
    w.reverse()
    for kind in ("gec", "green-trade", "credits"):
        w.statement(kind)
    said = explained(w.log, tmp_path)
    assert "3 batches of units were issued" in said
    assert "2 retirements, of them 2 in claims and 1 disclosed." in said
    assert "1 wraps" in said


Act = Callable[[Units], int]


def ended(act: str, *before: str) -> Act:
    """``act`` on a holding that came into a state by ``before``."""

    def do(w: Units) -> int:
        held = H[0]
        for number, one in enumerate(before):
            w.move(one, [held], [H[10 + number]])
            held = H[10 + number]
        begins = [] if ACTS[act].takes else H[18:20] if act == "split" else [H[19]]
        ends = [held, H[4]] if act == "merge" else [held]
        return w.move(act, sorted(ends), begins, retirement=R if act == "retire" else "")

    return do


def signed_by_the_owner(act: str) -> Act:
    return lambda w: w.move(act, [H[0]], [H[10]], signer=FARM)


BROKEN: list[tuple[str, Act, str]] = [
    # Registrations
    ("a scheme by another", lambda w: w.scheme("x", FARM), "only the operator"),
    (
        "a scheme for the first time, again",
        lambda w: w.scheme("gec", replaces=""),
        "replaces is empty, but in force for gec is",
    ),
    (
        "a scheme that replaces another one",
        lambda w: w.scheme("x", replaces=w.registered[("gec",)]),
        "but in force for x is nothing",
    ),
    (
        "a project by another",
        lambda w: w.project("ccus", "P-2", MILL),
        "only the operator",
    ),
    (
        "a project of no scheme",
        lambda w: w.project("nothing", "P-1"),
        "nothing is not registered",
    ),
    (
        "a project for the first time, again",
        lambda w: w.project("ccus", "P-1", replaces=""),
        "replaces is empty, but in force for ccus/P-1 is",
    ),
    # Issues
    ("an issue by another", lambda w: w.issue(["x/0"], [H[10]], signer=FARM), "only the operator"),
    (
        "an issue of no scheme",
        lambda w: w.issue(["x/0"], [H[10]], scheme="irec"),
        "irec is not registered",
    ),
    (
        "a batch again",
        lambda w: w.issue(["w/0"], [H[10]]),
        "the batch gec/w/0 was issued before, by entry",
    ),
    (
        "a revision without the one before",
        lambda w: w.issue(["w/2"], [H[10]]),
        "the batch gec/w/2 is issued before its revision 1",
    ),
    (
        "two revisions in one entry",
        lambda w: w.issue(["x/0", "x/1"], [H[10]]),
        "the batch gec/x/1 is issued before its revision 0",
    ),
    ("no batch", lambda w: w.issue([], [H[10]]), "hold 1 at least"),
    ("a batch twice", lambda w: w.issue(["x/0", "x/0"], [H[10]]), "none twice"),
    ("leading zeros", lambda w: w.issue(["x/01"], [H[10]]), "x/01 is not a batch"),
    ("no code", lambda w: w.issue(["/0"], [H[10]]), "/0 is not a batch"),
    ("no holding", lambda w: w.issue(["x/0"], []), "hold 1 at least"),
    (
        "a holding begun again",
        lambda w: w.issue(["x/0"], [H[0]]),
        "the holding 0+ began before, by entry",
    ),
    (
        "leaves of an issue",
        lambda w: w.issue(
            ["x/0"], [H[10]], body={"root": A * 2, "size": 2, "media": MEDIA + "units"}
        ),
        "body has 2 leaves, not the 3 of its members",
    ),
    ("another state", lambda w: w.issue(["x/0"], [H[10]], state="locked"), "locked is not one of"),
    (
        "lots that were spent",
        after(lambda w: w.claim(A, [A]), lambda w: w.issue(["x/0"], [H[10]], spends=[A])),
        "the lot a+ was spent before",
    ),
    (
        "a claim of lots that an issue spent",
        after(lambda w: w.issue(["x/0"], [H[10]], spends=[A]), lambda w: w.claim(A, [A])),
        "the lot a+ was spent before",
    ),
    (
        "lots that do not exist",
        lambda w: w.issue(["x/0"], [H[10]], spends=[C]),
        "the lot c+ that it spends was not created",
    ),
    (
        "wrapping lots that do not exist",
        lambda w: w.issue(["x/0"], [H[10]], wraps=[C]),
        "the lot c+ that it wraps does not exist",
    ),
    (
        "lots both spent and wrapped",
        lambda w: w.issue(["x/0"], [H[10]], spends=[A], wraps=[A]),
        "it both spends and wraps the lot a+",
    ),
    (
        "two wraps by issues",
        after(
            lambda w: w.issue(["x/0"], [H[10]], wraps=[A]),
            lambda w: w.issue(["y/0"], [H[11]], wraps=[A]),
        ),
        "has a wrap of the form gec already",
    ),
    (
        "a wrap after an issue",
        after(lambda w: w.issue(["x/0"], [H[10]], wraps=[A]), lambda w: w.wrap("gec", [A])),
        "has a wrap of the form gec already",
    ),
    # Acts
    (
        "ended twice",
        after(lambda w: w.move("export", [H[0]], []), lambda w: w.move("export", [H[0]], [])),
        "the holding 0+ was ended before, by entry",
    ),
    (
        "ended without a beginning",
        lambda w: w.move("export", [H[10]], []),
        "did not begin in an earlier entry",
    ),
    (
        "begun again by a move",
        lambda w: w.move("transfer", [H[0]], [H[1]]),
        "began before, by entry",
    ),
    (
        "begun again after its end",
        after(
            lambda w: w.move("export", [H[0]], []),
            lambda w: w.move("transfer", [H[1]], [H[0]]),
        ),
        "began before, by entry",
    ),
    (
        "ended and begun in one",
        lambda w: w.move("transfer", [H[0]], [H[0]]),
        "both begins and ends in it",
    ),
    ("nothing ended", lambda w: w.move("transfer", [], [H[10]]), "hold 1 at least"),
    ("nothing handed over", lambda w: w.move("transfer", [H[0]], []), "transfer can't end 1"),
    ("a split into one", lambda w: w.move("split", [H[0]], [H[10]]), "split can't end 1"),
    ("a split of two", lambda w: w.move("split", H[:2], H[10:12]), "split can't end 2"),
    ("a merge of one", lambda w: w.move("merge", [H[0]], [H[10]]), "merge can't end 1"),
    ("a merge into two", lambda w: w.move("merge", H[:2], H[10:12]), "merge can't end 2"),
    ("a lock of two in one", lambda w: w.move("lock", H[:2], [H[10]]), "lock can't end 2"),
    ("a settlement of nothing", lambda w: w.move("settle", [H[0]], []), "settle can't end 1"),
    ("another act", lambda w: w.write("unit.move", FARM, act="sell"), "sell is not one of"),
    (
        "leaves of a move",
        lambda w: w.move(
            "export", [H[0]], [], body={"root": A * 2, "size": 2, "media": MEDIA + "units"}
        ),
        "body has 2 leaves, not the 1 of its members",
    ),
    (
        "reserved twice",
        ended("reserve", "reserve"),
        "is reserved; reserve ends only what is active",
    ),
    ("a merge of reserved ones", ended("merge", "reserve"), "is reserved; merge ends only"),
    ("a transfer of locked ones", ended("transfer", "lock"), "is locked; transfer ends only"),
    ("an export of locked ones", ended("export", "lock"), "is locked; export ends only"),
    ("a retirement of frozen ones", ended("retire", "freeze"), "is frozen; retire ends only"),
    ("a settlement of frozen ones", ended("settle", "freeze"), "is frozen; settle ends only"),
    ("frozen twice", ended("freeze", "freeze"), "is frozen; freeze ends only"),
    ("locked twice", ended("lock", "lock"), "is locked; lock ends only"),
    ("released from nothing", ended("release"), "is active; release ends only"),
    (
        "parts of what is frozen",
        after(
            lambda w: w.move("freeze", [H[0]], [H[10]]),
            lambda w: w.move("split", [H[10]], H[11:13]),
            lambda w: w.move("transfer", [H[11]], [H[13]]),
        ),
        "is frozen; transfer ends only",
    ),
    (
        "issued as frozen",
        after(
            lambda w: w.issue(["x/0"], [H[10]], state="frozen"),
            lambda w: w.retire(R, [H[10]], []),
        ),
        "is frozen; retire ends only what is active, reserved, locked",
    ),
    (
        "frozen ones released by their owner",
        after(
            lambda w: w.move("freeze", [H[0]], [H[10]]),
            lambda w: w.move("release", [H[10]], [H[11]]),
        ),
        "is frozen: only the operator may release it",
    ),
    *(
        (
            f"{act} by another",
            signed_by_the_owner(act),
            f"{act} is an act of the operator only",
        )
        for act in ("settle", "freeze", "expire", "withdraw", "cancel")
    ),
    # Retirements
    (
        "a retirement without a name",
        lambda w: w.move("retire", [H[0]], []),
        "named exactly by the act retire",
    ),
    (
        "an export with a name",
        lambda w: w.move("export", [H[0]], [], retirement=R),
        "named exactly by the act retire",
    ),
    (
        "a retirement made twice",
        after(lambda w: w.retire(R, [H[0]], []), lambda w: w.retire(R, [H[1]], [])),
        "the retirement e+ was made before, by entry",
    ),
    ("disclosed without a retirement", lambda w: w.disclose(R), "there is no retirement e+ before"),
    (
        "disclosed twice",
        after(lambda w: w.retire(R, [H[0]], []), twice(lambda w: w.disclose(R))),
        "was disclosed before, by entry",
    ),
    (
        "disclosed by another",
        after(lambda w: w.retire(R, [H[0]], []), lambda w: w.disclose(R, signer=MILL)),
        "the retirement e+ was made by farm, not by mill",
    ),
    (
        "disclosed with other units",
        after(lambda w: w.retire(R, [H[0]], []), lambda w: w.disclose(R, units=6)),
        "the serials are 5 units, not 6",
    ),
    (
        "disclosed twice over",
        after(
            lambda w: w.retire(R, [H[0]], []),
            lambda w: w.disclose(R, serials=["w/0:0-3", "w/0:2-4"]),
        ),
        "the units 0-3 and 2-4 of the batch w/0 overlap",
    ),
    (
        "disclosed with an empty range",
        after(lambda w: w.retire(R, [H[0]], []), lambda w: w.disclose(R, serials=["w/0:5-5"])),
        "w/0:5-5 is not a range",
    ),
    (
        "disclosed backwards",
        after(
            lambda w: w.retire(R, [H[0]], []),
            lambda w: w.disclose(R, to="2026-01-01T00:00:00Z"),
        ),
        "the time from 2026-01-01T00:00:00Z to 2026-01-01T00:00:00Z is empty",
    ),
    ("claimed without a retirement", lambda w: w.certified(A, [R]), "there is no retirement e+"),
    (
        "in two claims",
        after(
            lambda w: w.retire(R, [H[0]], []),
            lambda w: w.certified(A, [R]),
            lambda w: w.certified(B, [R], signer=SHOP),
        ),
        "the retirement e+ is in a claim already, of entry",
    ),
    (
        "in a claim beside the one that it replaces",
        after(
            lambda w: w.retire(R, [H[0]], []),
            lambda w: w.certified(A, [R]),
            lambda w: w.certified(B, [R], replaces=A),
        ),
        "is in a claim already",
    ),
    (
        "of a withdrawn claim",
        after(
            lambda w: w.retire(R, [H[0]], []),
            lambda w: w.certified(A, [R]),
            lambda w: w.withdraw(A),
            lambda w: w.certified(B, [R]),
        ),
        "is in a claim already",
    ),
    (
        "twice in a claim",
        after(lambda w: w.retire(R, [H[0]], []), lambda w: w.certified(A, [R, R])),
        "none twice",
    ),
    ("a claim of nothing", lambda w: w.claim(A, []), "it spends no lot, has no retirement"),
    # Reductions and statements
    ("a record of no project", lambda w: w.record(A, project="P-2"), "ccus/P-2 is not registered"),
    ("recorded twice", twice(lambda w: w.record(A)), "the reduction a+ was recorded before"),
    ("verified without a record", lambda w: w.verify(A), "there is no record a+ before it"),
    (
        "verified twice",
        after(lambda w: w.record(A), twice(lambda w: w.verify(A))),
        "the record a+ was verified before",
    ),
    (
        "verified by its author",
        after(lambda w: w.record(A, GRID), lambda w: w.verify(A)),
        "grid can't verify the record a+: it made it itself",
    ),
    (
        "verified by another role",
        after(lambda w: w.record(A), lambda w: w.verify(A, MILL)),
        "mill may not verify reductions",
    ),
    ("reversed by another", lambda w: w.reverse(signer=FARM), "only the operator"),
    ("a reversal of no project", lambda w: w.reverse("P-2"), "ccus/P-2 is not registered"),
    ("a statement by another", lambda w: w.statement(signer=FARM), "only the operator"),
    ("another statement", lambda w: w.statement("irec"), "irec is not one of"),
]


@pytest.mark.parametrize(("act", "rule"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_broken(act: Act, rule: str, tmp_path: Path) -> None:
    w = Units()
    index = act(w)
    with pytest.raises(VerificationError, match=rule) as caught:
        verify_log(w.log.export(tmp_path), TRUST, Report())
    assert f"entry {index}: " in str(caught.value)
    assert caught.value.render("zh") != str(caught.value)
