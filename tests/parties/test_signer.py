"""Keys that another process holds: docs/examples/signer_file.py, and one that misbehaves."""

from __future__ import annotations

import os
import shlex
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from ledger.errors import InvalidInput, NotFound, Unavailable
from ledger.house import House
from ledger.log.notes import SigningKey, parse_note, write_skey
from ledger.parties import log_key_desk
from ledger.parties.keystore import Keystore
from ledger.parties.signer import ExternalSigner, signer_of
from ledger.settings import Settings
from tests.ledgers import ORIGIN, Clock, no_progress, rows

EXAMPLE = Path(__file__).parents[2] / "docs/examples/signer_file.py"
LOG = SigningKey.from_seed(ORIGIN, b"held elsewhere: the log's key...")
LOG_NEXT = SigningKey.from_seed(ORIGIN, b"held elsewhere: the next one....")
OPERATOR = SigningKey.from_seed(f"{ORIGIN}/operator", b"held elsewhere: the operator's..")
FARM = SigningKey.from_seed(f"{ORIGIN}/farm", b"held elsewhere: the farm's key..")
TEXT = b"a text\n"

# Answers as the file `mode` says when it is asked.
ODD = """
import base64, json, os, sys, time
answers = {
    "wrong": json.dumps({"signature": base64.b64encode(bytes(64)).decode()}),
    "short": json.dumps({"signature": "AAAA"}),
    "no base64": json.dumps({"signature": "%"}),
    "a number": json.dumps({"signature": 5}),
    "an array": "[1]",
    "nothing": "{}",
    "no JSON": "Sorry.",
    "an error": json.dumps({"error": "the vault is closed"}),
    "huge": "x" * 20_000,
    "twice": "{}\\n{}",
    "deep": "[" * 9_000,
}
for line in sys.stdin:
    mode = open(sys.argv[1]).read()
    if mode == "silent":
        time.sleep(60)
    if mode == "death":
        sys.exit(1)
    if mode == "environment":
        names = [name for name in os.environ if name.startswith("GREENLEDGER_")]
        print(json.dumps({"error": "sees " + ",".join(names)}), flush=True)
        continue
    print(answers[mode], flush=True)
"""


@pytest.fixture
def vault(tmp_path: Path) -> Path:
    folder = tmp_path / "vault"
    folder.mkdir()
    for number, key in enumerate((LOG, LOG_NEXT, OPERATOR, FARM)):
        (folder / f"{number}.skey").write_text(write_skey(key))
    return folder


@pytest.fixture
def command(vault: Path) -> Iterator[str]:
    """The example, as GREENLEDGER_SIGNER names it."""
    found = shlex.join([sys.executable, str(EXAMPLE), str(vault)])
    yield found
    signer_of(found, 10.0).close()


def settings_of(folder: Path, command: str) -> Settings:
    return Settings(dir=folder, database_url="", high_water_dir=None, kek=None, signer=command)


@pytest.fixture
def house(tmp_path: Path, command: str) -> Iterator[House]:
    """A log none of whose keys the server holds itself."""
    made = House.init(
        settings_of(tmp_path / "data", command),
        origin=ORIGIN,
        name="Park",
        log_vkey=LOG.verify_key.vkey,
        operator_vkey=OPERATOR.verify_key.vkey,
        clock_s=Clock(),
    )
    yield made
    made.engine.dispose()


def test_a_log_whose_keys_lie_elsewhere(house: House, vault: Path) -> None:
    """Entries, ticks, checkpoints, a party's key, a rotation, and no secret here."""
    desk = house.desk
    desk.register_party("farm", "Farm", ["generator"])
    desk.adopt_key("farm", FARM.verify_key.vkey)
    log_key_desk.adopt(desk, LOG_NEXT.verify_key.vkey)
    log_key_desk.end(desk, LOG.verify_key, "its time was over")
    (signature,) = parse_note(house.checkpoint()).signatures
    assert signature.key_id == LOG_NEXT.verify_key.key_id
    assert LOG_NEXT.verify_key.verify(parse_note(house.checkpoint()).text, signature.blob)
    house.audit(no_progress)
    assert not (house.settings.secrets_dir / "kek").exists()
    files = [path for path in house.settings.dir.rglob("*") if path.is_file()]
    everything = b"".join(path.read_bytes() for path in files)
    for key in (LOG, LOG_NEXT, OPERATOR, FARM):
        assert key.seed not in everything
        assert write_skey(key).rpartition("+")[2].encode() not in everything
    assert desk.keystore.holds(FARM.verify_key)
    ((custody,),) = rows(house, "SELECT custody FROM keys WHERE party = 'farm'")
    assert custody == "operator"


