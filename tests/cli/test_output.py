"""Tables on a narrow screen lose nothing."""

from __future__ import annotations

import pytest

from ledger.cli.output import Output
from ledger.cli.reports import substitution
from ledger.errors import InvalidInput


def test_a_table_that_is_wider_than_the_screen_is_whole(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its least width is about 110 cells; at 80, columns to the right used to vanish."""
    monkeypatch.setenv("COLUMNS", "80")
    row = ["national-ets-compliance", "1,025.946", "–", "25.946", "CO2", "0.000", "secondary"]
    columns = [
        "制度 regime",
        ">燃料燃烧 Fuel combustion",
        ">电力 Electricity",
        ">合计 total",
        "of",
        ">抵消 offsets, apart",
        "status",
    ]
    Output(as_json=False).table("t", columns, [row])
    lines = capsys.readouterr().out.splitlines()
    assert lines[-2].split() == row
    assert lines[1].split() == " ".join(columns).replace(">", "").split()


def test_a_table_that_fits_keeps_to_the_screen(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    Output(as_json=False).table("t", ["what", "is"], [["a b c " * 30, "x y z " * 20]])
    told = capsys.readouterr().out
    assert max(map(len, told.splitlines())) <= 80
    assert told.split().count("a") == 30
    assert told.split().count("z") == 20


def test_a_substitution_as_words_and_as_the_message_shows_it() -> None:
    words = substitution("heat 44 2026 CN 2023 the latest published")
    as_json = (
        '{"item": "heat", "region": "44", "year": 2026, "use_region": "CN", "use_year": 2023,'
        ' "reason": "the latest published"}'
    )
    assert words == substitution(as_json)
    with pytest.raises(InvalidInput):
        substitution("heat 44 2026")
    with pytest.raises(InvalidInput):
        substitution("{heat")
