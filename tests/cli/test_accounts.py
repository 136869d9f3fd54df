"""greenledger account …: from the first administrator to the last key."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from ledger.access import service
from ledger.access.passwords import Passwords
from ledger.access.roles import Role
from ledger.access.table import RULES
from ledger.db import reading, writing
from ledger.errors import NotSignedIn
from ledger.house import House
from tests.access.door import SEAL_KEY, cheap, code_at
from tests.cli.conftest import Run
from tests.ledgers import copy_ledger, open_house

WORDS = "correct horse battery"


@pytest.fixture(scope="module")
def template(begun_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A ledger with one enterprise."""
    folder = copy_ledger(begun_template, tmp_path_factory.mktemp("accounts") / "ledger")
    house = open_house(folder)
    house.desk.register_party("mill", "Mill", ["enterprise"])
    house.engine.dispose()
    return folder


@pytest.fixture
def park(run: Run, template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Passwords take little work."""
    monkeypatch.setattr(service, "Passwords", cheap)
    copy_ledger(template, tmp_path / "ledger")
    (tmp_path / "password").write_text(f"{WORDS}\nsecond line\n")
    return tmp_path


def answer(run: Run, *words: str) -> dict[str, Any]:
    done = run("account", *words, "--json")
    assert done.code == 0, done.err
    found = json.loads(done.out.splitlines()[-1])
    assert isinstance(found, dict)
    return found


def create(run: Run, park: Path, name: str, *words: str) -> dict[str, Any]:
    return answer(run, "create", name, "--password-file", str(park / "password"), *words)


def opened(park: Path) -> House:
    return open_house(park / "ledger")


def login(park: Path, name: str, words: str = WORDS) -> str:
    house = opened(park)
    try:
        return service.login(
            house.engine, cheap(), SEAL_KEY, house.desk.clock_s(), "192.0.2.1", name, words
        )
    finally:
        house.engine.dispose()


def test_the_first_administrator_and_a_member(run: Run, park: Path) -> None:
    made = create(run, park, "lin", "--party", "operator", "--role", "admin")
    assert made["roles"] == ["admin"]
    create(run, park, "wu", "--party", "mill", "--role", "preparer", "--role", "viewer")
    answer(run, "grant", "wu", "--party", "mill", "--role", "approver")
    answer(run, "revoke", "wu", "--party", "mill", "--role", "viewer")
    listed = answer(run, "list")["accounts"]
    assert [(one["name"], one["roles"]) for one in listed] == [
        ("lin", {"operator": ["admin"]}),
        ("wu", {"mill": ["approver", "preparer"]}),
    ]
    assert login(park, "wu").startswith("gls_")
    shown = run("account", "list").out
    assert "operator: admin" in shown
    assert "mill: approver, preparer" in shown


REFUSED: list[tuple[list[str], int, str]] = [
    (["create", "Lin", "--no-password"], 2, "account name"),
    (["create", "lin"], 2, "--password-file"),
    (["create", "lin", "--password-file", "no-such-file"], 4, "no file"),
    (["create", "lin", "--no-password", "--party", "mill"], 2, "belong together"),
    (["create", "lin", "--no-password", "--role", "viewer"], 2, "belong together"),
    (["create", "lin", "--no-password", "--party", "x", "--role", "viewer"], 4, "no party 'x'"),
    (["create", "lin", "--no-password", "--party", "mill", "--role", "auditor"], 2, "auditor"),
    (["create", "lin", "--no-password", "--party", "mill", "--role", "gateway"], 2, "gateway"),
    (["create", "lin", "--no-password", "--party", "mill", "--role", "king"], 2, "king"),
    (["grant", "nobody", "--party", "mill", "--role", "viewer"], 4, "named 'nobody'"),
    (["disable", "nobody"], 4, "named 'nobody'"),
    (["key", "revoke", "0" * 32], 4, "no API key"),
    (["unlink", "boss", "--issuer", "https://id.example", "--subject", "x"], 4, "not linked"),
    (["disable", "boss"], 3, "last account"),
    (["revoke", "boss", "--party", "operator", "--role", "admin"], 3, "last account"),
]


def test_what_is_refused_leaves_no_trace(run: Run, park: Path) -> None:
    """An account is made with its roles, or not at all."""
    boss = ["--no-password", "--party", "operator", "--role", "admin"]
    answer(run, "create", "boss", *boss)
    before = answer(run, "list"), answer(run, "events")
    for words, code, why in REFUSED:
        done = run("account", *words)
        assert (done.code, why in done.err) == (code, True), (words, done.err)
    assert (answer(run, "list"), answer(run, "events")) == before


def test_a_short_password(run: Run, park: Path) -> None:
    (park / "password").write_text("secret-word\n")
    done = run("account", "create", "lin", "--password-file", str(park / "password"))
    assert (done.code, "12 to 256" in done.err, "secret-word" in done.err) == (2, True, False)


def test_a_password_from_standard_input(
    run: Run, park: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO("another good password\n"))
    answer(run, "create", "lin", "--password-file", "-")
    assert login(park, "lin", "another good password")


def test_a_new_password(run: Run, park: Path) -> None:
    answer(run, "create", "lin", "--no-password")
    assert answer(run, "list")["accounts"][0]["password"] is False
    found = answer(run, "set-password", "lin", "--password-file", str(park / "password"))
    assert found["password"] is True
    assert login(park, "lin")


def test_disabling_and_enabling(run: Run, park: Path) -> None:
    create(run, park, "lin")
    assert answer(run, "disable", "lin")["enabled"] is False
    with pytest.raises(NotSignedIn):
        login(park, "lin")
    assert answer(run, "enable", "lin")["enabled"] is True
    assert login(park, "lin")


def test_a_lost_second_factor(run: Run, park: Path) -> None:
    made = create(run, park, "lin")
    account, house = made["account"], opened(park)
    now_s, actor = house.desk.clock_s(), service.Actor(account=account)
    with writing(house.engine) as conn:
        secret, _ = service.enrol_totp(conn, house.seal_key, now_s, actor, account, "a park")
        code = code_at(secret, now_s)
        service.confirm_totp(conn, house.seal_key, now_s, actor, account, code)
    house.engine.dispose()
    assert answer(run, "list")["accounts"][0]["totp"] is True
    assert answer(run, "reset-totp", "lin")["totp"] is False
    assert login(park, "lin")


def test_an_identity(run: Run, park: Path) -> None:
    answer(run, "create", "lin", "--no-password")
    words = ["--issuer", "https://id.example", "--subject", "lin-7"]
    linked = answer(run, "link", "lin", *words)["identities"]
    assert linked == [{"issuer": "https://id.example", "subject": "lin-7"}]
    assert "https://id.example" in run("account", "list").out
    assert answer(run, "unlink", "lin", *words)["identities"] == []


def test_keys(run: Run, park: Path) -> None:
    create(run, park, "meters", "--party", "mill", "--role", "preparer")
    made = answer(
        run, "key", "create", "meters", "--party", "mill", "--role", "gateway", "--scope",
        "readings_*", "--days", "30", "--label", "roof",
    )  # fmt: skip
    assert made["expires_at_s"] - made["created_at_s"] == 30 * 86_400
    listed = answer(run, "key", "list", "--account", "meters", "--party", "mill")["keys"]
    token = made.pop("token")
    assert listed == [made]
    house = opened(park)
    with reading(house.engine) as conn:
        who = service.caller_of_token(conn, token, house.desk.clock_s(), "operator")
    house.engine.dispose()
    assert who.roles == {"mill": {Role.GATEWAY}}
    assert who.scopes == {"readings_*"}
    assert "in force" in run("account", "key", "list").out
    answer(run, "key", "revoke", made["key"])
    shown = run("account", "key", "list").out
    assert "revoked" in shown
    assert token[4:] not in shown
    assert answer(run, "key", "list", "--party", "operator")["keys"] == []


def test_keys_that_are_refused(run: Run, park: Path) -> None:
    create(run, park, "meters", "--party", "mill", "--role", "preparer")
    refused: list[tuple[list[str], int, str]] = [
        (["--role", "approver"], 3, "no approver of 'mill'"),
        (["--role", "viewer", "--scope", "everything"], 2, "scope 'everything'"),
        (["--role", "viewer", "--days", "401"], 2, "within 400 days"),
        (["--role", "viewer", "--label", "x" * 101], 2, "label"),
    ]
    for words, code, why in refused:
        done = run("account", "key", "create", "meters", "--party", "mill", *words)
        assert (done.code, why in done.err) == (code, True), (words, done.err)
    assert answer(run, "key", "list")["keys"] == []


def test_the_trail_and_the_rules(run: Run, park: Path) -> None:
    create(run, park, "lin", "--party", "mill", "--role", "viewer")
    login(park, "lin")
    found = answer(run, "events")["events"]
    assert [one["kind"] for one in found] == ["login", "membership.grant", "account.create"]
    assert (found[0]["address"], found[1]["address"]) == ("192.0.2.1", "")
    assert len(answer(run, "events", "--limit", "1")["events"]) == 1
    assert "192.0.2.1" in run("account", "events").out
    rules = answer(run, "rules")["rules"]
    assert set(rules) == set(RULES)
    assert rules["draft_approve"] == {"reach": "own", "roles": ["approver"], "by_person": True}
    assert "draft_approve" in run("account", "rules").out


def test_passwords_are_hashed_by_the_profile(run: Run, park: Path) -> None:
    """The command's own, with all the work."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(service, "Passwords", Passwords)
        create(run, park, "lin")
    house = opened(park)
    with reading(house.engine) as conn:
        stored = conn.exec_driver_sql("SELECT password FROM accounts").scalar_one()
    house.engine.dispose()
    assert stored.startswith("$argon2id$v=19$m=65536,t=3,p=4$")
    assert Passwords().verify(stored, WORDS)