def test_an_append_without_the_signer_stores_nothing(house: House, vault: Path) -> None:
    """The tick can't be signed; when the key is back, all goes on."""
    (vault / "2.skey").rename(vault / "2.away")
    before = rows(house, "SELECT count(*) FROM entries")
    with pytest.raises(Unavailable, match=r"no key .* of park.example/tests/operator here"):
        house.desk.register_party("farm", "Farm", ["generator"])
    assert rows(house, "SELECT count(*) FROM entries") == before
    (vault / "2.away").rename(vault / "2.skey")
    house.desk.register_party("farm", "Farm", ["generator"])
    assert house.audit(no_progress).entries == 3


def test_a_checkpoint_without_the_signer_is_not_half_signed(house: House, vault: Path) -> None:
    log_key_desk.adopt(house.desk, LOG_NEXT.verify_key.vkey)
    (vault / "1.skey").rename(vault / "1.away")
    with pytest.raises(Unavailable, match=f"key {LOG_NEXT.verify_key.key_id.hex()}"):
        house.checkpoint()
    assert rows(house, "SELECT size FROM checkpoint_notes") == [(1,)]
    (vault / "1.away").rename(vault / "1.skey")
    signed = [one.key_id for one in parse_note(house.checkpoint()).signatures]
    assert signed == [LOG.verify_key.key_id, LOG_NEXT.verify_key.key_id]


def test_many_threads_share_one_signer(house: House) -> None:
    errors: list[BaseException] = []

    def register(number: int) -> None:
        try:
            house.desk.register_party(f"party-{number}", "Party", ["enterprise"])
        except BaseException as error:  # pragma: no cover
            errors.append(error)

    threads = [threading.Thread(target=register, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert not errors
    assert rows(house, "SELECT count(*) FROM parties") == [(9,)]
    house.audit(no_progress)


def test_a_key_that_nobody_holds_is_not_adopted(command: str, tmp_path: Path) -> None:
    store = Keystore(tmp_path / "secrets", None, signer_of(command, 10.0))
    other = SigningKey.from_seed(ORIGIN, bytes(32)).verify_key
    with pytest.raises(Unavailable, match="no key"):
        store.adopt(other)
    with pytest.raises(NotFound):
        store.get(other)
    with pytest.raises(InvalidInput, match="is named"):
        store.provide("park.example/other", LOG.verify_key.vkey)


def test_without_the_signer_its_keys_are_not_there(house: House) -> None:
    without = House.open(settings_of(house.settings.dir, ""), clock_s=Clock())
    with pytest.raises(Unavailable, match="GREENLEDGER_SIGNER names none"):
        without.desk.register_party("farm", "Farm", ["generator"])
    without.engine.dispose()


@pytest.fixture
def odd(tmp_path: Path) -> Iterator[tuple[ExternalSigner, Path]]:
    mode, script = tmp_path / "mode", tmp_path / "odd.py"
    script.write_text(ODD)
    signer = ExternalSigner(shlex.join([sys.executable, "-I", str(script), str(mode)]), 1.0)
    yield signer, mode
    signer.close()


def test_a_signer_that_misbehaves(
    odd: tuple[ExternalSigner, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever it answers is an error of ours, soon, and the next request begins anew."""
    monkeypatch.setenv("GREENLEDGER_KEK", "secret")
    signer, mode = odd
    store = Keystore(tmp_path / "secrets", None, signer)
    for how, why in (
        ("wrong", "does not verify"),
        ("short", "does not verify"),
        ("no base64", "no signature in base64"),
        ("a number", "no signature in base64"),
        ("an array", "no signature in base64"),
        ("nothing", "no signature in base64"),
        ("no JSON", "no JSON"),
        ("deep", "no JSON"),
        ("an error", "the vault is closed"),
        ("huge", "more than 16384 bytes"),
        ("twice", "more than once"),
        ("death", "it ended|Broken pipe"),
        ("silent", "no answer within 1 s"),
        ("environment", "sees *. Nothing"),
    ):
        mode.write_text(how)
        with pytest.raises(Unavailable, match=why):
            store.adopt(LOG.verify_key)
    assert not (tmp_path / "secrets" / "keys").exists()


def test_no_such_program(tmp_path: Path) -> None:
    with pytest.raises(Unavailable, match="did not sign"):
        ExternalSigner(str(tmp_path / "none"), 1.0).sign(LOG.verify_key, TEXT)
    for nothing in (" ", "'"):
        with pytest.raises(Unavailable, match="is no command"):
            signer_of(nothing, 1.0)


def test_a_forked_process_has_a_signer_of_its_own(command: str) -> None:
    """Workers fork: two processes on one pipe would get each other's answers."""
    signer = signer_of(command, 10.0)
    signer.sign(LOG.verify_key, TEXT)
    pid = os.fork()
    if pid == 0:  # pragma: no cover
        found = signer.sign(LOG.verify_key, TEXT)
        good = LOG.verify_key.verify(TEXT, found) and len(signer._left) == 1
        signer.close()
        os._exit(0 if good else 1)
    assert os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) == 0
    assert LOG.verify_key.verify(TEXT, signer.sign(LOG.verify_key, TEXT))
