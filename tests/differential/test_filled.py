"""A ledger with some of everything: the verifier passes its log, its bodies and its evidence."""

from __future__ import annotations

import io
from pathlib import Path

from greenledger_verify.bodies import _CHECKS, verify_body
from greenledger_verify.evidence import verify_evidence
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.scan import scan_log
from greenledger_verify.trust import trust_of
from ledger.claims import evidence, store
from ledger.db import reading
from ledger.house import ENTRY_TYPES, House
from ledger.log.bodies import Blob
from ledger.log.entry import parse_entry
from ledger.log.export import submissions
from tests.ledgers import no_progress, rows


def test_every_type_of_entry_passes(filled: House, tmp_path: Path) -> None:
    filled.checkpoint()
    filled.export_tiles(tmp_path / "tiles", no_progress)
    log = verify_log(tmp_path / "tiles", trust_of([filled.log.log_key.vkey]), Report())
    assert log.state is not None
    assert set(log.state.counts) == set(ENTRY_TYPES.by_name) - {"claim.withdraw", "log.succeed"}
    ((entries,),) = rows(filled, "SELECT COUNT(*) FROM entries")
    assert sum(log.state.counts.values()) == entries


def test_every_kind_of_json_body_passes(filled: House) -> None:
    seen = set()
    with reading(filled.engine) as conn:
        for submission in submissions(conn, filled.log, ENTRY_TYPES):
            statement = parse_entry(submission.data).statement
            for name, body in submission.bodies.items():
                if isinstance(body, Blob) and body.media.endswith("+json"):
                    assert verify_body(body.data, statement[name]) == body.json()
                    seen.add(body.media)
    assert set(_CHECKS) <= seen


def test_evidence_of_every_claim_passes_with_the_log(filled: House, tmp_path: Path) -> None:
    """Those with lots, and those with certificates alone."""
    filled.checkpoint()
    filled.export_tiles(tmp_path / "tiles", no_progress)
    trust, retirements = trust_of([filled.log.log_key.vkey]), 0
    with reading(filled.engine) as conn:
        claims = [row for row in store.find_claims(conn, filled.log.log_id) if row.in_force]
    for row in claims:
        for level in ("total", "full"):
            file = io.BytesIO(b"".join(evidence.lines(filled.desk, row.claim, level, None)))
            verified = verify_evidence(file, trust, Report())
            scan_log(tmp_path / "tiles", verified, trust, Report())
            retirements += len(verified.evidence.retirements)
    assert retirements >= 4
    assert any(row.wh for row in claims)
