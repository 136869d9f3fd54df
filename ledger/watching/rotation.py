"""Keys that a log registered while nobody looked.

`log-key.register` is signed by a key of the log that was in force before, so whoever trusts one of
them can follow the chain to the keys of today. The entries that show it are under a checkpoint that
no known key has signed yet: they are read, but stay unverified until the new key is known.
"""

from __future__ import annotations

import time
from collections.abc import Collection
from typing import Final

from greenledger_verify.checkpoint import parse_checkpoint
from greenledger_verify.failure import VerificationError
from greenledger_verify.logkeys import read_log_keys
from greenledger_verify.note import ED25519, VerifierKey, parse_note
from ledger.errors import Corrupt, Unavailable
from ledger.watching.mirror import Mirror
from ledger.watching.notes import Seen
from ledger.watching.published import PublishedLog

# Reading what no known key has signed; nothing of it is kept for the next time.
UNSIGNED_S_MAX: Final = 600.0


def keys_below(
    raw: bytes, trusted: Collection[VerifierKey], mirror: Mirror, log: PublishedLog
) -> list[VerifierKey]:
    """Ed25519 keys in force at the size of the checkpoint `raw`, whose signatures do not hold yet,
    that a chain of the log's own keys leads to from a trusted one. None where the entries shown
    are not those of the checkpoint."""
    try:
        checkpoint = parse_checkpoint(parse_note(raw).text.decode())
    except VerificationError:
        return []
    if checkpoint.origin != mirror.state.origin or checkpoint.size <= mirror.state.size:
        return []
    claimed = Seen(note=raw, checkpoint=checkpoint, keys=(), seen_s=0)
    end_s = time.monotonic() + UNSIGNED_S_MAX
    try:
        pulled = mirror.pull(log, [claimed], time_left=lambda: time.monotonic() < end_s)
    except (Corrupt, Unavailable):
        mirror.discard()
        return []
    if not pulled.confirmed:
        mirror.discard()
        return []
    known = read_log_keys(enumerate(mirror.reached_entries()))
    return [
        one.key
        for one in known.reached(trusted)
        if one.key.kind == ED25519 and one.in_force_at(checkpoint.size)
    ]
