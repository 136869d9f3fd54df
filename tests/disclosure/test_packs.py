"""A pack of the small park: what it holds, what the log has of it, what the ledger says later."""

from __future__ import annotations

import csv
import hashlib
import io
import json
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from openpyxl import load_workbook
from pypdfium2 import PdfDocument

from ledger.accounting import regime_reading
from ledger.claims import service as claims
from ledger.claims import store as claim_store
from ledger.db import reading
from ledger.disclosure.asked import Asked
from ledger.disclosure.checking import check
from ledger.disclosure.choosing import choose
from ledger.disclosure.content import gather
from ledger.disclosure.views import tables_of
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import COMPUTES, House
from ledger.log.store import entry_at, load_head
from ledger.records import service as records
from ledger.reports import service as reports
from ledger.reports import store as report_store
from tests.disclosure.breaking import broken, files_of, manifest, with_manifest
from tests.disclosure.park import DOCUMENT, INVOICE, REGIME, TOTAL_G, Made, pack
from tests.ledgers import no_progress


def rows_of(raw: bytes) -> list[list[str]]:
    return list(csv.reader(io.StringIO(raw.decode("utf-8-sig"), newline="")))


# What is in it


def test_each_kind_of_file_says_the_same_total(made: Made) -> None:
    files = files_of(made.path)
    (report,) = json.loads(files["inventory.json"])["reports"]
    (account,) = report["result"]["regimes"]
    assert account["total"]["mass_g"] == TOTAL_G
    head, row = rows_of(files["csv/emissions.csv"])
    assert row[head.index("合计 Total (t)")] == "3.777667"
    sheet = load_workbook(io.BytesIO(files["tables.xlsx"]))["各核算规则下的排放"]
    assert TOTAL_G / 10**6 in [cell.value for cell in sheet[2]]
    with closing(PdfDocument(files["report.pdf"])) as document:
        text = "".join(page.get_textpage().get_text_range() for page in document)
    for said in (
        "3.778",
        "恩赐制造",
        "待官方核销",
        "pending official cancellation",
        "官方 official",
    ):
        assert said in text
    assert "none of 2026 is out yet" in text


def test_claims_classes_and_factors(made: Made) -> None:
    files = files_of(made.path)
    (claim,) = json.loads(files["claims.json"])["claims"]
    assert (claim["claimed_wh"], claim["state"]) == (96_000, "in force")
    assert claim["official"]["status"] == "pending official cancellation"
    classes = {row[0]: row[1:] for row in rows_of(files["csv/supply-classes.csv"])[1:]}
    # Its inventory is of February: no share of the year.
    assert classes["绿电直供 Direct supply"] == ["0.096", ""]
    assert "剩余电量 Residual" not in classes
    (factor,) = json.loads(files["factors.json"])["factors"]
    assert (factor["value"], factor["status"]) == ("0.5703", "official")
    assert rows_of(files["csv/granularities.csv"])[1:] == []
    assert rows_of(files["csv/emissions.csv"])[1][1] == "2026-02-01 – 2026-03-01"
    assert json.loads(files["credits.json"]) == {"retirements": []}
    (document,) = json.loads(files["documents.json"])["documents"]
    assert document["title"] == "电费单 Invoice"


def test_shares_of_a_whole_year(park: House) -> None:
    """365 × 96 × 2,500 Wh, most of it estimated, = 87,600,000 Wh; 96,000 of them are 0.10 %."""
    rules = dict(regime_reading.shipped("national-ets-compliance").content)
    operator = park.log.operator
    records.put(park.desk, "regime", "national-ets-compliance", rules, author=operator)
    with reading(park.engine) as conn:
        size = load_head(conn, 1).size
        asked = choose(conn, park.log, "mill", "2026", size, regimes=["national-ets-compliance"])
        content = gather(conn, park.log, asked, size, COMPUTES)
    tables = {one.name: one.rows for one in tables_of(content)}
    classes = {str(row[0]).split()[-1]: row[1:] for row in tables["supply-classes"]}
    assert classes["supply"] == [96_000, 1_095]
    assert classes["Residual"] == [87_504_000, 998_904]
    assert classes["Consumption"] == [87_600_000, 1_000_000]
    assert [row[1:] for row in tables["granularities"]] == 5 * [[96_000, 1_095]]
    assert len(tables["emissions"]) == 2


def test_the_manifest_names_every_other_file(made: Made) -> None:
    files = files_of(made.path)
    named = {one["file"]: one for one in manifest(files)["files"]}
    assert set(named) == set(files) - {"manifest.json", "opening.json"}
    for name, one in named.items():
        assert one["sha256"] == hashlib.sha256(files[name]).hexdigest()
        assert one["size"] == len(files[name])
        recomputed = name.endswith((".json", ".csv")) and not name.startswith("evidence/")
        assert one["by"] == ("log" if recomputed else "author")


