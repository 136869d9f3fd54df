"""Who asks, and what the table lets them do. Pure: what is asked for is a name and an organisation.

- A role in the operator's organisation holds for the whole park; any other one where it is.
- An API key does what both its roles and its scopes allow, and never what only a person may.
- What the table does not name, nobody may do.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from ledger.access.roles import Reach, Role
from ledger.access.table import RULES, Rule

Via = Literal["none", "session", "key"]
ALL: Final = "*"


def in_scope(scopes: frozenset[str], operation: str) -> bool:
    """A scope is an operation, or the beginning of some with a star: `log_*`, `*`."""
    return any(
        operation.startswith(scope[:-1]) if scope.endswith(ALL) else operation == scope
        for scope in scopes
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """An account at work: itself after login, or by one of its API keys.

    `account` and `key` are random ids, or empty. `seen_at_s` is when the session or key was last
    noted as used.
    """

    account: str = ""
    name: str = ""
    roles: Mapping[str, frozenset[Role]] = field(default_factory=dict)
    operator: str = ""
    via: Via = "none"
    scopes: frozenset[str] = frozenset()
    key: str = ""
    seen_at_s: int = 0

    def _rule(self, operation: str) -> Rule | None:
        """The operation's rule, if this caller may come so far that roles decide."""
        rule = RULES.get(operation)
        if rule is None or rule.reach is Reach.PUBLIC:
            return rule
        if self.via == "none" or not in_scope(self.scopes, operation):
            return None
        return None if rule.by_person and self.via != "session" else rule

    def _park_wide(self, rule: Rule) -> bool:
        return not rule.roles.isdisjoint(self.roles.get(self.operator, frozenset()))

    def may(self, operation: str) -> bool:
        """Whether there is any object at all that the caller may do it to."""
        found = self.parties(operation)
        return found is None or bool(found)

    def may_for(self, operation: str, party: str) -> bool:
        """Whether the caller may do it to an object of this organisation."""
        found = self.parties(operation)
        return found is None or party in found

    def parties(self, operation: str) -> frozenset[str] | None:
        """Organisations whose objects the caller may do it to; None is the whole park."""
        rule = self._rule(operation)
        if rule is None:
            return frozenset()
        if rule.reach in (Reach.PUBLIC, Reach.SIGNED_IN) or self._park_wide(rule):
            return None
        if rule.reach is Reach.PARK:
            return frozenset()
        return frozenset(
            party for party, held in self.roles.items() if not rule.roles.isdisjoint(held)
        )


ANYBODY: Final = Caller()
