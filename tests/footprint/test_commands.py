"""`product …` and `footprint …` as people type them, and the example of docs/footprints.md."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any

import pytest

from ledger.accounting.factors import files
from ledger.accounting.factors.library import FactorLibrary
from ledger.footprint import report as texts
from ledger.footprint.calculating import calculate, kg_of
from ledger.footprint.product import Product, completed
from ledger.house import House
from tests.cli.conftest import Run, run
from tests.footprint.books import book, published
from tests.footprint.test_calculating import parts
from tests.footprint.test_uses import claim_in_force

__all__ = ["run"]
EXAMPLE = Path("docs/examples/casting.toml")


def test_the_worked_example() -> None:
    """As docs/footprints.md has it, line by line."""
    shipped = ("cn-electricity-life-cycle", "cn-fuels")
    sets = tuple(published(name, n, files.shipped(name)) for n, name in enumerate(shipped))
    of = Product.from_json(completed(tomllib.loads(EXAMPLE.read_text(encoding="utf-8"))))
    some = parts(self_pv=3_000_000, direct_wind=1_000_000)
    found = calculate(of, "2026-02", book(library=FactorLibrary(sets=sets), region="44"), some)
    masses = [kg_of(one.co2e_mg) for one in found.lines]
    assert masses == ["26.25", "2.432475", "0.040875", "0.0084", "0.5777"]
    for page in ("footprints.md", "footprints.zh-CN.md"):
        said = (Path("docs") / page).read_text(encoding="utf-8")
        for mass in (*masses, kg_of(found.total_mg)):
            assert mass in said


@pytest.fixture
def typed(mill: House, run: Run, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setenv("GREENLEDGER_DIR", str(mill.settings.dir))
    return run


def test_from_a_file_to_a_report(typed: Run, mill: House, tmp_path: Path) -> None:
    import json

    def answer(*words: str) -> Any:
        done = typed(*words, "--json")
        assert done.code == 0, done.err
        return json.loads(done.out)

    file = tmp_path / "own.toml"
    text = EXAMPLE.read_text(encoding="utf-8").replace("fuel-natural-gas", "burner")
    file.write_text(text.replace('"Nm3"', '"GJ"').replace('"44"', '"CN"'), encoding="utf-8")
    product = answer("product", "register", str(file), "--party", "mill")["product"]
    assert len(answer("product", "list")["products"]) == 4
    assert "Bill of activities" in typed("product", "show", product[:8]).out
    claim = claim_in_force(mill)
    words = ["footprint", "make", product, "2026-02", "--claim", f"{claim}:4000"]
    for item, year in (("", 2024), ("-pv", 2023), ("-wind", 2023)):
        words += ["--substitute", f"electricity-life-cycle{item} CN 2026 CN {year} the latest"]
    assert "By stage" in typed(*words).out
    made = answer(*words, "--publish")["footprints"][0]
    assert [one["report"] for one in answer("footprint", "list")["footprints"]] == [made["report"]]
    shown = typed("footprint", "show", made["report"][:8]).out
    assert "electricity-life-cycle, CN, 2024 stands in for CN, 2026: the latest" in shown
    for language, said in (("zh", "# 产品碳足迹报告：铸件"), ("en", "# Product carbon footprint")):
        to = tmp_path / f"{language}.md"
        done = typed("footprint", "report", made["report"], "--language", language, "--to", str(to))
        assert done.code == 0, done.err
        written = to.read_text(encoding="utf-8")
        assert written.startswith(said)
        assert made["kg_co2e"] in written
        assert "0.0545 kg/kWh" in written
        assert "3/4" in written
        assert written == texts.markdown(made["content"], "zh" if language == "zh" else "en")
    assert typed("footprint", "make", "2026-02").code != 0
    assert "CLAIM or CLAIM:WH" in typed("footprint", "make", product, "2026-02", "--claim", "x").err