def test_text_for_people_comes_in_both_languages(made: Made) -> None:
    text = files_of(made.path)["readme.txt"].decode()
    for said in ("核验", "How to verify it", "greenledger-verify pack", "隐私"):
        assert said in text


def test_nobody_elses_name_is_in_it(made: Made) -> None:
    """What a pack shows of partners is what evidence opens: no document names the farm."""
    for name, data in files_of(made.path).items():
        if name.endswith((".json", ".csv")) and not name.startswith(("evidence/", "opening")):
            assert b"Sunny" not in data, name


# The log


def test_the_log_has_its_hashes(park: House, made: Made) -> None:
    assert made.packed.receipt is not None
    with reading(park.engine) as conn:
        entry = entry_at(conn, 1, made.packed.receipt.index)
        version = report_store.find_report(conn, 1, entry.statement["report"])
        said = report_store.load(conn, park.log, version)
    assert (entry.author, entry.statement["kind"]) == ("mill", "disclosure")
    published = [*said["result"]["files"], *said["about"]["files"]]
    named = manifest(files_of(made.path))["files"]
    assert sorted((one["id"], one["sha256"]) for one in published) == sorted(
        (one["file"], one["sha256"]) for one in named
    )


def test_an_audit_recomputes_it(park: House) -> None:
    assert park.audit(no_progress).entries > 0


def test_another_hash_is_refused(park: House, made: Made) -> None:
    """The log computes each figure itself: nobody publishes other ones."""
    with reading(park.engine) as conn:
        asked = choose(conn, park.log, "mill", "2026", made.packed.made.as_of)

    def false(conn: Any, log: Any, about: Any, as_of: int) -> dict[str, Any]:
        found = COMPUTES["disclosure"](conn, log, about, as_of)
        found["files"][0]["sha256"] = 64 * "0"
        return found

    computes = {**COMPUTES, "disclosure": false}
    about = {**asked.to_json(), "files": []}
    with pytest.raises(Refused, match="computes another result"):
        reports.publish(park.desk, computes, "disclosure", about, author="mill")


def test_nobody_discloses_for_another(park: House, inventory: str) -> None:
    about: dict[str, Any] = {**Asked.of("mill", "2026").to_json(), "files": []}
    for author in ("farm", park.log.operator):
        with pytest.raises(Refused, match="mill"):
            reports.publish(park.desk, COMPUTES, "disclosure", about, author=author)
    others = {**about, "organisation": "farm", "reports": [inventory]}
    with pytest.raises(InvalidInput, match="not about farm"):
        reports.publish(park.desk, COMPUTES, "disclosure", others, author="farm")
    draft = {"kind": "inventory", "about": {"subject": "mill", "period": "2026-02"}}
    others = {**about, "organisation": "farm", "drafts": [draft]}
    with pytest.raises(InvalidInput, match="nobody else's inventory"):
        reports.publish(park.desk, COMPUTES, "disclosure", others, author="farm")


# Later


def test_checking_a_pack_computes_it_again(park: House, made: Made) -> None:
    found = check(park.desk, COMPUTES, made.path)
    assert found.wrong == ()
    assert made.packed.receipt is not None
    assert (found.entry, found.recomputed) == (made.packed.receipt.index, 22)


def test_a_pack_still_holds_after_later_entries(park: House, made: Made, tmp_path: Path) -> None:
    with reading(park.engine) as conn:
        (row,) = claim_store.find_claims(conn, 1)
    claims.withdraw(park.desk, row.claim, "counted twice")
    assert check(park.desk, COMPUTES, made.path).wrong == ()
    assert made.packed.receipt is not None
    series = made.packed.receipt.entry.statement["report"]
    now = pack(park, tmp_path / "now.zip", report=series)
    assert json.loads(files_of(now.path)["claims.json"])["claims"] == []
    with reading(park.engine) as conn:
        said = report_store.load(conn, park.log, report_store.find_report(conn, 1, series))
    paths = [one["path"] for one in said["changes"]["lines"]]
    assert "/result/files/claims.json/sha256" in paths
    gone = [one["type"] for one in said["changes"]["because"] if one["how"] == "gone"]
    assert gone == ["claim.make"]
    then = pack(park, tmp_path / "then.zip", publish=False, as_of=made.packed.made.as_of)
    before, again = files_of(made.path), files_of(then.path)
    by_log = [one["file"] for one in manifest(before)["files"] if one["by"] == "log"]
    assert [again[name] for name in by_log] == [before[name] for name in by_log]


