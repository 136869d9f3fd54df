"""Any order of grants, keys, disabling and time, against a model in plain dicts."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    multiple,
    rule,
)

from ledger import db
from ledger.access.roles import Role
from ledger.errors import LedgerError
from tests.access.door import OPERATOR, Door

MEMBERS = ["viewer", "preparer", "approver", "admin"]
COVERS = {
    "viewer": {"viewer"},
    "preparer": {"preparer", "viewer", "gateway"},
    "approver": {"approver", "viewer"},
    "admin": {"admin", "viewer"},
    "auditor": {"auditor", "viewer"},
}
# One operation of each role alone.
SIGN: dict[str, str] = {
    "viewer": "series_show",
    "preparer": "claim_make",
    "approver": "draft_approve",
    "admin": "membership_grant",
    "gateway": "readings_submit",
}
parties = st.sampled_from(["farm", "mill", OPERATOR])


class People(RuleBasedStateMachine):
    """`roles`, `enabled` and `keys` are the model; tokens are kept after they have ended."""

    accounts = Bundle("accounts")
    keys = Bundle("keys")

    def __init__(self) -> None:
        super().__init__()
        self.folder = Path(tempfile.mkdtemp())
        engine = db.open_scratch(self.folder / "scratch.sqlite3")
        db.create_tables(engine)
        self.door = Door(engine)
        self.roles: dict[str, set[tuple[str, str]]] = {}
        self.enabled: dict[str, bool] = {}
        self.sessions: dict[str, tuple[str, int]] = {}
        self.key_facts: dict[str, dict[str, Any]] = {}

    def teardown(self) -> None:
        self.door.engine.dispose()
        shutil.rmtree(self.folder)

    def in_charge(self) -> set[str]:
        return {
            account
            for account, held in self.roles.items()
            if (OPERATOR, "admin") in held and self.enabled[account]
        }

    def tried(self, done: bool, *, allowed: bool) -> bool:
        assert done == allowed
        return done

    def does(self, act: Any, *words: Any) -> bool:
        try:
            act(*words)
        except LedgerError:
            return False
        return True

    @initialize(target=accounts)
    def begin(self) -> Any:
        made = [self.door.account(name, password="") for name in ("lin", "wu", "zhang")]
        self.roles = {account: set() for account in made}
        self.enabled = dict.fromkeys(made, True)
        self.door.grant(made[0], OPERATOR, Role.ADMIN)
        self.roles[made[0]].add((OPERATOR, "admin"))
        return multiple(*made)

    @rule(account=accounts, party=parties, role=st.sampled_from([*MEMBERS, "auditor", "gateway"]))
    def grant(self, account: str, party: str, role: str) -> None:
        allowed = role in MEMBERS or (role == "auditor" and party == OPERATOR)
        if self.tried(self.does(self.door.grant, account, party, Role(role)), allowed=allowed):
            self.roles[account].add((party, role))

    @rule(account=accounts, data=st.data())
    def revoke(self, account: str, data: st.DataObject) -> None:
        held = sorted(self.roles[account])
        if not held:
            return
        party, role = data.draw(st.sampled_from(held))
        last = (party, role) == (OPERATOR, "admin") and self.in_charge() == {account}
        if self.tried(self.does(self.door.revoke, account, party, Role(role)), allowed=not last):
            self.roles[account].discard((party, role))

    @rule(account=accounts)
    def disable(self, account: str) -> None:
        last = self.in_charge() == {account}
        if self.tried(self.does(self.door.disable, account), allowed=not last):
            self.enabled[account] = False

    @rule(account=accounts)
    def enable(self, account: str) -> None:
        self.door.enable(account)
        self.enabled[account] = True

    def covered(self, account: str, party: str) -> set[str]:
        return {
            covered
            for where, role in self.roles[account]
            if where in (party, OPERATOR)
            for covered in COVERS[role]
        }

    @rule(
        target=keys,
        account=accounts,
        party=parties,
        roles=st.sets(st.sampled_from([*MEMBERS, "gateway"]), min_size=1, max_size=3),
        days=st.integers(1, 3),
    )
    def make_key(self, account: str, party: str, roles: set[str], days: int) -> Any:
        allowed = self.enabled[account] and roles <= self.covered(account, party)
        made: list[tuple[str, str]] = []

        def make() -> None:
            made.append(self.door.key(account, party, *map(Role, sorted(roles)), days=days))

        if not self.tried(self.does(make), allowed=allowed):
            return multiple()
        token, key = made[0]
        self.key_facts[token] = {
            "account": account,
            "party": party,
            "roles": roles,
            "end_s": self.door.now_s + days * 86_400,
        }
        return (token, key)

    @rule(key=consumes(keys))
    def revoke_key(self, key: tuple[str, str]) -> None:
        self.door.end_key(key[1])
        self.key_facts[key[0]]["end_s"] = 0

    @rule(hours=st.integers(1, 40))
    def wait(self, hours: int) -> None:
        self.door.now_s += hours * 3600

    @invariant()
    def somebody_is_in_charge(self) -> None:
        assert not self.roles or self.in_charge()

    @invariant()
    def keys_do_what_the_model_says(self) -> None:
        for token, facts in self.key_facts.items():
            account, party = facts["account"], facts["party"]
            lives = self.enabled[account] and self.door.now_s < facts["end_s"]
            assert self.door.lets_in(token) == lives
            if not lives:
                continue
            left = facts["roles"] & self.covered(account, party)
            who = self.door.caller(token)
            for role, operation in SIGN.items():
                # Who prepares hands in readings and reads; a person alone approves and administers.
                wide = {"gateway": {"gateway", "preparer"}, "viewer": left - {"gateway"}}
                may = bool(left & wide.get(role, {role})) and role not in ("approver", "admin")
                assert who.may_for(operation, party) == may, (role, facts, left)
                if party != OPERATOR:
                    assert not who.may_for(operation, "stranger")


TestPeople = People.TestCase
TestPeople.settings = settings(max_examples=12, stateful_step_count=20, deadline=None)
