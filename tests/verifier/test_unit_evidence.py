"""Claims with certificates and credits: good ones pass and say what they mean; what only the log
can show, only the log shows.
"""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify import cli
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import VerificationError
from greenledger_verify.report import Report
from greenledger_verify.text import Language
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import FARM, LOG, MALLORY
from tests.verifier.forge_certified import (
    BATCH,
    Certified,
    certificate,
    certified,
    credited,
    only_certificates,
    pool,
    simple,
)
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_park import MILL, SEED, SHOP
from tests.verifier.forge_unit_attacks import bound, registered_again, staged
from tests.verifier.forge_units import GEC, name_id, unit_class

TRUST = trust_of([LOG.vkey])


def verify(evidence: Evidence, *, log: Path | None = None, language: Language = "en") -> Report:
    report = Report(language=language)
    judge_evidence(io.BytesIO(evidence.raw()), log, None, TRUST, report)
    return report


def values(report: Report, line: str) -> dict[str, Any]:
    return report.lines[line].values


def words(report: Report) -> str:
    texts = [text for line in report.lines.values() for text in line.texts]
    every = texts + report.established + report.not_established
    return "\n".join(text.render(report.language) for text in every)


def again(level: str, park: Certified) -> Evidence:
    """Evidence of the claim that replaces the first one."""
    first = park.made.park.claims["mill"].entry
    sampling = {"seed": SEED, "samples": 3} if level == "sampled" else {}
    return park.evidence(level, claim="again", chain=[first], **sampling)


@pytest.mark.parametrize("level", ["total", "sampled", "full"])
def test_all_at_once(level: str, tmp_path: Path) -> None:
    """2 + 1 + 1 of the certificates count; that of the claim's own lots does not."""
    park = certified()
    report = verify(again(level, park), log=park.log.export(tmp_path))
    assert len(report.steps) == {"total": 12, "sampled": 16, "full": 16}[level]
    line = values(report, "certificates")
    assert (line["units"], line["wh"], line["bound_units"], line["chains"]) == (5, 3700, 1, 4)
    assert line["asserted_only"] == ["issued_by_registry", "lots_behind_batch"]
    credit = values(report, "credits")
    assert (credit["units"], credit["grams"], credit["lessen_wh"]) == (2, 2_000_000, 0)
    assert values(report, "single_use")["established"]
    said = words(report)
    assert "5 units of gec (Green certificate): 3,700 Wh" in said
    assert "1 units are one energy with lots of the claim, and add no Wh" in said
    assert "2 units of ccer (Credit): 2,000,000 g" in said
    assert "they lessen nothing: no Wh of the claim, and no residual" in said
    assert "asserted only, the operator's word" in said
    assert "it counts 3,700 Wh of certificates" in said
    assert "46,300 Wh are left" not in said
    assert "45,300 Wh are left" in said
    assert "no origin, lot, unit or claim is used twice" in said


def test_in_chinese() -> None:
    said = words(verify(again("total", certified()), language="zh"))
    for text in ("5 个单位：3,700 Wh", "碳信用不抵减任何数", "仅为断言", "逐号追溯"):
        assert text in said


def test_without_certificates(tmp_path: Path) -> None:
    park = Certified().claim()
    report = verify(park.evidence("full"), log=park.log.export(tmp_path))
    assert values(report, "certificates")["wh"] == 0
    assert values(report, "certificates")["asserted_only"] == []
    assert "the claim has no certificate\nthe claim has no credit" in words(report)
    assert "official registries" not in words(report)


def test_credits_alone() -> None:
    report = verify(credited().evidence("full"))
    assert values(report, "certificates")["units"] == 0
    assert values(report, "credits")["units"] == 2
    assert "certificates which are used in a part" not in words(report)
    assert "That units were still valid" in words(report)


def test_credits_for_an_obligation() -> None:
    """Two of an obligation of forty are just its cap of five in a hundred."""
    terms = {
        "purpose": "ets-compliance",
        "from": "2025-12-31T16:00:00Z",
        "to": "2026-12-31T16:00:00Z",
        "obligation": 40,
    }
    report = verify(credited(retire={"terms": terms}).evidence())
    (retirement,) = values(report, "credits")["retirements"]
    assert retirement["purpose"] == "ets-compliance"


@pytest.mark.parametrize("level", ["total", "full"])
def test_a_claim_of_certificates_alone(level: str) -> None:
    report = verify(only_certificates().evidence(level))
    assert values(report, "certificates")["wh"] == 4000
    assert values(report, "share_opened")["claimed_wh"] == 0
    unopened = "no quarter-hour of them is opened" in words(report)
    assert unopened == (level == "full")


def test_bound_to_lots_of_the_claim() -> None:
    report = verify(bound(0).evidence("full"))
    assert values(report, "certificates")["bound_units"] == 1
    assert values(report, "certificates")["wh"] == 0


