"""Logs with lots and claims: a good one passes and is counted; each broken rule is refused."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.explain_log import explain_log
from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier.forge import GRID, LOG, OPERATOR, Log, leaf, reference
from tests.verifier.forge_lots import MEDIA, Value
from tests.verifier.forge_park import MILL, SHOP, SUN, WIND, LotPark, good

TRUST = trust_of([LOG.vkey])
A, B, C, D = (letter * 32 for letter in "abcd")
SUN_0, SUN_1, WIND_0 = f"{SUN}/2026-02/0", f"{SUN}/2026-02/1", f"{WIND}/2026-02/0"


def explained(log: Log, folder: Path, language: Any = "en") -> str:
    report = Report(language=language)
    explain_log(verify_log(log.export(folder), TRUST, report), TRUST, report)
    return "\n".join(text.render(language) for text in report.established + report.not_established)


def test_a_good_log(tmp_path: Path) -> None:
    said = explained(good().log, tmp_path)
    assert "16 lots were created from 7 origins, each divided once; 12 of them are spent" in said
    assert "3 claims: 2 in force, of them 0 short; 1 replaced, 0 withdrawn." in said
    assert "What lots and claims are worth" in said
    assert "共 3 份声明：有效 2 份" in explained(good().log, tmp_path / "zh", "zh")


class Writer:
    """A log with one division (lots a and b, remainders of nothing) and whatever comes after."""

    def __init__(self) -> None:
        self.park = LotPark()
        self.park.register()
        self.log = self.park.log
        batch = self.park.readings(OPERATOR, [(SUN, 1, 900, 5, 0)])
        previous = leaf(self.log.entries[batch.entry]).hex()
        corrects = {"hash": "00" * 32, "size": 64, "media": MEDIA + "corrects"}
        fix = self.park.readings(
            OPERATOR,
            [(SUN, 1, 900, 6, 0)],
            kind="readings.correction",
            sequence=1,
            previous=previous,
            corrects=corrects,
        )
        self.correction = leaf(self.log.entries[fix.entry]).hex()
        self.run = self.park.start_run().hex()
        self.divide([SUN_0], [A, B])

    def divide(
        self, origins: list[str], creates: list[str], spends: list[str] | None = None, **more: Any
    ) -> int:
        author: Any = more.pop("signer", OPERATOR)
        if any(origin.endswith("/1") for origin in origins):
            self.run = self.park.start_run().hex()
        size = len(origins) + len(creates)
        members = {
            "run": self.run,
            "origins": origins,
            "spends": spends or [],
            "creates": creates,
            "body": {"root": "11" * 32, "size": size, "media": MEDIA + "division"},
        }
        return self.write("lot.divide", author, **members | more)

    def claim(self, claim: str, spends: list[str], replaces: str = "", **more: Any) -> int:
        members: Value = {
            "claim": claim,
            "replaces": replaces,
            "spends": spends,
            "retires": [],
            "body": {"root": "22" * 32, "size": 2688, "media": MEDIA + "claim"},
            "manifest": reference(bytes(40), "claim+json"),
        }
        return self.write("claim.make", more.pop("signer", MILL), **members | more)

    def wrap(self, form: str, wraps: list[str], signer: Any = OPERATOR) -> int:
        body = reference(bytes(40), "form+json")
        return self.write("lot.wrap", signer, form=form, wraps=wraps, body=body)

    def flag(self, claim: str, state: str, signer: Any = OPERATOR, because: str = "") -> int:
        because = because or self.correction
        return self.write("claim.flag", signer, claim=claim, state=state, because=because)

    def withdraw(self, claim: str, signer: Any = MILL) -> int:
        return self.write("claim.withdraw", signer, claim=claim, reason="mistaken")

    def write(self, kind: str, signer: Any, /, **members: Any) -> int:
        party = signer.name.rpartition("/")[2]
        return self.log.add(self.log.statement(kind, party, **members), signer)


def test_all_that_is_allowed(tmp_path: Path) -> None:
    w = Writer()
    w.divide([SUN_1, WIND_0], [C, D], [B])
    w.wrap("gec", [A, C])
    w.wrap("stamp", [A])
    w.claim(A, [A])
    w.flag(A, "short")
    w.flag(A, "cured")
    w.flag(A, "short")
    w.claim(B, [C], A)
    w.claim(C, [], B)
    w.withdraw(C, OPERATOR)
    w.claim(D, [D], signer=SHOP)
    w.flag(D, "short")
    said = explained(w.log, tmp_path)
    assert "4 claims: 1 in force, of them 1 short; 2 replaced, 1 withdrawn." in said
    assert "3 wraps" in said


def twice(act: Callable[[Any], int]) -> Callable[[Any], int]:
    def both(w: Writer) -> int:
        act(w)
        return act(w)

    return both


def after(*acts: Callable[[Any], int]) -> Callable[[Any], int]:
    def all_of(w: Writer) -> int:
        return [act(w) for act in acts][-1]

    return all_of


def by_an_old_run(w: Writer) -> int:
    """Of two runs that know the same log, both allot what one of them has divided."""
    early, w.run = (w.park.start_run().hex() for _ in range(2))
    w.divide([WIND_0], [C])
    return w.divide([f"{WIND}/2026-02/1"], [D], run=early)


BROKEN: list[tuple[str, Callable[[Writer], int], str]] = [
    (
        "an origin in two entries",
        lambda w: w.divide([SUN_0], [C]),
        "origin .*/2026-02/0 was divided before, by entry",
    ),
    (
        "an origin anew, of the same run",
        lambda w: w.divide([SUN_1], [C], run=leaf(w.log.entries[w.park.run]).hex()),
        "of a run that was divided for this month before, by entry",
    ),
    ("an origin twice in one", lambda w: w.divide([WIND_0, WIND_0], [C]), "none twice"),
    ("origins out of order", lambda w: w.divide([WIND_0, SUN_1], [C]), "sorted, none twice"),
    (
        "a revision without the one before",
        lambda w: w.divide([f"{WIND}/2026-02/1"], [C]),
        "divided before its revision 0",
    ),
    (
        "two revisions in one entry",
        lambda w: w.divide([WIND_0, f"{WIND}/2026-02/1"], [C]),
        "divided before its revision 0",
    ),
    ("a lot created twice", lambda w: w.divide([WIND_0], [A]), "was created before, by entry"),
    ("a lot twice in one entry", lambda w: w.divide([WIND_0], [C, C]), "none twice"),
    ("no lot", lambda w: w.divide([WIND_0], []), "hold 1 at least"),
    ("no origin", lambda w: w.divide([], [C, D]), "hold 1 at least"),
    (
        "spent by two divisions",
        after(lambda w: w.divide([WIND_0], [C], [B]), lambda w: w.divide([SUN_1], [D], [B])),
        "lot b+ was spent before",
    ),
    (
        "spent where it is created",
        lambda w: w.divide([WIND_0], [C], [C]),
        "not created by an earlier entry",
    ),
    ("spent before it exists", lambda w: w.claim(A, [C]), "not created by an earlier entry"),
    (
        "spent by two claims",
        after(lambda w: w.claim(A, [A]), lambda w: w.claim(B, [A], signer=SHOP)),
        "lot a+ was spent before",
    ),
    (
        "spent by claim and division",
        after(lambda w: w.claim(A, [B]), lambda w: w.divide([SUN_1], [C], [B])),
        "lot b+ was spent before",
    ),
    (
        "a withdrawn claim's lot",
        after(lambda w: w.claim(A, [A]), lambda w: w.withdraw(A), lambda w: w.claim(B, [A])),
        "lot a+ was spent before",
    ),
    (
        "a point that is not registered",
        lambda w: w.divide([f"{'00' * 16}/2026-02/0"], [C]),
        "point of the origin .* is not registered",
    ),
    ("a month that is none", lambda w: w.divide([f"{SUN}/2026-13/0"], [C]), "not an origin"),
    ("the year 0", lambda w: w.divide([f"{SUN}/0000-01/0"], [C]), "not an origin"),
    ("leading zeros", lambda w: w.divide([f"{SUN}/2026-02/01"], [C]), "not an origin"),
    (
        "size of the body",
        lambda w: w.divide(
            [WIND_0], [C], body={"root": A * 2, "size": 3, "media": MEDIA + "division"}
        ),
        "3 leaves, not one for each of 1 origins and 1 lots",
    ),
    ("no run", lambda w: w.divide([WIND_0], [C], run=A * 2), "not the leaf hash of a match.run"),
    ("a run before the revision before", by_an_old_run, "knows [0-9]+ entries, and not entry"),
    ("divided by another", lambda w: w.divide([WIND_0], [C], signer=MILL), "only the operator"),
    ("wrapped by another", lambda w: w.wrap("gec", [A], MILL), "only the operator"),
    ("two wraps of a form", twice(lambda w: w.wrap("gec", [A])), "wrap of the form gec already"),
    ("a wrap of nothing", lambda w: w.wrap("gec", [C]), "that it wraps does not exist"),
    ("another form", lambda w: w.wrap("irec", [A]), "irec is not one of"),
    (
        "a claim made twice",
        after(lambda w: w.claim(A, [A]), lambda w: w.claim(A, [B])),
        "claim a+ was made before",
    ),
    ("a claim of nothing", lambda w: w.claim(A, []), "it spends no lot"),
    (
        "a claim of another's media",
        lambda w: w.claim(A, [A], body={"root": A * 2, "size": 0, "media": MEDIA + "claim"}),
        "integer from 1",
    ),
    ("replacing nothing", lambda w: w.claim(A, [A], B), "there is no claim b+ before it"),
    (
        "replaced twice",
        after(lambda w: w.claim(A, [A]), lambda w: w.claim(B, [], A), lambda w: w.claim(C, [], A)),
        "claim a+ is not in force: replaced by entry",
    ),
    (
        "replacing a withdrawn claim",
        after(lambda w: w.claim(A, [A]), lambda w: w.withdraw(A), lambda w: w.claim(B, [], A)),
        "not in force: withdrawn by entry",
    ),
    (
        "replacing another's claim",
        after(lambda w: w.claim(A, [A]), lambda w: w.claim(B, [B], A, signer=SHOP)),
        "is one of mill, not of shop",
    ),
    (
        "withdrawn by another",
        after(lambda w: w.claim(A, [A]), lambda w: w.withdraw(A, SHOP)),
        "shop may not withdraw",
    ),
    (
        "withdrawn twice",
        after(lambda w: w.claim(A, [A]), twice(lambda w: w.withdraw(A))),
        "not in force: withdrawn",
    ),
    ("withdrawn without a claim", lambda w: w.withdraw(A), "there is no claim"),
    (
        "cured first",
        after(lambda w: w.claim(A, [A]), lambda w: w.flag(A, "cured")),
        "can't be flagged cured",
    ),
    (
        "short twice",
        after(lambda w: w.claim(A, [A]), twice(lambda w: w.flag(A, "short"))),
        "can't be flagged short",
    ),
    (
        "flagged by another",
        after(lambda w: w.claim(A, [A]), lambda w: w.flag(A, "short", MILL)),
        "only the operator",
    ),
    (
        "flagged for no correction",
        after(lambda w: w.claim(A, [A]), lambda w: w.flag(A, "short", because=w.run)),
        "not the leaf hash of a readings.correction",
    ),
    (
        "flagged when replaced",
        after(
            lambda w: w.claim(A, [A]),
            lambda w: w.claim(B, [], A),
            lambda w: w.flag(A, "short"),
        ),
        "not in force: replaced",
    ),
    (
        "signed by another",
        lambda w: w.log.add(
            w.log.statement("claim.withdraw", "operator", claim=A, reason="x"), GRID
        ),
        "claim",
    ),
]


@pytest.mark.parametrize(("act", "rule"), [b[1:] for b in BROKEN], ids=[b[0] for b in BROKEN])
def test_broken(act: Callable[[Writer], int], rule: str, tmp_path: Path) -> None:
    w = Writer()
    index = act(w)
    with pytest.raises(VerificationError, match=rule) as caught:
        verify_log(w.log.export(tmp_path), TRUST, Report())
    assert f"entry {index}: " in str(caught.value)
    assert caught.value.render("zh") != str(caught.value)
