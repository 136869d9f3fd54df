"""Who uses the service in tests: a park manager, people of two enterprises, and programs."""

from __future__ import annotations

from dataclasses import dataclass, field

import httpx
from argon2 import PasswordHasher

from ledger import db
from ledger.access import service as access
from ledger.access.roles import MEMBER_ROLES, Role
from ledger.house import House

PASSWORD = "a long enough password"
# Cheap: how costly a guess is, is no matter of these tests.
PASSWORDS = access.Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
# Name → organisation and roles. `nobody` may sign in, and that is all.
PEOPLE: dict[str, tuple[str, frozenset[Role]]] = {
    "manager": ("operator", MEMBER_ROLES - {Role.AUDITOR}),
    "auditor": ("operator", frozenset({Role.AUDITOR})),
    "mill-viewer": ("mill", frozenset({Role.VIEWER})),
    "mill-preparer": ("mill", frozenset({Role.PREPARER})),
    "mill-approver": ("mill", frozenset({Role.APPROVER})),
    "mill-admin": ("mill", frozenset({Role.ADMIN})),
    "farm-preparer": ("farm", frozenset({Role.PREPARER})),
    "nobody": ("", frozenset()),
}
GATEWAY = "mill-gateway"
ANYBODY = "anybody"


@dataclass
class Town:
    """The service with everybody signed in: `town["mill-viewer"].get("/points")`."""

    house: House
    url: str
    tokens: dict[str, str] = field(default_factory=dict)
    ids: dict[str, str] = field(default_factory=dict)
    _clients: dict[str, httpx.Client] = field(default_factory=dict)

    def __getitem__(self, name: str) -> httpx.Client:
        if name not in self._clients:
            headers = (
                {"Authorization": f"Bearer {self.tokens[name]}"} if name in self.tokens else {}
            )
            self._clients[name] = httpx.Client(base_url=self.url, headers=headers, timeout=60)
        return self._clients[name]

    def close(self) -> None:
        for client in self._clients.values():
            client.close()


def settle(house: House, url: str) -> Town:
    """Make the accounts and sign everybody in."""
    town = Town(house, url)
    now_s, operator = house.desk.clock_s(), house.log.operator
    hashed = PASSWORDS.hash(PASSWORD)
    with db.writing(house.engine) as conn:
        for name, (party, roles) in PEOPLE.items():
            made = access.create_account(conn, now_s, access.MACHINE, name, hashed)
            town.ids[name] = made
            for role in sorted(roles):
                access.grant(conn, now_s, access.MACHINE, made, party, role, operator)
        token, _ = access.create_api_key(
            conn,
            now_s,
            access.MACHINE,
            account=town.ids["mill-preparer"],
            party="mill",
            roles=[Role.GATEWAY],
            operator=operator,
            expires_at_s=now_s + 86_400,
        )
    town.tokens[GATEWAY] = token
    for name in PEOPLE:
        town.tokens[name] = access.login(
            house.engine, PASSWORDS, house.seal_key, now_s, "test", name, PASSWORD
        )
    return town
