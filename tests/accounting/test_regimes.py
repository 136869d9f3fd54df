"""Regimes as data: strictly read, put in the log, and shown to people."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from ledger.accounting import regimes
from ledger.accounting.regime import OWN, RESIDUAL, TECHNOLOGY
from ledger.accounting.regime_reading import (
    SHIPPED,
    from_json,
    parse_toml,
    shipped,
    shipped_regimes,
)
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.records import service as records
from tests.accounting.building import library
from tests.cli.conftest import Run, run
from tests.ledgers import begun, begun_template

__all__ = ["begun", "begun_template", "run"]

NAMES = shipped_regimes()


@pytest.mark.parametrize("name", NAMES)
def test_what_comes_with_us_has_source_status_and_both_languages(name: str) -> None:
    rules = shipped(name)
    assert rules.source
    assert rules.status in ("secondary", "unverified")
    assert rules.title["zh"] != rules.title["en"]
    content = json.loads(json.dumps(rules.content))
    assert from_json(name, content) == rules
    assert all_of(content, (str, int, list, dict))


def all_of(value: Any, kinds: tuple[type, ...]) -> bool:
    """Integers and text alone: no float, no true, no null."""
    if isinstance(value, dict | list):
        found = value.values() if isinstance(value, dict) else value
        return all(all_of(one, kinds) for one in found)
    return isinstance(value, kinds) and not isinstance(value, bool)


def test_the_sets_are_the_same_everywhere() -> None:
    (first, *others) = (shipped(name).sets for name in NAMES)
    assert all(one == first for one in others)


def test_each_factor_that_a_regime_names_comes_with_us() -> None:
    items = {one.item for by in library().sets for one in by.content.factors}
    for name in NAMES:
        rule = shipped(name).electricity
        if rule is not None:
            assert {one.item for one in rule.factors.values()} <= items


def test_a_class_is_zero_for_non_fossil_technologies_alone() -> None:
    """No regime that comes with us takes a class for zero by its name."""
    for name in NAMES:
        rule = shipped(name).electricity
        if rule is not None:
            ways = {rule.classes[one] for one in rule.classes if one != RESIDUAL}
            assert ways <= {TECHNOLOGY, OWN, *rule.factors}
            assert rule.zero_set in ("", "non-fossil")


def _unknown(rules: dict[str, Any]) -> None:
    rules["bonus"] = 1


def _no_source(rules: dict[str, Any]) -> None:
    rules["source"] = ""


def _no_status(rules: dict[str, Any]) -> None:
    rules["status"] = "surely"


def _no_residual(rules: dict[str, Any]) -> None:
    del rules["electricity"]["classes"]["residual"]


def _other_factor(rules: dict[str, Any]) -> None:
    rules["electricity"]["classes"]["traded"] = "coal"


def _residual_by_technology(rules: dict[str, Any]) -> None:
    rules["electricity"]["classes"]["residual"] = "technology"


def _sets_not_nested(rules: dict[str, Any]) -> None:
    rules["sets"]["non-fossil"].remove("wind")


def _fossil_and_not(rules: dict[str, Any]) -> None:
    rules["sets"]["fossil"] = ["coal", "wind"]


def _term_twice(rules: dict[str, Any]) -> None:
    rules["terms"].append(copy.deepcopy(rules["terms"][0]))


def _limit_as_number(rules: dict[str, Any]) -> None:
    rules["tests"][0]["value"] = 0.2


def _no_gas(rules: dict[str, Any]) -> None:
    rules["gases"] = []


def _list_for_object(rules: dict[str, Any]) -> None:
    rules["electricity"]["factors"]["fossil"] = []


@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (_unknown, "unknown member 'bonus'"),
        (_no_source, "'source' is ''"),
        (_no_status, "'surely', not one of official, secondary, unverified"),
        (_no_residual, "electricity: classes names each of self, direct"),
        (_other_factor, "classes.traded is 'coal': neither own, technology, zero nor one of"),
        (_residual_by_technology, "nobody knows its technology"),
        (_sets_not_nested, "sets: what is renewable is non-fossil"),
        (_fossil_and_not, "wind can't be fossil and non-fossil"),
        (_term_twice, "a category stands there once"),
        (_limit_as_number, r"tests\[0\]: member 'value' is '0.2', not a decimal in text"),
        (_no_gas, "emissions are of some gas"),
        (_list_for_object, "factors.fossil: it is no object"),
    ],
)
def test_a_regime_is_read_strictly(spoil: Callable[[dict[str, Any]], None], said: str) -> None:
    rules: dict[str, Any] = copy.deepcopy(dict(shipped("ndrc-910").content))
    spoil(rules)
    with pytest.raises(InvalidInput, match=said):
        from_json("ndrc-910", rules)


def test_toml_that_is_none() -> None:
    with pytest.raises(InvalidInput, match=r"mine\.toml"):
        parse_toml("mine", "figure = ", "mine.toml")


# In the log


def test_those_that_come_with_us_are_put_once(begun: House) -> None:
    assert regimes.ensure(begun.desk, ["ndrc-910"]) == ["ndrc-910"]
    assert regimes.ensure(begun.desk) == [name for name in NAMES if name != "ndrc-910"]
    assert regimes.ensure(begun.desk) == []
    with reading(begun.engine) as conn:
        found = regimes.current(conn, begun.log)
        assert list(found) == NAMES
        assert all(one.rules == shipped(name) for name, one in found.items())
        entry = found["ndrc-910"].entry_index
        assert list(regimes.current(conn, begun.log, entry)) == []
        assert list(regimes.current(conn, begun.log, entry + 1)) == ["ndrc-910"]
        with pytest.raises(NotFound, match="greenledger regime register mine"):
            regimes.find(conn, begun.log, "mine")


def test_a_name_that_another_party_took_is_not_what_comes_with_us(begun: House) -> None:
    """Else its rules would be in force here under the name of an official one."""
    begun.desk.register_party("farm", "Farm", ["generator"])
    begun.desk.create_key("farm")
    rules = dict(shipped("ndrc-910").content)
    records.put(begun.desk, "regime", "ndrc-910", rules, author="farm")
    with pytest.raises(Refused, match="regime ndrc-910 is a record of 'farm', not the one that"):
        regimes.ensure(begun.desk)


def test_the_log_takes_no_regime_that_says_nothing(begun: House) -> None:
    rules = dict(shipped("ndrc-910").content)
    del rules["offsets"]
    with pytest.raises(InvalidInput, match="'offsets' is missing"):
        records.put(begun.desk, "regime", "mine", rules, author=begun.log.operator)


# Commands


def test_a_person_sees_how_each_supply_counts(run: Run, tmp_path: Path) -> None:
    assert run("init", "--origin", "park.example/log", "--name", "Park").code == 0
    shown = run("regime", "show", "mee-ets-reporting").out
    (trade,) = (line for line in shown.splitlines() if line.startswith("绿电交易 |"))
    assert "electricity-ets-reporting" in trade
    assert "secondary" in shown
    assert "Not in force yet" in shown
    assert "Electricity: no term" in run("regime", "show", "national-ets-compliance").out
    assert "at least 70 % phcer" in run("regime", "show", "guangdong-ets").out
    assert all(name in run("regime", "list").out for name in NAMES)


def test_a_regime_of_ones_own(run: Run, tmp_path: Path) -> None:
    assert run("init", "--origin", "park.example/log", "--name", "Park").code == 0
    assert run("regime", "show", "mine").code == 4
    file = tmp_path / "mine.toml"
    text = (SHIPPED / "ndrc-910.toml").read_text(encoding="utf-8")
    file.write_text(text.replace('value = "0.2"', 'value = "0.25"'), encoding="utf-8")
    done = json.loads(run("regime", "register", "mine", "--file", str(file), "--json").out)
    assert (done["regime"], done["tests"][0]["value"], done["repeated"]) == ("mine", "0.25", False)
    again = json.loads(run("regime", "register", "mine", "--file", str(file), "--json").out)
    assert (again["entry"], again["repeated"]) == (done["entry"], True)
    listed = json.loads(run("regime", "list", "--json").out)["regimes"]
    assert {one["regime"]: one["entry"] for one in listed}["mine"] == done["entry"]
    file.write_text(text.replace("figure", "figures"), encoding="utf-8")
    bad = run("regime", "register", "mine", "--file", str(file))
    assert bad.code == 2
    assert "mine.toml: member 'figure' is missing" in bad.err
