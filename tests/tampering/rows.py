"""A purposeful change of each table of the ledger, by SQL with the triggers out of the way.

Small random changes of every column are tests/log/test_flips.py.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class RowAttack:
    """`gain`: what the attacker wants; `sql`: how he gets it, were nobody watching."""

    gain: str
    sql: str


def _first(table: str, where: str = "1 = 1") -> str:
    return f"rowid = (SELECT min(rowid) FROM {table} WHERE {where})"


def _forget(gain: str, table: str, where: str = "1 = 1") -> RowAttack:
    return RowAttack(gain, f"DELETE FROM {table} WHERE {_first(table, where)}")


def _change(gain: str, table: str, change: str, where: str = "1 = 1") -> RowAttack:
    return RowAttack(gain, f"UPDATE {table} SET {change} WHERE {_first(table, where)}")


_VKEY = "park.example/tests+7e3c58a1+ATbF4mp5dzlSW2XkI4PLyfEDxsKjVdZhEYvKzZgvqF2d"

# By table. tests/ledgers.py `fill` gives each but those in `test_rows.ELSEWHERE` a row to change.
ATTACKS: dict[str, RowAttack] = {
    "anchor_receipts": _forget("no witness has seen it", "anchor_receipts"),
    "anchors": _change("a witness's key is the attacker's", "anchors", "key = randomblob(32)"),
    "approval_rules": _forget("one officer is enough", "approval_rules"),
    "batches": _change("a batch that was left out leaves no gap", "batches", "sequence = 7"),
    "blocks": _change(
        "a meter showed 1 TWh in a quarter-hour",
        "blocks",
        "value = CAST(x'000000E8D4A51000' || substr(value, 9) AS BLOB)",
    ),
    "bodies": _change("a file says something else", "bodies", "data = CAST(data || x'00' AS BLOB)"),
    "body_uses": _forget("a body that is needed can be erased", "body_uses"),
    "checkpoint_notes": _forget("a signed checkpoint was never there", "checkpoint_notes"),
    "checkpoint_roots": _change(
        "another history under a signed size", "checkpoint_roots", "root = zeroblob(32)"
    ),
    "claim_ends": _forget("a claim that was replaced counts again", "claim_ends"),
    "claim_flags": _forget("nobody sees that a claim is short", "claim_flags"),
    "claim_lots": _change("more of a lot is claimed", "claim_lots", "wh = wh + 1"),
    "claim_retirements": _change(
        "a certificate covers more", "claim_retirements", "wh = wh + 1000000"
    ),
    "claims": _change("a claim is of more energy", "claims", "wh = wh + 1000000"),
    "contracts": _change(
        "a contract has other terms", "contracts", "terms = replace(terms, 'farm', 'mill')"
    ),
    "disclosures": _forget("what was disclosed is private again", "disclosures"),
    "endorsements": _change("somebody else vouched for a key", "endorsements", "endorser = 'mill'"),
    "energy_bars": _forget("energy gets certificates beside its credits", "energy_bars"),
    "entries": _change("an entry was another party's", "entries", "author = 'mill'"),
    "erasures": RowAttack(
        "readings are said to be erased, so that nobody reckons with them",
        "INSERT INTO erasures SELECT 1, min(entry_index), max(entry_index) FROM batches",
    ),
    "gone_units": _forget("units that were used up are there again", "gone_units"),
    "footprint_uses": _forget("a product takes claimed energy again", "footprint_uses"),
    "holding_ends": _forget("what was sold is still owned", "holding_ends"),
    "holdings": _change("somebody else's units are mine", "holdings", "owner = 'mill'"),
    "key_ends": _forget("a revoked key signs again", "key_ends"),
    "keys": _change("a party's key is the attacker's", "keys", "public_key = randomblob(32)"),
    "log_heads": _change("what has expired is valid", "log_heads", "tick_s = tick_s - 86400"),
    "log_key_ends": _forget("a log key that was ended signs again", "log_key_ends"),
    "log_keys": _change(
        "checkpoints are signed by another", "log_keys", "public_key = randomblob(32)"
    ),
    "logs": _change("checkpoints are signed by another", "logs", f"log_vkey = '{_VKEY}'"),
    "lot_spends": _forget("a lot is spent again", "lot_spends"),
    "lot_wraps": _forget("a lot is certified again", "lot_wraps"),
    "lots": _change("a lot is worth more", "lots", "wh = wh + 1000000"),
    "meter_logs": _change("a meter is another log's", "meter_logs", "number = number || '-2'"),
    "officer_ends": _forget("who has left signs again", "officer_ends"),
    "officers": _change(
        "an officer's key is the attacker's", "officers", "public_key = randomblob(32)"
    ),
    "origins": _forget("a month is divided again", "origins"),
    "parties": _change("a party has another's role", "parties", "roles = 'verifier'"),
    "period_states": _forget("a closed period is open", "period_states", "state = 'closed'"),
    "point_names": _change("a point has another's name", "point_names", "name = 'secret-other'"),
    "points": _change("a point is mine", "points", "master = replace(master, 'farm', 'mill')"),
    "projects": _change(
        "a project is mine", "projects", "master = replace(master, 'farm', 'mill')"
    ),
    "records": _forget("a factor that was corrected is in force again", "records", "number > 0"),
    "reductions": _change("stored by another plant", "reductions", "plant = 'hill'"),
    "reports": _forget("a corrected inventory was never corrected", "reports", "number > 0"),
    "retirements": _change("used up for somebody else", "retirements", "beneficiary = 'farm'"),
    "reversals": _forget("what leaked away was not seen", "reversals"),
    "runs": _change("a run knew of more readings", "runs", "as_of = as_of + 1"),
    "schemes": _change(
        "a certificate is of less energy", "schemes", "rules = replace(rules, '1000000', '1000')"
    ),
    "settlements": _change("a trade was another's", "settlements", "buyer = 'shop'"),
    "shorts": _change("a claim is not short", "shorts", "used_wh = used_wh - 7"),
    "statement_rows": _change(
        "the registry said otherwise", "statement_rows", "status = 'cancelled'"
    ),
    "statements": _change("another registry said so", "statements", "issuer = 'secret-other'"),
    "successions": RowAttack(
        "the log follows another one, that it never knew",
        "INSERT INTO successions SELECT 1, 1, 'park.example/old', log_vkey, 9, zeroblob(32), 0"
        " FROM logs",
    ),
    "tiles": _change(
        "another entry was there",
        "tiles",
        "hashes = CAST(randomblob(32) || substr(hashes, 33) AS BLOB)",
    ),
    "unit_batch_lots": _forget("lots stand behind no certificate", "unit_batch_lots"),
    "unit_batches": _change("units never expire", "unit_batches", "expires_s = expires_s + 86400"),
    "verifications": _change("somebody else verified it", "verifications", "author = 'mill'"),
}


def ledger_of(table: str) -> str:
    """Which of the tests' ledgers has rows of it."""
    return "tiled" if table == "tiles" else "filled"
