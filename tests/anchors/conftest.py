"""A ledger whose clock is the world's, since authorities have no other; and who vouches for it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from ledger.anchors.service import Outcome
from ledger.house import House, now_s
from tests.ledgers import begun_template, close, copy_ledger, open_house, rows
from tests.servers.tsa import Authority, authorities, tsa
from tests.servers.witness import Cosigner, Witness, serving

__all__ = ["authorities", "begun_template", "tsa"]

ED25519 = Cosigner("witness.example/w1")
ML_DSA = Cosigner("witness.example/w1", 6)


@pytest.fixture
def house(begun_template: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(begun_template, tmp_path / "house"), now_s)
    yield found
    close(found)


@pytest.fixture
def witness(house: House) -> Iterator[Witness]:
    """Running, honest, and listed by nobody yet."""
    with serving(Witness(house.log.log_key.vkey, [ED25519])) as found:
        yield found


def listed(
    house: House,
    witness: Witness | None = None,
    authorities: Sequence[Authority] = (),
    *,
    more: str = "",
) -> Path:
    """Write the house's anchors.toml: each key of the witness, authorities `tsa-0`, `tsa-1`, …"""
    lines = [more]
    for key in witness.cosigners if witness else ():
        lines += [
            "[[witness]]",
            f'vkey = "{key.vkey}"',
            f'url = "{witness.url}"' if witness else "",
        ]
    for number, one in enumerate(authorities):
        lines += ["[[authority]]", f'name = "tsa-{number}"', f'url = "{one.url}"']
        lines += [f'certificates = """\n{one.keys.roots}"""']
    path = house.settings.dir / "anchors.toml"
    path.write_text("\n".join(lines))
    return path


def grow(house: House, party: str) -> bytes:
    """One more party, and a checkpoint over it."""
    house.desk.register_party(party, party, ["enterprise"])
    return house.checkpoint()


def only(house: House, *, patient: bool = False) -> Outcome:
    """What came of asking the one that was due."""
    (found,) = house.anchor(patient=patient).outcomes
    return found


def received(house: House) -> list[tuple[int, int]]:
    """(seq, size) of what is stored, past all code of the ledger."""
    return rows(house, "SELECT seq, size FROM anchor_receipts ORDER BY seq")
