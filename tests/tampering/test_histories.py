"""The log is changed, cut, forked, rewritten or put back, by whoever holds the server and all keys:
somebody finds each, and the table says who."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from tests.tampering import found_by
from tests.tampering.histories import ATTACKS, build
from tests.tampering.watchers import World


@pytest.fixture(scope="module")
def world(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> World:
    return build(begun_template, tmp_path_factory.mktemp("world"))


@pytest.mark.parametrize("name", ATTACKS)
def test_an_attack_is_found(
    name: str, world: World, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    found = ATTACKS[name].run(world.moved(tmp_path / "world"))
    assert found, "nobody finds it"
    assert found_by.line_of(name) == found_by.line(name, ATTACKS[name].what, found)
    record_property("tampering", f"found by {found_by.who(found)}")


def test_nobody_is_alarmed_by_an_honest_log(world: World, tmp_path: Path) -> None:
    """It goes on as it should."""
    honest = world.moved(tmp_path / "world")
    assert honest.found() == {}
