"""greenledger pact …, from a client's making to a supplier's footprint in the log."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from ledger.cli.app import main
from ledger.footprint.bill import Supplier
from ledger.footprint.pact.importing import supplier_of
from ledger.footprint.pact.reading import read
from tests.ledgers import copy_ledger
from tests.pact.documents import PANEL, SHEET, changed
from tests.pact.works import Works, event, name_of, urn_of


@pytest.fixture
def folder(works_template: Path, tmp_path: Path) -> Path:
    return copy_ledger(works_template, tmp_path / "data")


class Cli:
    """Commands on a data directory; each answer is what it printed under --json."""

    def __init__(
        self, patch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], folder: Path
    ) -> None:
        self._patch = patch
        self._capsys = capsys
        self.folder = folder

    def __call__(self, *words: str, code: int = 0) -> dict[str, Any]:
        found: dict[str, Any] = json.loads(self.text(*words, "--json", code=code).splitlines()[-1])
        return found

    def text(self, *words: str, code: int = 0) -> str:
        argv = ["greenledger", "pact", *words, "--dir", str(self.folder)]
        self._patch.setattr("sys.argv", argv)
        with pytest.raises(SystemExit) as ended:
            main()
        printed = self._capsys.readouterr()
        assert (ended.value.code or 0) == code, printed.err + printed.out
        return printed.out


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cli:
    return Cli(monkeypatch, capsys, folder)


def test_a_client_is_added_listed_and_ended(run: Cli, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("theirs\n")
    there = ("--endpoint", "https://c.example", "--client-id", "us", "--secret-file", str(secret))
    made = run("client", "add", "Buyer", "--party", "steel", "--product", name_of("bar"), *there)
    assert made["secret"].startswith("glc_")
    (listed,) = run("client", "list")["clients"]
    assert listed == {**{k: v for k, v in made.items() if k != "secret"}, "failing": []}
    assert listed["products"] == [name_of("bar")]
    assert made["secret"] not in run.text("client", "list")
    run("client", "end", made["client_id"])
    (ended,) = run("client", "list", "--party", "steel")["clients"]
    assert ended["ended_at_s"] is not None
    assert run("client", "list", "--party", "mill")["clients"] == []


def test_what_makes_no_client(run: Cli, tmp_path: Path) -> None:
    run("client", "add", "Buyer", "--party", "nobody", code=4)
    run("client", "add", "Buyer", "--party", "steel", "--product", name_of("paper"), code=4)
    run("client", "add", "Buyer", "--party", "steel", "--endpoint", "https://c.example", code=2)
    run("client", "add", "", "--party", "steel", code=2)
    run("client", "end", "0" * 32, code=4)


def test_footprints_are_listed_and_exported(run: Cli, tmp_path: Path) -> None:
    found = run("list", "--party", "steel")
    assert len(found["footprints"]) == 4
    assert found["withheld"] == []
    assert "Sheet" in run.text("list", "--party", "steel")
    file = tmp_path / "sheet.json"
    id_ = found["footprints"][0]["id"]
    run("export", id_, "--party", "steel", "--out", str(file))
    assert read(file.read_bytes()).footprint.id == id_
    run("export", "0" * 32, "--party", "steel", "--out", str(file), code=4)


def test_a_suppliers_footprint_becomes_a_document(run: Cli, tmp_path: Path) -> None:
    file = tmp_path / "panel.json"
    file.write_text(json.dumps(PANEL))
    said = run("import", str(file), "--party", "steel")
    assert said["figures"]["pcf_excluding_biogenic_uptake"] == "4.0"
    supplier = Supplier.from_json(said["supplier"])
    assert (supplier.document, supplier.pcf, supplier.declared_amount) == (
        said["document"],
        "4",
        "2.5",
    )
    assert (supplier.sha256, supplier.primary_share) == (said["sha256"], "62.5")
    broken = tmp_path / "broken.json"
    broken.write_text(json.dumps(changed(SHEET, "pcf.declaredUnitAmount", "0")))
    error = run("import", str(broken), code=2)
    assert "$.pcf.declaredUnitAmount" in json.dumps(error)
    run("import", str(tmp_path / "none.json"), code=4)


def test_a_figure_that_a_bill_does_not_take_makes_no_supplier() -> None:
    document = changed(SHEET, "pcf.pcfExcludingBiogenicUptake", "-1.9")
    assert supplier_of(read(json.dumps(document).encode()), "0" * 32) == {}
    for text, plain in (("+01.90", "1.9"), ("10", "10"), ("0.00", "0")):
        document = changed(SHEET, "pcf.pcfExcludingBiogenicUptake", text)
        assert supplier_of(read(json.dumps(document).encode()), "0" * 32)["pcf"] == plain


def test_footprints_are_fetched_from_a_host(works: Works, run: Cli, tmp_path: Path) -> None:
    secret, out = tmp_path / "secret", tmp_path / "out"
    secret.write_text(works.secret)
    asked = ("fetch", works.url, "--client-id", works.id, "--secret-file", str(secret))
    words = (*asked, "--out", str(out), "--product", urn_of("sheet"))
    (one,) = run(*words)["footprints"]
    assert read(Path(one["file"]).read_bytes()).footprint.to_json() == works.footprints()[1] | {
        "extensions": read(Path(one["file"]).read_bytes()).footprint.to_json()["extensions"]
    }
    both = run(*words, "--status", "", "--import", "--party", "mill")["footprints"]
    assert [len(one["document"]) for one in both] == [32, 32]
    secret.write_text("glc_wrong")
    run(*words, code=3)


def test_the_inbox_shows_what_came_and_gives_its_files(
    works: Works, run: Cli, tmp_path: Path
) -> None:
    run.folder = works.house.settings.dir
    data = {"requestEventId": "ours", "pfs": [SHEET]}
    works.http.post(
        "/3/events",
        content=json.dumps(event("fulfilled", data, "their answer")),
        headers={"Content-Type": "application/cloudevents+json"},
    )
    (found,) = [one for one in run("inbox")["events"] if one["event"] == "their answer"]
    (file,) = run("take", found["id"], "--out", str(tmp_path / "out"))["files"]
    assert json.loads(Path(file).read_text()) == SHEET
    assert "a customer" in run.text("inbox", "--party", "steel")
    run("take", "0" * 32, "--out", str(tmp_path / "out"), code=4)
