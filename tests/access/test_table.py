"""The table of who may do what, and what it lets a caller do: monotone, and never beyond reach."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.access.caller import ANYBODY, Caller, Via, in_scope
from ledger.access.roles import INCLUDES, MEMBER_ROLES, Reach, Role, with_included
from ledger.access.table import RULES

OPERATOR = "operator"
PARTIES = ["farm", "mill", OPERATOR]
OPERATIONS = sorted(RULES)
# Of these names an operation changes nothing; others are for those who prepare, decide, administer.
READS = re.compile(
    r".*_(list|show|trace|events|last|retirements?)|metrics|evidence_make|disclosure_make|report_draft|audit_run"
)
BY_GATEWAY = {"batch_last", "entries_submit", "points_list", "readings_file", "readings_submit"}

roles = st.frozensets(st.sampled_from(sorted(Role)))
members = st.dictionaries(st.sampled_from(PARTIES), roles)
operations = st.sampled_from([*OPERATIONS, "no_such_operation"])
vias = st.sampled_from(["session", "key"])


def caller(
    held: dict[str, frozenset[Role]], via: Via = "session", scopes: frozenset[str] | None = None
) -> Caller:
    return Caller(
        account="a" * 32,
        roles=held,
        operator=OPERATOR,
        via=via,
        scopes=frozenset({"*"}) if scopes is None else scopes,
    )


def reached(who: Caller, operation: str) -> set[str]:
    """Of the parties that there are, and one that nobody is in."""
    return {party for party in [*PARTIES, "stranger"] if who.may_for(operation, party)}


@pytest.mark.parametrize("operation", OPERATIONS)
def test_a_rule_names_roles_where_its_reach_asks_for_them(operation: str) -> None:
    rule = RULES[operation]
    assert bool(rule.roles) == (rule.reach in (Reach.OWN, Reach.PARK))
    assert not (rule.by_person and rule.reach is Reach.PUBLIC)


@pytest.mark.parametrize(
    ("role", "where", "operation", "reaches"),
    [
        ("viewer", "mill", "series_show", {"mill"}),
        ("viewer", "mill", "lots_list", {"mill"}),
        ("viewer", "mill", "readings_submit", set()),
        ("viewer", "mill", "account_list", set()),
        ("preparer", "mill", "claim_make", {"mill"}),
        ("preparer", "mill", "draft_approve", set()),
        ("preparer", "mill", "run_start", set()),
        ("approver", "mill", "draft_approve", {"mill"}),
        ("approver", "mill", "claim_make", set()),
        ("admin", "mill", "membership_grant", {"mill"}),
        ("admin", "mill", "account_disable", set()),
        ("admin", "mill", "claim_make", set()),
        ("gateway", "mill", "readings_submit", {"mill"}),
        ("gateway", "mill", "series_show", set()),
        ("viewer", OPERATOR, "series_show", {*PARTIES, "stranger"}),
        ("preparer", OPERATOR, "run_start", {*PARTIES, "stranger"}),
        ("admin", OPERATOR, "account_disable", {*PARTIES, "stranger"}),
        ("auditor", OPERATOR, "access_events", {*PARTIES, "stranger"}),
        ("auditor", OPERATOR, "membership_grant", set()),
        ("viewer", OPERATOR, "access_events", set()),
        ("viewer", "mill", "parties_list", {*PARTIES, "stranger"}),
        ("viewer", "mill", "log_proof", {*PARTIES, "stranger"}),
    ],
)
def test_who_may_do_what(role: str, where: str, operation: str, reaches: set[str]) -> None:
    via: Via = "key" if role == "gateway" else "session"
    who = caller({where: frozenset({Role(role)})}, via)
    assert reached(who, operation) == reaches
    assert who.may(operation) == bool(reaches)


@given(held=members, party=st.sampled_from(PARTIES), more=roles, operation=operations, via=vias)
def test_a_role_more_takes_nothing_away(
    held: dict[str, frozenset[Role]],
    party: str,
    more: frozenset[Role],
    operation: str,
    via: Via,
) -> None:
    richer = {**held, party: held.get(party, frozenset()) | more}
    assert reached(caller(held, via), operation) <= reached(caller(richer, via), operation)


@given(held=members, operation=operations, via=vias)
def test_own_reaches_no_other_party(
    held: dict[str, frozenset[Role]], operation: str, via: Via
) -> None:
    """Whoever has no role with the operator acts where it has one, and nowhere else."""
    held = {party: mine for party, mine in held.items() if party != OPERATOR}
    who, rule = caller(held, via), RULES.get(operation)
    if rule is None or rule.reach is Reach.PARK:
        assert reached(who, operation) == set()
        assert not who.may(operation)
    elif rule.reach is Reach.OWN:
        assert reached(who, operation) <= {party for party, mine in held.items() if mine}


@given(held=members, operation=operations, via=vias)
def test_the_list_of_parties_is_what_may_for_says(
    held: dict[str, frozenset[Role]], operation: str, via: Via
) -> None:
    who = caller(held, via)
    listed = who.parties(operation)
    expected = {*PARTIES, "stranger"} if listed is None else set(listed)
    assert reached(who, operation) == expected
    assert who.may(operation) == bool(expected)


@given(held=members, operation=operations, scopes=st.frozensets(st.sampled_from(OPERATIONS)))
def test_a_key_does_no_more_than_its_account(
    held: dict[str, frozenset[Role]], operation: str, scopes: frozenset[str]
) -> None:
    whole, narrow = caller(held, "key"), caller(held, "key", scopes)
    assert reached(narrow, operation) <= reached(whole, operation)
    assert reached(whole, operation) <= reached(caller(held), operation)
    rule = RULES.get(operation)
    if rule is not None and rule.reach is not Reach.PUBLIC:
        if rule.by_person:
            assert not whole.may(operation)
        assert operation in scopes or not narrow.may(operation)


@pytest.mark.parametrize("operation", OPERATIONS)
def test_anybody_may_what_is_public(operation: str) -> None:
    assert ANYBODY.may(operation) == (RULES[operation].reach is Reach.PUBLIC)


@pytest.mark.parametrize("who", [ANYBODY, caller({OPERATOR: frozenset(Role)})])
def test_what_no_row_names_nobody_may(who: Caller) -> None:
    assert not who.may("no_such_operation")
    assert not who.may("")
    assert reached(who, "no_such_operation") == set()


def test_a_gateway_hands_in_readings_and_nothing_else() -> None:
    who = caller({"mill": frozenset({Role.GATEWAY})}, "key")
    by_role = {name for name, rule in RULES.items() if rule.roles and who.may(name)}
    assert {"readings_submit"} <= by_role <= BY_GATEWAY


@pytest.mark.parametrize("role", [Role.VIEWER, Role.AUDITOR])
def test_who_reads_changes_nothing(role: Role) -> None:
    for operation, rule in RULES.items():
        if role in rule.roles:
            assert READS.fullmatch(operation), operation


def test_nobody_approves_by_key_or_makes_keys_with_one() -> None:
    who = caller({OPERATOR: frozenset(Role)}, "key")
    assert not any(
        who.may(operation)
        for operation in ("draft_approve", "draft_reject", "api_key_create", "membership_grant")
    )


@pytest.mark.parametrize("role", sorted(Role))
def test_a_role_covers_what_it_includes(role: Role) -> None:
    """So that a key with an included role does nothing that its account may not."""
    for included in INCLUDES[role]:
        for operation, rule in RULES.items():
            assert included not in rule.roles or role in rule.roles, operation


@given(one=roles, other=roles)
def test_including_is_a_closure(one: frozenset[Role], other: frozenset[Role]) -> None:
    assert one <= with_included(one) == with_included(with_included(one))
    assert with_included(one | other) == with_included(one) | with_included(other)
    assert Role.GATEWAY not in MEMBER_ROLES


@pytest.mark.parametrize(
    ("scope", "operation", "inside"),
    [
        ("*", "claim_make", True),
        ("claim_make", "claim_make", True),
        ("claim*", "claims_list", True),
        ("claim_*", "claims_list", False),
        ("claim", "claim_make", False),
        ("claim_make", "claim_make_more", False),
        ("*_list", "claims_list", False),
        ("", "claim_make", False),
    ],
)
def test_scopes(scope: str, operation: str, inside: bool) -> None:
    assert in_scope(frozenset({scope}), operation) is inside