@pytest.mark.parametrize(
    ("name", "change", "why"),
    [
        ("claims.json", lambda files: files.update({"claims.json": b"{}\n"}), "changed since"),
        ("claims.json", lambda files: files.pop("claims.json"), "missing"),
        ("extra.json", lambda files: files.update({"extra.json": b"{}\n"}), "not in the manifest"),
    ],
)
def test_checking_says_what_is_wrong(
    park: House, copy: Path, name: str, change: Any, why: str
) -> None:
    found = check(park.desk, COMPUTES, broken(copy, change))
    assert [(one, why in what) for one, what in found.wrong] == [(name, True)]


def test_checking_notices_a_draft_that_was_made_up(park: House, copy: Path) -> None:
    """Whoever changes figures can change the manifest with them, but not what the log computes."""

    def change(files: dict[str, bytes]) -> None:
        del files["opening.json"]
        files["claims.json"] = b'{"claims":[]}\n'
        said = manifest(files)
        for one in said["files"]:
            if one["file"] == "claims.json":
                one["sha256"] = hashlib.sha256(files["claims.json"]).hexdigest()
                one["size"] = len(files["claims.json"])
        with_manifest(files, said)

    found = check(park.desk, COMPUTES, broken(copy, change))
    assert found.wrong == (("claims.json", "the log computes another one"),)


def test_checking_refuses_what_is_no_pack(park: House, tmp_path: Path, copy: Path) -> None:
    (tmp_path / "text.zip").write_bytes(b"no archive")
    with pytest.raises(InvalidInput, match="can't be read as an archive"):
        check(park.desk, COMPUTES, tmp_path / "text.zip")

    def of_another_log(files: dict[str, bytes]) -> None:
        with_manifest(files, {**manifest(files), "log": "other.example/log"})

    with pytest.raises(InvalidInput, match=r"of the log 'other\.example/log'"):
        check(park.desk, COMPUTES, broken(copy, of_another_log))


# What it is asked


def test_files_of_documents_go_along(park: House, tmp_path: Path) -> None:
    kept = tmp_path / "from the scanner.pdf"
    kept.write_bytes(INVOICE)
    made = pack(park, tmp_path / "with.zip", publish=False, level="total", kept=[kept])
    name = f"documents/{hashlib.sha256(INVOICE).hexdigest()}.pdf"
    assert files_of(made.path)[name] == INVOICE
    kept.write_bytes(b"another one")
    with pytest.raises(InvalidInput, match="no document of the organisation has the hash"):
        pack(park, tmp_path / "without.zip", publish=False, kept=[kept])
    records.end(park.desk, "document", DOCUMENT, "replaced", author="mill")


def test_a_draft_of_the_inventory_where_none_is_published(park: House, inventory: str) -> None:
    with reading(park.engine) as conn:
        size = load_head(conn, 1).size
        published = choose(conn, park.log, "mill", "2026", size)
        drafted = choose(conn, park.log, "mill", "2025", size)
        chosen = choose(conn, park.log, "mill", "2026", size, regimes=[REGIME])
    assert (published.reports, published.drafts) == ((inventory,), ())
    about = {"subject": "mill", "period": "2025", "regimes": []}
    assert (drafted.reports, drafted.drafts) == ((), (("inventory", about),))
    assert chosen.drafts == (
        ("inventory", {"subject": "mill", "period": "2026", "regimes": [REGIME]}),
    )


@pytest.mark.parametrize("year", ["26", "2026-03", "year", ""])
def test_a_year_is_a_year(park: House, year: str) -> None:
    with reading(park.engine) as conn, pytest.raises(InvalidInput, match="year"):
        choose(conn, park.log, "mill", year, 10)


def test_an_unknown_organisation(park: House) -> None:
    about = {**Asked.of("nobody", "2026").to_json(), "files": []}
    with reading(park.engine) as conn, pytest.raises(NotFound, match="'nobody' is not registered"):
        reports.draft(conn, park.log, COMPUTES, "disclosure", about)


def test_tables_of_this_format_stay_as_they_are(made: Made) -> None:
    """Columns are part of what the log recomputes: to change one needs another `FORMAT`, and the
    old one kept, else what was disclosed before reads as false."""
    heads = {
        name: rows_of(data)[0] for name, data in files_of(made.path).items() if name[:4] == "csv/"
    }
    said = "".join(f"{name}\n" + "".join(f"  {one}\n" for one in heads[name]) for name in heads)
    assert said == (Path(__file__).parent / "columns.txt").read_text(encoding="utf-8")
