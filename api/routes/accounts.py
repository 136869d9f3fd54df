"""Accounts and their roles.

An administrator of an organisation sees and changes what concerns it; the park manager all.
"""

from __future__ import annotations

from typing import Annotated

from fastapi import Path, Request
from fastapi.responses import Response
from pydantic import Field

from api.callers import CallerOf, actor_of, operation_of, router_of
from api.media import HEX_16, Cursor, Limit, Model, Page, PartyId, page_of
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.access import service as access
from ledger.access.accounts import ISSUER_MAX, NAME, SUBJECT_MAX
from ledger.access.caller import Caller
from ledger.access.passwords import NONE
from ledger.access.roles import MEMBER_ROLES, Role
from ledger.db import reading, writing
from ledger.errors import InvalidInput, NotFound
from ledger.parties.store import current_party

router = router_of(tags=["accounts"])
AccountPath = Annotated[str, Path(pattern=HEX_16)]


class AccountShown(Model):
    """An account, with the roles that the caller may see. Times are Unix seconds; 0: not."""

    account: str
    name: str
    created_at_s: int
    disabled_at_s: int
    has_password: bool
    has_totp: bool
    roles: dict[str, list[Role]]
    identities: list[list[str]]


class AccountIn(Model):
    """A new account with its first role. Without a password it signs in at a provider."""

    name: Annotated[str, Field(pattern=rf"^{NAME}$", examples=["lin"])]
    password: Annotated[str, Field(max_length=1_000)] = ""
    party: PartyId
    role: Annotated[Role, Field(strict=False)]


class Made(Model):
    """The id of what was made."""

    id: str


class MembershipIn(Model):
    """A role in an organisation."""

    party: PartyId
    role: Annotated[Role, Field(strict=False)]


class IdentityIn(Model):
    """How an OpenID provider calls a person."""

    issuer: Annotated[str, Field(min_length=1, max_length=ISSUER_MAX)]
    subject: Annotated[str, Field(min_length=1, max_length=SUBJECT_MAX)]


def _account(one: access.Account) -> AccountShown:
    return AccountShown(
        account=one.account,
        name=one.name,
        created_at_s=one.created_at_s,
        disabled_at_s=one.disabled_at_s or 0,
        has_password=one.has_password,
        has_totp=one.has_totp,
        roles={party: sorted(held) for party, held in one.roles.items()},
        identities=[list(each) for each in one.identities],
    )


@router.get("/accounts", operation_id="account_list")
def list_accounts(
    service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
) -> Page[AccountShown]:
    """Members of your organisations."""
    with reading(service.desk.engine) as conn:
        found = access.list_accounts(conn, caller.parties("account_list"))
    return page_of(found, _account, key=lambda one: one.name, cursor=cursor, limit=limit)


@router.get("/accounts/{account}", operation_id="account_show", responses=documented(404))
def show_account(service: ServiceOf, caller: CallerOf, account: AccountPath) -> AccountShown:
    """A member of your organisations."""
    with reading(service.desk.engine) as conn:
        return _account(access.account_of(conn, account, caller.parties("account_show")))


@router.post(
    "/accounts", operation_id="account_create", status_code=201, responses=documented(404, 409)
)
def create_account(body: AccountIn, request: Request, service: ServiceOf, caller: CallerOf) -> Made:
    """A new account, a member of your organisation."""
    require_mine(service, caller, "account_create", body.party)
    _require_member_role(body.role)
    password = service.passwords.hash(body.password) if body.password else NONE
    actor = actor_of(request, caller)
    with writing(service.desk.engine) as conn:
        made = access.create_account(conn, service.now_s(), actor, body.name, password)
        access.grant(
            conn, service.now_s(), actor, made, body.party, body.role, service.log.operator
        )
    return Made(id=made)


def require_mine(service: Service, caller: Caller, operation: str, party: str) -> None:
    """Raises NotFound unless there is such a party, and the caller acts for it."""
    with reading(service.desk.engine) as conn:
        known = current_party(conn, service.log.log_id, party)
    if known is None or not caller.may_for(operation, party):
        raise NotFound(f"there is no party {party!r} that you act for")


def _require_member_role(role: Role) -> None:
    if role not in MEMBER_ROLES:
        raise InvalidInput(
            f"{role} is for API keys; members have {', '.join(sorted(MEMBER_ROLES))}"
        )


@router.post(
    "/accounts/{account}/disabling",
    operation_id="account_disable",
    status_code=204,
    responses=documented(404, 409),
)
def disable(
    account: AccountPath, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """It signs in no more, and its keys open nothing."""
    actor = actor_of(request, caller)
    with writing(service.desk.engine) as conn:
        access.disable_account(conn, service.now_s(), actor, account, service.log.operator)
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/enabling",
    operation_id="account_enable",
    status_code=204,
    responses=documented(404, 409),
)
def enable(
    account: AccountPath, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """It may sign in again."""
    with writing(service.desk.engine) as conn:
        access.enable_account(conn, service.now_s(), actor_of(request, caller), account)
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/totp-reset",
    operation_id="account_reset_totp",
    status_code=204,
    responses=documented(404, 409),
)
def reset_totp(
    account: AccountPath, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """Take a lost second factor away."""
    with writing(service.desk.engine) as conn:
        access.reset_totp(conn, service.now_s(), actor_of(request, caller), account)
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/identities",
    operation_id="account_link",
    status_code=204,
    responses=documented(404, 409),
)
def link(
    account: AccountPath, body: IdentityIn, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """Let whom an OpenID provider calls so sign in as this account."""
    actor = actor_of(request, caller)
    with writing(service.desk.engine) as conn:
        access.link_identity(conn, service.now_s(), actor, account, body.issuer, body.subject)
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/identities/removal",
    operation_id="account_unlink",
    status_code=204,
    responses=documented(404, 409),
)
def unlink(
    account: AccountPath, body: IdentityIn, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """Take an identity away; sessions of the account end."""
    actor = actor_of(request, caller)
    with writing(service.desk.engine) as conn:
        access.unlink_identity(conn, service.now_s(), actor, account, body.issuer, body.subject)
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/roles",
    operation_id="membership_grant",
    status_code=204,
    responses=documented(404, 409),
)
def grant(
    account: AccountPath, body: MembershipIn, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """Give an account a role in your organisation.

    It is a member already, or nobody's: others of the park are made members by its manager.
    """
    require_mine(service, caller, operation_of(request), body.party)
    _require_member_role(body.role)
    actor = actor_of(request, caller)
    mine = caller.parties(operation_of(request))
    with writing(service.desk.engine) as conn:
        roles = access.account_of(conn, account).roles
        # Whoever makes somebody a member sees name, identities and sign-ins from then on.
        if mine is not None and roles and mine.isdisjoint(roles):
            raise NotFound(f"there is no account {account!r}")
        access.grant(
            conn, service.now_s(), actor, account, body.party, body.role, service.log.operator
        )
    return Response(status_code=204)


@router.post(
    "/accounts/{account}/roles/removal",
    operation_id="membership_revoke",
    status_code=204,
    responses=documented(404, 409),
)
def revoke(
    account: AccountPath, body: MembershipIn, request: Request, service: ServiceOf, caller: CallerOf
) -> Response:
    """Take a role away; keys that rest on it allow less from then on."""
    require_mine(service, caller, operation_of(request), body.party)
    actor = actor_of(request, caller)
    with writing(service.desk.engine) as conn:
        access.revoke(
            conn, service.now_s(), actor, account, body.party, body.role, service.log.operator
        )
    return Response(status_code=204)
