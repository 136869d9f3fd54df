"""The service's door as tests use it: cheap passwords, a clock that is moved by hand."""

from __future__ import annotations

import base64
import hashlib
import hmac
from collections.abc import Iterable
from dataclasses import dataclass, field

from argon2 import PasswordHasher
from sqlalchemy import Engine

from ledger.access import service
from ledger.access.caller import Caller
from ledger.access.passwords import NONE
from ledger.access.roles import Role
from ledger.access.service import MACHINE, Actor, Passwords
from ledger.db import reading, writing
from ledger.errors import LedgerError
from tests.ledgers import NOW_S

OPERATOR = "operator"
GOOD = "correct horse battery"
HERE = "192.0.2.7"
SEAL_KEY = b"0123456789abcdef0123456789abcdef"


def cheap() -> Passwords:
    """Argon2id with the least work that it takes."""
    return Passwords(PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))


def code_at(secret: str, now_s: int) -> str:
    """RFC 6238 by its text: HMAC-SHA-1 over the count of half minutes, truncated to 6 digits."""
    key = base64.b32decode(secret)
    mac = hmac.new(key, (now_s // 30).to_bytes(8, "big"), hashlib.sha1).digest()
    at = mac[-1] & 0x0F
    return f"{(int.from_bytes(mac[at : at + 4], 'big') & 0x7FFFFFFF) % 1_000_000:06}"


@dataclass
class Door:
    """One process of the service, over a database that it may share with others."""

    engine: Engine
    now_s: int = NOW_S
    passwords: Passwords = field(default_factory=cheap)

    def account(self, name: str, *roles: tuple[str, Role], password: str = GOOD) -> str:
        hashed = self.passwords.hash(password) if password else NONE
        with writing(self.engine) as conn:
            made = service.create_account(conn, self.now_s, MACHINE, name, hashed)
            for party, role in roles:
                service.grant(conn, self.now_s, MACHINE, made, party, role, OPERATOR)
        return made

    def grant(self, account: str, party: str, role: Role) -> None:
        with writing(self.engine) as conn:
            service.grant(conn, self.now_s, MACHINE, account, party, role, OPERATOR)

    def revoke(self, account: str, party: str, role: Role) -> None:
        with writing(self.engine) as conn:
            service.revoke(conn, self.now_s, MACHINE, account, party, role, OPERATOR)

    def disable(self, account: str) -> None:
        with writing(self.engine) as conn:
            service.disable_account(conn, self.now_s, MACHINE, account, OPERATOR)

    def enable(self, account: str) -> None:
        with writing(self.engine) as conn:
            service.enable_account(conn, self.now_s, MACHINE, account)

    def login(self, name: str, password: str = GOOD, code: str = "", *, address: str = HERE) -> str:
        return service.login(
            self.engine, self.passwords, SEAL_KEY, self.now_s, address, name, password, code
        )

    def caller(self, token: str) -> Caller:
        with reading(self.engine) as conn:
            return service.caller_of_token(conn, token, self.now_s, OPERATOR)

    def lets_in(self, token: str) -> bool:
        try:
            self.caller(token)
        except LedgerError:
            return False
        return True

    def key(
        self,
        account: str,
        party: str,
        *roles: Role,
        scopes: Iterable[str] = ("*",),
        days: int = 30,
        actor: Actor = MACHINE,
    ) -> tuple[str, str]:
        """(token, the key's public name)."""
        with writing(self.engine) as conn:
            token, made = service.create_api_key(
                conn,
                self.now_s,
                actor,
                account=account,
                party=party,
                roles=roles,
                operator=OPERATOR,
                expires_at_s=self.now_s + days * 86_400,
                scopes=list(scopes),
            )
        return token, made.key

    def end_key(self, key: str) -> None:
        with writing(self.engine) as conn:
            service.revoke_api_key(conn, self.now_s, MACHINE, key)

    def enrol(self, account: str) -> str:
        """A second factor that waits for its first code; returns its secret."""
        with writing(self.engine) as conn:
            secret, _ = service.enrol_totp(
                conn, SEAL_KEY, self.now_s, Actor(account=account), account, "a park"
            )
        return secret

    def confirm(self, account: str, code: str) -> list[str]:
        with writing(self.engine) as conn:
            actor = Actor(account=account)
            return list(service.confirm_totp(conn, SEAL_KEY, self.now_s, actor, account, code))

    def second_factor(self, account: str) -> tuple[str, list[str]]:
        """(secret, recovery codes) of one that is in force; the code of this half minute is used
        up with it."""
        secret = self.enrol(account)
        return secret, self.confirm(account, code_at(secret, self.now_s))
