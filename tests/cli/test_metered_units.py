"""Certificates of a plant that is metered here, at the command line: lots behind, settled, short;
reductions of the park; lists and statements of registries."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.conftest import Once, Run
from tests.cli.test_claims import YEAR, readings, take
from tests.cli.test_commands import PROFILE, answer
from tests.statements.files import shipped_text

DAY = ("--from", "2026-01-01", "--to", "2026-01-02")
GEC_COLUMNS = "projectCode,projectName,productionYearMonth,issueType,gecUniqueCode,releaseQuantity,ordinaryQuantity,greenQuantity,unTraQuantity"  # noqa: E501
MWH = PROFILE.replace('"kWh"\n[[', '"MWh"\n[[')


@pytest.fixture
def park(run: Run, once: Once, tmp_path: Path) -> Path:
    """An hour of 9 MWh: 5.2 MWh of a green trade to mill, 3.8 MWh left over."""

    def make() -> None:
        assert run("init", "--origin", "park.example/metered").code == 0
        for party, role in (("mill", "enterprise"), ("farm", "generator"), ("seen", "verifier")):
            assert run("party", "add", party, "--name", party, "--role", role).code == 0
        for point, kind, owner in (("saw", "consumption", "mill"), ("roof", "generation", "farm")):
            assert run("point", "add", point, "--kind", kind, "--owner", owner).code == 0
        (tmp_path / "p.toml").write_text(MWH)
        assert take(run, tmp_path, "roof", readings(3, 2, 2, 2)).code == 0
        assert (
            take(run, tmp_path, "saw", readings(1, 1, 2, 2).replace("00:00,1", "00:00,0.2")).code
            == 0
        )
        words = ("--kind", "green-trade", "--seller", "farm", "--source", "roof")
        assert run("contract", "add", "c", *words, "--consumer", "saw", *YEAR).code == 0
        assert run("match").code == 0
        assert run("scheme", "register", "gec").code == 0
        wind = ("--name", "Hill", "--owner", "farm", "--plant", "hill", "--technology", "wind")
        assert run("project", "register", "gec", "P-1", *wind, "--point", "roof").code == 0

    once(make)
    return tmp_path


ISSUE = ("certificate", "issue", "G-01", "--month", "2026-01", "--project", "P-1")
SETTLE = ("certificate", "settle", "c", "--month", "2026-01", "--buyer", "mill")


def test_lots_stand_behind_what_is_issued(run: Run, park: Path) -> None:
    unsaid = run(*ISSUE)
    assert (unsaid.code, "say of which --class they may be" in unsaid.err) == (2, True)
    wrong = run(*ISSUE, "--class", "ordinary=4", "--class", "green-trade=5")
    assert (wrong.code, "4 certificates of class ordinary are stated" in wrong.err) == (3, True)
    by_hand = run(*ISSUE, "--class", "ordinary", "--first", "7")
    assert (by_hand.code, "project P-1 is metered here" in by_hand.err) == (2, True)
    done = run(*ISSUE, "--class", "ordinary=3", "--class", "green-trade")
    assert "Took in 8 certificates (8 MWh)" in done.out
    assert "1 lot behind: 3.800 MWh, and 0 Wh left before; 800.000 kWh are carried on" in done.out
    listed = answer(run, "certificate", "list")["sums"]
    assert {one["class"]: one["units"] for one in listed} == {"ordinary": 3, "green-trade": 5}


def test_a_green_trade_settles_and_is_claimed_with_its_lots(run: Run, park: Path) -> None:
    run(*ISSUE, "--class", "ordinary", "--class", "green-trade")
    figures = ("--contract-wh", "9000000", "--generation-wh", "9000000", "--consumption-wh")
    too_much = run(*SETTLE, *figures, "5300000")
    assert (too_much.code, "show 5200000 Wh" in too_much.err) == (3, True), too_much.err
    done = run(*SETTLE, *figures, "5200000")
    assert "Settled 5.200 MWh of c for 2026-01: 5 certificates (5 MWh) moved from farm" in done.out
    assert "200.000 kWh are left below a certificate" in done.out
    traded = run("certificate", "transfer", "--owner", "mill", "--to", "farm", "--count", "1")
    assert (traded.code, "green-trade" in traded.err) == (3, True)
    use = ("--beneficiary", "mill", "--purpose", "green-power", *DAY, "--count", "5")
    retirement = answer(run, "certificate", "retire", "--owner", "mill", *use)["retirement"]
    made = answer(run, "claim", "make", "saw", *DAY, "--retirement", retirement[:6])
    assert (made["claimed_wh"], made["certificates"][0]["wh"]) == (5_200_000, 0)
    assert "one energy with its lots: 5 certificates" in run("claim", "status", made["claim"]).out
    steps = answer(run, "certificate", "trace", "G-01:0")["steps"]
    assert [one["act"] for one in steps] == ["issue", "settle", "retire", "claim"]
    assert steps[-1]["terms"]["claim"] == made["claim"]
    assert "claimed" in run("certificate", "trace", "G-01:0").out


def test_a_lot_tells_its_life(run: Run, park: Path) -> None:
    run(*ISSUE, "--class", "ordinary", "--class", "green-trade")
    lots = answer(run, "lot", "list", "--point", "roof")["lots"]
    left = next(one["lot"] for one in lots if one["class"] == 0)
    sold = next(one["lot"] for one in lots if one["class"] == 4 and one["point"] == "roof")
    run("checkpoint")
    told = answer(run, "lot", "trace", sold[:8])
    assert (told["wh"], told["holder"], told["contracts"]) == (5_200_000, "saw", {"c": 5_200_000})
    assert [(one["readings"], one["wh"], one["provenance"]) for one in told["readings"]] == [
        (4, 9_000_000, "operator")
    ]
    assert (told["batches"], told["spent"]) == (["gec/G-01/0"], None)
    assert told["division"]["entry"] > told["run"]["entry"] > told["readings"][0]["entry"]
    assert told["division"]["proof"].startswith("c2sp.org/tlog-proof@v1\n")
    assert [one["form"] for one in told["forms"]] == ["gec"]
    spent = answer(run, "lot", "trace", left)["spent"]
    assert (spent["by"], spent["batches"], spent["type"]) == ("units", ["gec/G-01/1"], "unit.issue")
    said = run("lot", "trace", left).out
    assert "nobody: it is what was left over" in said
    assert "for gec/G-01/1" in said
    assert run("lot", "trace", "ab").code == 2
    assert run("lot", "trace", "0000").code == 4


def test_stamps_are_bound_when_certificates_come(run: Run, park: Path) -> None:
    lot = next(one["lot"] for one in answer(run, "lot", "list")["lots"] if one["class"] == 0)
    words = ("certificate", "stamp", lot, "--issuer", "Park", "--number", "S-1")
    assert "Stamped 1 lot of 3.800 MWh as S-1" in run(*words).out
    assert [one["state"] for one in answer(run, "certificate", "stamps")["stamps"]] == ["pending"]
    assert run(*words).code == 3
    run(*ISSUE, "--class", "ordinary")
    (stamp,) = answer(run, "certificate", "stamps")["stamps"]
    assert (stamp["state"], stamp["units"]) == ("bound", {"active": 3})
    assert "3 active" in run("certificate", "stamps").out


def test_a_correction_lists_certificates_that_are_short(run: Run, park: Path) -> None:
    run(*ISSUE, "--class", "ordinary")
    assert "No certificate is short" in run("certificate", "short").out
    corrected = take(run, park, "roof", readings(1, 1, 1, 1), "--correct", "CT ratio")
    assert "1 batch of certificates lack energy behind them, such as gec/G-01/0" in corrected.err
    (short,) = answer(run, "certificate", "short")["short"]
    assert (short["short_wh"] > 0, short["open_wh"]) == (True, short["short_wh"])
    assert "greenledger certificate short" in run("status").err
    gone = ("certificate", "withdraw", "G-01:0-3", "--reason", "corrected")
    assert run(*gone).code == 0
    assert answer(run, "certificate", "short")["short"][0]["open_wh"] < short["open_wh"]


# Lists and statements


def row(project: str, code: str, ordinary: int, green: int = 0) -> str:
    total = ordinary + green
    return f"{project},Hill,2026-01,new,{code},{total},{ordinary},{green},0"


def listed(park: Path, *rows: str) -> tuple[str, ...]:
    (park / "gec.toml").write_text(shipped_text("gec-list"))
    (park / "list.csv").write_text("\n".join((GEC_COLUMNS, *rows, "")))
    return (str(park / "list.csv"), "--profile", str(park / "gec.toml"), "--as-of", "2026-03-01")


def test_a_list_comes_in_once(run: Run, park: Path) -> None:
    wind = ("--name", "Sea", "--owner", "farm", "--plant", "sea", "--technology", "wind")
    run("project", "register", "gec", "P-2", *wind)
    words = listed(park, row("P-1", "G-01", 3, 5), row("P-2", "G-02", 40, 2))
    done = run("certificate", "import", *words)
    assert done.code == 0, done.err
    assert "took in 50 certificates (50 MWh) in 2 batches" in done.out
    assert answer(run, "certificate", "list", "--code", "G-02")["sums"][0]["owner"] == "farm"
    lots = answer(run, "certificate", "trace", "G-01:0")["origins"][0]["lots"]
    assert len(lots) == 1
    again = answer(run, "certificate", "import", *words)
    assert (again["units"], again["skipped"], again["skipped_units"]) == (0, 2, 50)
    size = answer(run, "status")["log_size"]
    for bad, said in (
        (row("P-2", "G-02", 41, 2), "the list has units 0-43 (43), here are 0-42"),
        (row("P-9", "G-03", 1), "project P-9 is not registered: greenledger project register"),
    ):
        refused = run("certificate", "import", *listed(park, bad))
        assert (refused.code, said in refused.err) == (3, True), refused.err
    assert answer(run, "status")["log_size"] == size
    wrong = run("credit", "import", *words)
    assert (wrong.code, "greenledger certificate import" in wrong.err) == (2, True)
    assert run("certificate", "import", "no.csv", *words[1:]).code == 4


def test_a_statement_is_compared_row_by_row(run: Run, park: Path) -> None:
    wind = ("--name", "Sea", "--owner", "farm", "--plant", "sea", "--technology", "wind")
    run("project", "register", "gec", "P-2", *wind)
    run("certificate", "import", *listed(park, row("P-2", "G-02", 40)))
    words = listed(park, row("P-2", "G-02", 40), row("P-2", "G-05", 7))
    done = run("certificate", "statement", *words)
    assert done.code == 0, done.err
    assert "1 agrees, 1 missing here, 0 missing there, 0 conflict" in done.out
    assert "G-05:0-7" in done.out
    again = answer(run, "certificate", "statement", *words)
    assert (again["repeated"], again["reconciliation"]["counts"]["missing_here"]) == (True, 1)
    (known,) = answer(run, "certificate", "statements")["statements"]
    assert known["as_of"] == "2026-03-01"
    anew = answer(run, "certificate", "statements", "--entry", str(known["entry"]))
    assert anew["counts"] == again["reconciliation"]["counts"]
    assert known["document"][:12] in run("certificate", "statements").out
    assert "issued as of 2026-03-01" in run("certificate", "trace", "G-02:3").out
    assert answer(run, "certificate", "blocking") == {"blocking": []}
    text = (park / "gec.toml").read_text().replace('value = "issued"', 'value = "cancelled"')
    (park / "gone.toml").write_text(text)
    gone = (words[0], "--profile", str(park / "gone.toml"), "--as-of", "2026-03-02")
    blocked = run("certificate", "statement", *gone)
    assert "the period can't be closed so" in blocked.err
    (held,) = answer(run, "certificate", "blocking")["blocking"]
    assert (held["code"], held["official_status"], held["owner"]) == ("G-02", "cancelled", "farm")
    refused = run("certificate", "import", *gone)
    assert (refused.code, "an import takes what is issued, held, frozen" in refused.err) == (
        2,
        True,
    )
    assert run("certificate", "statement", *words[:-1], "yesterday").code == 2


# Reductions

RECORD = ("credit", "record", "C-1", "--from", "2026-01-01", "--to", "2026-02-01")
FLOWS = ("--stated", "captured=1000.5t", "--stated", "transported=1000t", "--stated",
         "injected=999t", "--stated", "energy-emissions=49t")  # fmt: skip


def test_captured_co2_becomes_internal_units(run: Run, park: Path) -> None:
    assert run("scheme", "register", "internal").code == 0
    kiln = ("--name", "Kiln", "--owner", "mill", "--plant", "kiln", "--technology", "ccus")
    run("project", "register", "internal", "C-1", *kiln)
    open_ = run(*RECORD, *FLOWS, "--others-none")
    assert (open_.code, "the mass balance does not close at transport" in open_.err) == (3, True)
    for words, said in (
        (FLOWS, "no mass is given for used"),
        (("--stated", "captured=-5t"), "is no mass such as 1200.5t"),
        (("--stated", "captured=0.0000001t"), "is no whole number of g"),
        (("--stated", "caught=5t"), "roles are captured, used"),
        (("--stated", "used=1t", "--stated", "used=2t"), "used is given twice"),
    ):
        done = run(*RECORD, *words)
        assert (done.code, said in done.err) == (2, True), done.err
    done = run(*RECORD, *FLOWS, "--others-none", "--tolerance", "1t")
    # 999 t were injected; 49 t were emitted for it.
    assert "999 t stored (gross), 950 t net" in done.out
    (known,) = answer(run, "credit", "records")["records"]
    record = known["record"]
    early = run("credit", "issue-record", record)
    assert (early.code, "is recorded, credited" in early.err) == (3, True)
    assert run("credit", "verify", record, "--verifier", "mill", "--finding", "x").code == 3
    found = run("credit", "verify", record[:6], "--verifier", "seen", "--finding", "Seen on site")
    # A tenth is held back: 855 t are avoided.
    assert "avoided: 855 t, and 0 g left before, make 855 t; 0 g are carried on" in found.out
    assert "held back: 95 t as buffer" in found.out
    issued = answer(run, "credit", "issue-record", record)
    assert (issued["units"], issued["amount"], issued["owner"]) == (855, "855 t", "mill")
    back = ("credit", "reverse", "C-1", "--mass", "100t", "--at", "2026-03-01", "--reason", "leak")
    assert "95 t out of the buffer, 5 t to be made up by later records" in run(*back).out
    told = answer(run, "credit", "records")
    assert (told["records"][0]["state"], told["projects"]["internal/C-1"]["owed_g"]) == (
        "issued",
        5_000_000,
    )
    assert "issued" in run("credit", "records").out
    by_hand = run("credit", "issue", "X", "--scheme", "internal", "--month", "2026-01", "--class",
                  "avoided=5", "--owner", "mill")  # fmt: skip
    assert (by_hand.code, "for a verified record" in by_hand.err) == (2, True)
    ets = ("--purpose", "ets-compliance", "--from", "2026-01-01", "--to", "2027-01-01")
    use = run("credit", "retire", "--scheme", "internal", "--owner", "mill", "--beneficiary",
              "mill", *ets, "--count", "5", "--obligation", "100")  # fmt: skip
    assert (use.code, "Traceback" in use.err) == (3, False), use.err
    assert answer(run, "audit")["ok"]
