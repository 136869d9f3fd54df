"""Roles of people and programs in an organisation, and how far a permission reaches."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from enum import StrEnum
from typing import Final


class Role(StrEnum):
    """What an account, or an API key of it, is in one organisation.

    In the operator's organisation a role holds for the whole park.
    """

    VIEWER = "viewer"
    """Reads the organisation's data."""
    PREPARER = "preparer"
    """Imports and registers, and prepares acts that somebody else approves."""
    APPROVER = "approver"
    """Approves or rejects what was prepared."""
    ADMIN = "admin"
    """Manages members, API keys and the organisation's signing keys."""
    GATEWAY = "gateway"
    """Hands in readings; for API keys only."""
    AUDITOR = "auditor"
    """Reads everything in the park and changes nothing; in the operator's organisation only."""


class Reach(StrEnum):
    """Whose objects an operation may touch."""

    PUBLIC = "public"
    """Anybody's request, without login."""
    SIGNED_IN = "signed-in"
    """Any account's; nothing that belongs to an organisation is shown."""
    OWN = "own"
    """Objects of the organisations where the caller has the role; of all, for the operator's."""
    PARK = "park"
    """Objects of the park: the role has to be in the operator's organisation."""


READERS: Final = frozenset({Role.VIEWER, Role.PREPARER, Role.APPROVER, Role.ADMIN, Role.AUDITOR})
# An account has these; a key may have all that its account has, and the last one.
MEMBER_ROLES: Final = frozenset(Role) - {Role.GATEWAY}
# Who has the first may hand on the others to a key: they allow nothing that it does not.
INCLUDES: Final[Mapping[Role, frozenset[Role]]] = {
    Role.VIEWER: frozenset(),
    Role.PREPARER: frozenset({Role.VIEWER, Role.GATEWAY}),
    Role.APPROVER: frozenset({Role.VIEWER}),
    Role.ADMIN: frozenset({Role.VIEWER}),
    Role.GATEWAY: frozenset(),
    Role.AUDITOR: frozenset({Role.VIEWER}),
}


def with_included(roles: Iterable[Role]) -> frozenset[Role]:
    """The roles, and those that they include."""
    held = frozenset(roles)
    return held.union(*(INCLUDES[role] for role in held))