def test_spent_lots_count() -> None:
    """Where the issue spent the lots, nobody can claim them: the certificate counts."""
    park = Certified({"classes": [unit_class("tradable", lots="spent", lot_classes=[2])]})
    lot = park.made.park.lots["sun-shop"].id.hex()
    park.desk.issue(
        "gec",
        BATCH,
        [pool(end=2, owner="mill")],
        lots=[lot],
        wraps=[],
        spends=[lot],
        leaf_changes={"eligible_wh": 400, "carried_wh": 800, "left_wh": 200},
    )
    park.desk.retire(MILL, "pool", 1, "R1")
    report = verify(park.claim(certificate("R1", 1, 1000)).evidence())
    assert values(report, "certificates")["wh"] == 1000


def test_an_owner_that_is_not_shown() -> None:
    """Whose the rest of a split is stays hidden."""
    park = simple()
    evidence = park.evidence()
    shown = b"".join(
        bytes.fromhex(leaf["bytes"]) for part in evidence.parts[1:] for leaf in part["leaves"]
    )
    assert name_id("others").encode() in shown
    owners = [raw for raw in shown.split(b"}") if b'"owner"' in raw]
    assert not any(name_id("others").encode() in raw for raw in owners)
    verify(evidence)


@pytest.mark.parametrize(
    ("vintages", "used"),
    [
        ([], "2026-01-31T16:00:00Z"),
        ([{"from": "2027-01-01T00:00:00Z", "policy": "same-year"}], "2026-01-31T16:00:00Z"),
        ([{"from": "2026-01-01T00:00:00Z", "policy": "same-year"}], "2026-01-31T16:00:00Z"),
        (
            [
                {"from": "2020-01-01T00:00:00Z", "policy": "same-year"},
                {"from": "2026-01-31T16:00:00Z", "policy": "validity"},
            ],
            "2026-01-31T16:00:00Z",
        ),
    ],
)
def test_vintages(vintages: list[dict[str, str]], used: str) -> None:
    verify(simple(gec={"vintages": vintages}, item={"from": used}).evidence())


def test_the_last_second_of_its_validity() -> None:
    """A tick one second before it expires, and one that is just when it does."""
    expires_s = 1_832_947_200  # 2028-01-31T16:00:00Z
    for late, holds in ((-1, True), (0, False)):

        def stage(park: Certified, late: int = late) -> None:
            park.desk.transfer(FARM, "pool", "mills", "mill")
            park.log.tick(expires_s + late - park.log.time_s)

        evidence = staged(stage).evidence()
        if holds:
            verify(evidence)
            continue
        with pytest.raises(VerificationError, match="which expired at 2028-01-31T16:00:00Z"):
            verify(evidence)


# What only the log shows


def move_again(park: Certified) -> None:
    """The holding that the mill retired of is handed over as well, after the claim."""
    desk = park.desk
    desk.move(
        "transfer", MILL, ["mills"], [desk.whole("mills", "again")], {"document": "", "note": ""}
    )


def move_again_by_nobody(park: Certified) -> None:
    """The signature is by nobody: it counts all the same."""
    desk = park.desk
    begun = desk.whole("mills", "again")
    desk.move("transfer", MALLORY, ["mills"], [begun], {"document": "", "note": ""})


def begin_again(park: Certified) -> None:
    park.desk.issue("gec", "X-1/0", [pool("mills")])


def issue_again(park: Certified) -> None:
    park.desk.issue("gec", BATCH, [pool("other")])


def claim_again(park: Certified) -> None:
    park.made.park.claim(
        "other",
        SHOP,
        ["sun-shop"],
        retires=[name_id("R1")],
        certificates=[certificate("R1", 2, 1500)],
    )


def claim_again_after_a_withdrawal(park: Certified) -> None:
    log, claim = park.log, park.made.park.claims["mill"].name
    log.add(log.statement("claim.withdraw", "mill", claim=claim, reason="mistaken"), MILL)
    claim_again(park)


def spent_and_wrapped(park: Certified) -> None:
    lot = park.made.park.lots["sun-shop"].id.hex()
    park.desk.issue("gec", "X-1/0", [pool("other")], lots=[lot], spends=[lot])


def spend_wrapped(park: Certified) -> None:
    """Lots that an issue spends are claimed as well."""
    lot = park.made.park.lots["sun-mill"].id.hex()
    park.desk.issue("gec", "X-1/0", [pool("other")], lots=[lot], wraps=[], spends=[lot])


def register_first_again(park: Certified) -> None:
    park.desk.schemes["gec"].clear()
    park.desk.scheme("gec", GEC)


def disclose_twice(park: Certified) -> None:
    members: dict[str, Any] = {
        "retirement": name_id("R1"),
        "scheme": "gec",
        "units": 2,
        "beneficiary": "mill",
        "purpose": "voluntary",
        "from": "2026-01-31T16:00:00Z",
        "to": "2026-02-28T16:00:00Z",
        "serials": ["W-2602/0:1-3"],
    }
    for _ in range(2):
        park.log.add(park.log.statement("unit.disclose", "mill", **members), MILL)


