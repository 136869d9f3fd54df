"""The seal of a backup: what no signature of the log covers (accounts, keys, jobs, the entries
behind the last checkpoint) is vouched for by whoever has the key-encryption key.

Whoever can only write to the backup's disk can't put an account into it. To take it all back to an
older state is another matter: that the high-water record finds.
"""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import replace
from typing import Final

from ledger.errors import Corrupt, Unavailable
from ledger.log.archive import Record
from ledger.parties.keystore import Keystore
from ledger.settings import Settings

PURPOSE: Final = "greenledger/backup/v1"


def _seal(record: Record, keystore: Keystore) -> str:
    key = keystore.subkey(PURPOSE)
    return hmac.new(key, record.unsealed, hashlib.sha256).hexdigest()


def sealed(record: Record, keystore: Keystore) -> Record:
    return replace(record, seal=_seal(record, keystore))


def require_seal(record: Record, settings: Settings, keystore: Keystore) -> None:
    """Raises Unavailable without a key-encryption key, Corrupt where it is another one's seal."""
    if not settings.kek and not (settings.secrets_dir / "kek").is_file():
        raise Unavailable(
            "the key-encryption key is in no backup, and keys and accounts do not open without it:"
            f" set GREENLEDGER_KEK, or put the file `kek` into {settings.secrets_dir}; --log-only"
            " restores the log without them"
        )
    if not hmac.compare_digest(_seal(record, keystore), record.seal):
        raise Corrupt(
            "backup.json does not have the seal of this key-encryption key: it was changed, or it"
            " is another park's, or the key is another one"
        )
