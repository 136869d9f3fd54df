"""`greenledger witness`, as another organisation runs it, asked by a log; it reads what the log
publishes, and checks each entry before it cosigns."""

from __future__ import annotations

import contextlib
import socket
import threading
import time
from collections.abc import Iterator
from pathlib import Path

import uvicorn

from ledger.house import House
from ledger.watching.server import create_app
from ledger.watching.witness import Witness
from ledger.watching.witness_state import WitnessState
from tests.anchors.conftest import grow
from tests.ledgers import no_progress, rows
from tests.servers.api import serving


@contextlib.contextmanager
def running(state: WitnessState) -> Iterator[str]:
    """The witness's server in a thread; yields its submission prefix."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(
            uvicorn.Config(create_app(Witness(state)), log_level="warning", server_header=False)
        )
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listening]}, daemon=True)
        thread.start()
        end_s = time.monotonic() + 20
        while not server.started and thread.is_alive() and time.monotonic() < end_s:
            time.sleep(0.01)
        assert server.started
        try:
            yield f"http://127.0.0.1:{listening.getsockname()[1]}"
        finally:
            server.should_exit = True
            thread.join(20)


def test_an_auditing_witness_of_ours(house: House, tmp_path: Path) -> None:
    """Keys of both types; each checkpoint as the log grows, and the same one again."""
    at = tmp_path / "witness"
    state = WitnessState.create(at, "witness.example/1", ml_dsa=True, now_s=int(time.time()))
    vkeys = [key.vkey for key in state.keys]
    assert len(vkeys) == 2
    with serving(house) as api, running(state) as url:
        state.add_log([house.log.log_key.vkey], f"{api}/log", audit=True)
        (house.settings.dir / "anchors.toml").write_text(
            "".join(
                f'[[witness]]\nvkey = "{vkey}"\nurl = "{url}"\naudits = true\n' for vkey in vkeys
            )
        )
        for party in ("farm", "mill"):
            outcomes = house.anchor(patient=False).outcomes
            assert [(one.said, one.error) for one in outcomes] == [("cosignature", "")] * 2
            grow(house, party)
        assert [one.said for one in house.anchor(patient=False).outcomes] == ["cosignature"] * 2
    sizes = [size for (size,) in rows(house, "SELECT size FROM anchor_receipts ORDER BY seq")]
    assert sizes == [1, 1, 3, 3, 5, 5]
    assert house.audit(no_progress).cosignatures == 6