def verify_twice(park: Certified) -> None:
    record = name_id("record")
    body = forge.reference(bytes(40), "reduction+json")
    named = {"record": record, "scheme": "ccer", "project": "P-1", "body": body}
    log = park.log
    log.add(log.statement("reduction.record", "mill", **named), MILL)
    body = forge.reference(bytes(40), "verification+json")
    for _ in range(2):
        log.add(log.statement("reduction.verify", "grid", record=record, body=body), forge.GRID)


def hidden_type(park: Certified) -> None:
    """The type is written with an escape, so that a search for its name would not find it."""
    move_again(park)
    text = park.log.entries[-1].partition(b"\n\n")[0] + b"\n"
    park.log.entries[-1] = forge.note(text.replace(b'"unit.move"', b'"un\\u0069t.move"'), MILL)


USED: list[tuple[str, Callable[[Certified], object], str]] = [
    ("moved again", move_again, "was ended before, by entry"),
    ("moved again by nobody", move_again_by_nobody, "was ended before, by entry"),
    ("a hidden type", hidden_type, "was ended before, by entry"),
    ("begun again", begin_again, "began before, by entry"),
    ("issued again", issue_again, "the batch gec/W-2602/0 was issued before"),
    ("claimed again", claim_again, "is in a claim already, of entry"),
    ("of a withdrawn claim", claim_again_after_a_withdrawal, "is in a claim already, of entry"),
    ("lots spent by an issue", spend_wrapped, "was spent before, by entry"),
    ("lots spent and wrapped by an issue", spent_and_wrapped, "it both spends and wraps the lot"),
    ("a scheme registered first again", register_first_again, "but in force for gec is"),
    ("disclosed twice", disclose_twice, "was disclosed before, by entry"),
    ("verified twice", verify_twice, "was verified before, by entry"),
]


@pytest.mark.parametrize(("act", "rule"), [u[1:] for u in USED], ids=[u[0] for u in USED])
def test_used_a_second_time(act: Callable[[Certified], object], rule: str, tmp_path: Path) -> None:
    """The file alone is good; the log shows the other use."""
    park = simple()
    evidence = park.evidence()
    verify(evidence, log=park.log.export(tmp_path / "before"))
    act(park)
    assert "single use NOT established" in words(verify(evidence))
    with pytest.raises(VerificationError, match=rule) as caught:
        verify(evidence, log=park.log.export(tmp_path / "after"))
    assert "no unit moved or retired twice" in str(caught.value.step)


def test_a_tick_is_left_out(tmp_path: Path) -> None:
    """The units had expired when they were retired; the file shows an older tick only."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    park.log.tick(690 * 86_400)
    late = len(park.log.entries) - 1
    park.desk.retire(MILL, "pool", 2, "R1", "left")
    park.claim(certificate("R1", 2, 1500))
    with pytest.raises(VerificationError, match="which expired at"):
        verify(park.evidence())
    maker = park.made.park.maker
    maker.ticks.remove(late)
    evidence = maker.make(park.made.park.claims["mill"], "total")
    assert "That units were still valid" in words(verify(evidence))
    with pytest.raises(VerificationError, match=f"leaves out a tick, entry {late}, before"):
        verify(evidence, log=park.log.export(tmp_path))


def test_a_registration_is_left_out(tmp_path: Path) -> None:
    park, evidence = registered_again_in(tmp_path)
    verify(evidence)
    with pytest.raises(VerificationError, match="was registered anew by entry 27, before entry 28"):
        verify(evidence, log=park)


def registered_again_in(folder: Path) -> tuple[Path, Evidence]:
    log = forge.Log()
    evidence = registered_again(tell=False, log=log)
    return log.export(folder), evidence


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    park = certified()
    file = tmp_path / "mill.evidence.json"
    file.write_bytes(again("total", park).raw())
    folder = str(park.log.export(tmp_path / "log"))
    arguments = ["evidence", str(file), "--vkey", LOG.vkey, "--log", folder]
    assert cli.main([*arguments, "--lang", "en"]) == 0
    said = capsys.readouterr().out
    assert "\ncertificates: 5 units of gec (Green certificate): 3,700 Wh" in said
    assert "\ncredits: 2 units of ccer (Credit): 2,000,000 g" in said
    assert cli.main([*arguments, "--json"]) == 0
    lines = json.loads(capsys.readouterr().out)["lines"]
    assert lines["certificates"]["wh"] == 3700
    assert lines["certificates"]["imports"] == [26, 27, 28]
    assert [one["bound"] for one in lines["certificates"]["retirements"]].count(True) == 1
    assert lines["credits"]["grams"] == 2_000_000
