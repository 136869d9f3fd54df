"""What rooms above call: accounts, signing in, second factors, API keys, and the trail.

Functions that take a connection are part of the caller's transaction. `login` and `login_linked`
take the engine: a failure is to stay counted, whatever the caller does then. Nothing here asks
whether somebody *may* do it: that is the table's, at the edge.
"""

from ledger.access.accounts import (
    Account,
    account_named,
    account_of,
    create_account,
    disable_account,
    enable_account,
    grant,
    link_identity,
    list_accounts,
    reset_totp,
    revoke,
    set_password,
    unlink_identity,
)
from ledger.access.events import MACHINE, Actor, Event, list_events
from ledger.access.keys import ApiKey, api_key, create_api_key, list_api_keys, revoke_api_key
from ledger.access.passwords import Passwords
from ledger.access.sessions import (
    caller_of_token,
    change_password,
    login,
    login_linked,
    logout,
    needs_touch,
    sweep,
    touch,
)
from ledger.access.totp import confirm_totp, enrol_totp, remove_totp

__all__ = [
    "MACHINE",
    "Account",
    "Actor",
    "ApiKey",
    "Event",
    "Passwords",
    "account_named",
    "account_of",
    "api_key",
    "caller_of_token",
    "change_password",
    "confirm_totp",
    "create_account",
    "create_api_key",
    "disable_account",
    "enable_account",
    "enrol_totp",
    "grant",
    "link_identity",
    "list_accounts",
    "list_api_keys",
    "list_events",
    "login",
    "login_linked",
    "logout",
    "needs_touch",
    "remove_totp",
    "reset_totp",
    "revoke",
    "revoke_api_key",
    "set_password",
    "sweep",
    "touch",
    "unlink_identity",
]
