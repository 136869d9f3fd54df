"""All of it at once: a ledger asks our auditing witness, in a process of its own, for cosignatures;
a monitor counts them."""

from __future__ import annotations

from pathlib import Path

from ledger.house import House, now_s
from ledger.watching.monitor import Wanted
from ledger.watching.notes import read_log_keys, read_witness_keys
from tests.ledgers import begun_template, close, copy_ledger, open_house
from tests.servers.api import serving
from tests.servers.witness_process import WitnessProcess, make_witness
from tests.watching.test_monitor import kinds, visit

__all__ = ["begun_template"]


def anchored(house: House, process: WitnessProcess) -> list[str]:
    """A checkpoint, shown to the witness; what failed."""
    lines = [f'[[witness]]\nvkey = "{vkey}"\nurl = "{process.url}"' for vkey in process.vkeys]
    (house.settings.dir / "anchors.toml").write_text("\n".join(lines))
    house.checkpoint()
    return [one.error for one in house.anchor(patient=False).outcomes if one.error]


def test_a_ledger_its_auditing_witness_and_a_monitor(begun_template: Path, tmp_path: Path) -> None:
    house = open_house(copy_ledger(begun_template, tmp_path / "house"), now_s)
    vkey = house.log.log_key.vkey
    with serving(house) as url:
        make_witness(tmp_path / "w", [vkey], url=f"{url}/log", audit=True, ml_dsa=True)
        process = WitnessProcess.start(tmp_path / "w")
        asked = Wanted(
            keys=read_log_keys([vkey]), witnesses=read_witness_keys(process.vkeys), quorum=1
        )
        try:
            for party in ("a", "b"):
                house.desk.register_party(party, party, ["enterprise"])
                house.checkpoint()
                before = visit(f"{url}/log", tmp_path / "state", asked, now_s())
                assert kinds(before) == ["witnesses"]
                assert anchored(house, process) == []
                after = visit(f"{url}/log", tmp_path / "state", asked, now_s())
                assert (kinds(after), len(after.cosigned)) == ([], 1)
        finally:
            process.stop()
    close(house)
