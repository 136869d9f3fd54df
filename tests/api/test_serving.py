"""`greenledger serve` takes its port before it says anything, and says what is wrong with it."""

from __future__ import annotations

import socket
from pathlib import Path

import pytest

from ledger.cli.app import app
from ledger.errors import Unavailable


def test_a_port_that_is_taken_is_told_before_an_account_is_made(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        words = ["serve", "--new", "--port", str(port), "--dir", str(tmp_path / "park")]
        told = f"can't listen at 127.0.0.1, port {port}: Address already in use; --port 0 takes"
        with pytest.raises(Unavailable, match=told):
            app(words, prog_name="greenledger")
    assert capsys.readouterr().out == ""
    with pytest.raises(SystemExit):
        app(["account", "list", "--json", "--dir", str(tmp_path / "park")], prog_name="greenledger")
    assert '"accounts": []' in capsys.readouterr().out.replace("\n", "")
