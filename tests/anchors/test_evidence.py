"""Evidence of a claim with what anchors said, as the verifier judges it: whom its user trusts."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from greenledger_verify.cli import main
from ledger.claims import evidence, store
from ledger.db import reading
from ledger.house import House, now_s
from tests.anchors.conftest import ED25519, ML_DSA, grow, listed
from tests.ledgers import close, copy_ledger, filled_template, open_house
from tests.servers.tsa import Authorities, Authority
from tests.servers.witness import Witness, serving

__all__ = ["filled_template"]


@pytest.fixture
def house(filled_template: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(filled_template, tmp_path / "house"), now_s)
    yield found
    close(found)


def trusting(path: Path, house: House, witnesses: list[str], roots: str, *, least: int) -> Path:
    """A trust file: the log, these witnesses, one authority, and so many of each are needed."""
    text = f'[[log]]\norigin = "{house.log.origin}"\nvkey = "{house.log.log_key.vkey}"\n'
    text += "".join(f'[[witness]]\nvkey = "{vkey}"\n' for vkey in witnesses)
    text += f'[[authority]]\nname = "tsa"\ncertificates = """\n{roots}"""\n'
    path.write_text(text + f"[policy]\nwitnesses = {least}\nauthorities = {least}\n")
    return path


def test_the_verifier_counts_them(
    house: House,
    tsa: Authority,
    authorities: Authorities,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    with serving(Witness(house.log.log_key.vkey, [ED25519, ML_DSA])) as witness:
        listed(house, witness, [tsa])
        grow(house, "late")
        assert {one.said for one in house.anchor().outcomes} == {"token", "cosignature"}
    with reading(house.engine) as conn:
        row = next(one for one in store.find_claims(conn, house.log.log_id) if one.in_force)
    file = tmp_path / "claim.evidence.json"
    file.write_bytes(b"".join(evidence.lines(house.desk, row.claim, "total")))
    vkeys = [ED25519.vkey, ML_DSA.vkey]
    for name, witnesses, roots, code in (
        ("all", vkeys, authorities.good.roots, 0),
        ("another authority", vkeys, authorities.stranger.roots, 1),
        ("no witness", [], authorities.good.roots, 1),
    ):
        trust = trusting(tmp_path / "trust.toml", house, witnesses, roots, least=1)
        assert main(["evidence", str(file), "--trust", str(trust)]) == code, name
    trusting(tmp_path / "trust.toml", house, vkeys, authorities.good.roots, least=1)
    capsys.readouterr()
    assert main(["evidence", str(file), "--trust", str(tmp_path / "trust.toml")]) == 0
    assert re.search(r"(?i)time.*\d{4}-\d\d-\d\dT", capsys.readouterr().out)
