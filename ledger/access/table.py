"""Which role may do what: one row for each operation of the API. What no row names, nobody may do.

A row says roles and reach. `by_person` asks for somebody who has signed in: API keys approve
nothing, and make neither members nor keys.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from ledger.access.roles import READERS, Reach, Role


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """`roles`: any of them is enough; none where `reach` asks for no role."""

    roles: frozenset[Role]
    reach: Reach
    by_person: bool = False


def _own(*roles: Role) -> Rule:
    return Rule(roles=frozenset(roles), reach=Reach.OWN)


def _park(*roles: Role) -> Rule:
    return Rule(roles=frozenset(roles), reach=Reach.PARK)


def _person(rule: Rule) -> Rule:
    return Rule(roles=rule.roles, reach=rule.reach, by_person=True)


_PUBLIC: Final = Rule(roles=frozenset(), reach=Reach.PUBLIC)
_SIGNED_IN: Final = Rule(roles=frozenset(), reach=Reach.SIGNED_IN)
_MYSELF: Final = _person(_SIGNED_IN)
_READ: Final = _own(*READERS)
_PREPARE: Final = _own(Role.PREPARER)
_HAND_IN: Final = _own(Role.PREPARER, Role.GATEWAY)
_DECIDE: Final = _person(_own(Role.APPROVER))
_ADMINISTER: Final = _person(_own(Role.ADMIN))
_WATCH: Final = _person(_own(Role.ADMIN, Role.AUDITOR))
_RUN_PARK: Final = _person(_park(Role.ADMIN))

RULES: Final[Mapping[str, Rule]] = {
    # The service
    "health": _PUBLIC,
    "ready": _PUBLIC,
    "metrics": _park(Role.ADMIN, Role.AUDITOR),
    # The public log
    "log_show": _PUBLIC,
    "log_leaf": _PUBLIC,
    "log_checkpoint": _PUBLIC,
    "log_tile": _PUBLIC,
    "log_entries_bundle": _PUBLIC,
    "log_entry": _PUBLIC,
    "log_proof": _PUBLIC,
    "log_consistency": _PUBLIC,
    "log_anchors_list": _PUBLIC,
    "log_token_show": _PUBLIC,
    # Signing in
    "login": _PUBLIC,
    "oidc_begin": _PUBLIC,
    "oidc_finish": _PUBLIC,
    "logout": _MYSELF,
    "whoami": _SIGNED_IN,
    "password_change": _MYSELF,
    "totp_enrol": _MYSELF,
    "totp_confirm": _MYSELF,
    "totp_remove": _MYSELF,
    # Accounts
    "account_list": _WATCH,
    "account_show": _WATCH,
    "account_create": _ADMINISTER,
    "account_disable": _RUN_PARK,
    "account_enable": _RUN_PARK,
    "account_reset_totp": _RUN_PARK,
    "account_link": _RUN_PARK,
    "account_unlink": _RUN_PARK,
    "membership_grant": _ADMINISTER,
    "membership_revoke": _ADMINISTER,
    "api_key_list": _WATCH,
    "api_key_create": _ADMINISTER,
    "api_key_revoke": _ADMINISTER,
    "access_events": _WATCH,
    # Organisations
    "parties_list": _SIGNED_IN,
    "party_register": _RUN_PARK,
    "party_key_list": _SIGNED_IN,
    "party_key_create": _ADMINISTER,
    "party_key_rotate": _ADMINISTER,
    "party_key_revoke": _ADMINISTER,
    # Metering
    "points_list": _own(*READERS, Role.GATEWAY),
    "point_show": _READ,
    "point_register": _PREPARE,
    "point_replace": _PREPARE,
    "readings_submit": _HAND_IN,
    "readings_file": _PREPARE,
    "series_show": _READ,
    "erasure_show": _park(Role.PREPARER, Role.APPROVER),
    "batches_erase": _park(Role.PREPARER),
    "batch_last": _own(*READERS, Role.GATEWAY),
    # Matching
    "contracts_list": _READ,
    "contract_register": _PREPARE,
    "policies": _SIGNED_IN,
    "runs_list": _READ,
    "run_show": _READ,
    "run_start": _park(Role.PREPARER),
    "lots_list": _READ,
    "lot_trace": _READ,
    # Claims
    "claims_list": _READ,
    "claim_show": _READ,
    "claim_make": _PREPARE,
    "claim_replace": _PREPARE,
    "claim_withdraw": _PREPARE,
    "evidence_make": _READ,
    "disclosure_make": _READ,
    "evidence_show": _READ,
    # Certificates and credits
    "schemes_list": _SIGNED_IN,
    "scheme_register": _park(Role.ADMIN),
    "projects_list": _READ,
    "project_register": _park(Role.PREPARER),
    "certificates_list": _READ,
    "certificates_retirements": _READ,
    "certificates_retirement": _READ,
    "certificates_issue": _park(Role.PREPARER),
    "certificates_issue_metered": _park(Role.PREPARER),
    "certificates_settle": _park(Role.PREPARER),
    "certificates_transfer": _PREPARE,
    "certificates_retire": _PREPARE,
    "certificates_mark": _PREPARE,
    "certificates_end": _PREPARE,
    "certificates_disclose": _PREPARE,
    "credits_list": _READ,
    "credits_retirements": _READ,
    "credits_retirement": _READ,
    "credits_issue": _park(Role.PREPARER),
    "credits_record_list": _READ,
    "credits_record": _park(Role.PREPARER),
    "credits_verify": _PREPARE,
    "credits_issue_record": _park(Role.PREPARER),
    "credits_reverse": _park(Role.PREPARER),
    "credits_transfer": _PREPARE,
    "credits_retire": _PREPARE,
    "credits_mark": _PREPARE,
    "credits_end": _PREPARE,
    "credits_disclose": _PREPARE,
    "statements_import": _park(Role.PREPARER),
    "statements_list": _park(*READERS),
    "reconciliation_show": _park(*READERS),
    # Accounting
    "factors_list": _SIGNED_IN,
    "factors_find": _SIGNED_IN,
    # Four eyes and closing
    "officer_list": _READ,
    "officer_add": _ADMINISTER,
    "officer_end": _ADMINISTER,
    "four_eyes_show": _SIGNED_IN,
    "four_eyes_set": _ADMINISTER,
    "drafts_list": _READ,
    "draft_show": _READ,
    "draft_approve": _DECIDE,
    "draft_reject": _person(_own(Role.APPROVER, Role.PREPARER)),
    "periods_list": _READ,
    "period_show": _READ,
    "period_advance": _own(Role.PREPARER, Role.APPROVER),
    "period_restate": _PREPARE,
    # Records and reports
    "records_list": _READ,
    "record_show": _READ,
    "record_put": _PREPARE,
    "record_end": _PREPARE,
    "reports_list": _READ,
    "report_show": _READ,
    "report_draft": _READ,
    "report_publish": _PREPARE,
    # Footprints to customers and from suppliers
    "pact_client_list": _WATCH,
    "pact_client_create": _ADMINISTER,
    "pact_client_end": _ADMINISTER,
    "pact_inbox_list": _READ,
    "pact_footprints_list": _READ,
    # Work
    "jobs_list": _READ,
    "job_show": _READ,
    "job_events": _READ,
    "job_cancel": _PREPARE,
    "checkpoint_sign": _park(Role.PREPARER),
    "expiry_run": _park(Role.PREPARER),
    "audit_run": _park(Role.PREPARER, Role.AUDITOR),
    "entries_submit": _HAND_IN,
}
