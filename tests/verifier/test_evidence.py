"""Good evidence passes and says what it means; what only the log can show, only the log shows."""

import io
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import GRID, LOG, MALLORY, OPERATOR, WITNESS
from tests.verifier.forge_attacks import Small
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_park import (
    MILL,
    MILL_POINT,
    SEED,
    SHOP,
    content,
    good,
)

TRUST = trust_of([LOG.vkey])
PARK = good()


def verify(
    evidence: Evidence | bytes,
    *,
    log: Path | None = None,
    seed: bytes | None = None,
    trust: Any = TRUST,
) -> Report:
    raw = evidence if isinstance(evidence, bytes) else evidence.raw()
    report = Report()
    judge_evidence(io.BytesIO(raw), log, seed, trust, report)
    return report


def good_evidence(claim: str, level: str, **more: Any) -> Evidence:
    chain = [PARK.claims["mill"].entry] if claim == "mill-again" else []
    sampling = {"seed": SEED, "samples": 3} if level == "sampled" else {}
    return PARK.evidence(claim, level, chain=chain, **sampling | more)


def values(report: Report, line: str) -> dict[str, Any]:
    return report.lines[line].values


def words(report: Report) -> str:
    texts = [text for line in report.lines.values() for text in line.texts]
    return "\n".join(map(str, texts + report.established + report.not_established))


# Good files


@pytest.mark.parametrize("claim", ["mill", "shop", "mill-again"])
@pytest.mark.parametrize("level", ["total", "sampled", "full"])
def test_good(claim: str, level: str) -> None:
    report = verify(good_evidence(claim, level))
    total = PARK.claims[claim].total
    assert values(report, "share_opened")["claimed_wh"] == total
    assert values(report, "integrity")["level"] == level
    assert values(report, "single_use") == {
        "established": False,
        "by": "",
        "as_of": 0,
        "auditing_witnesses": [],
        "outside_excluded": False,
    }
    said = words(report)
    assert f"claims {total:,} Wh of green power from 2026-01-31T16:00:00Z" in said
    assert "single use NOT established" in said
    assert "use outside of this ledger can never be excluded" in said
    assert "That the meters told the truth." in said
    assert "0 independent witnesses" in said
    assert "no time-stamp and no witness brackets it" in said


def test_total() -> None:
    report = verify(good_evidence("mill", "total"))
    assert len(report.steps) == 7
    assert "asserted, committed" in words(report)
    assert values(report, "provenance")["supply_wh"] == dict.fromkeys(
        ("meter", "gateway", "party", "operator"), 0
    )


def test_full() -> None:
    report = verify(good_evidence("mill-again", "full"))
    total = PARK.claims["mill-again"].total
    assert len(report.steps) == 11
    assert values(report, "share_opened")["opened_wh"] == total
    assert values(report, "provenance")["supply_wh"]["meter"] == total
    said = words(report)
    assert "Claimed as storage: 220 Wh." in said
    assert "Claimed as green trade: 1,205 Wh." in said
    assert "It replaces the claim" in said
    assert "green when it was stored" in said
    assert "100.00 %" in said


def test_sampled() -> None:
    report = verify(good_evidence("mill", "sampled"))
    share = values(report, "share_opened")
    assert share["detection_percent"] == {"1 %": "2.97", "5 %": "14.26", "10 %": "27.10"}
    assert not share["seed_named_by_verifier"]
    assert "NOT established that the verifier named the seed" in words(report)
    assert 0 < share["opened_wh"] < share["claimed_wh"]
    assert "storage 220 Wh, green trade 1,205 Wh is the claimant's word" in words(report)
    assert "Anything about the quarter-hours that are not opened." in words(report)
    report = verify(good_evidence("mill", "sampled"), seed=SEED)
    assert values(report, "share_opened")["seed_named_by_verifier"]
    with pytest.raises(VerificationError, match="you named 00") as caught:
        verify(good_evidence("mill", "sampled"), seed=bytes(32))
    assert "seed that you named" in str(caught.value.step)


def test_a_seed_that_plays_no_part() -> None:
    report = verify(good_evidence("mill", "total"), seed=SEED)
    assert "a file of the level total has no samples" in words(report)


def test_many_samples_open_all() -> None:
    report = verify(good_evidence("mill", "sampled", samples=300))
    assert values(report, "share_opened")["quarter_hours"] == 8
    assert values(report, "share_opened")["detection_percent"]["5 %"] == "99.99"


def test_endorsers() -> None:
    toml = f'[[log]]\norigin = "{forge.ORIGIN}"\nvkey = "{LOG.vkey}"\n'
    pinned = toml + f'[[endorser]]\nparty = "grid"\nvkey = "{GRID.vkey}"\n'
    report = verify(good_evidence("shop", "full"), trust=trust_of([], pinned.encode()))
    (endorser,) = values(report, "provenance")["endorsers"]
    assert (endorser["party"], endorser["pinned"], endorser["wh"]) == ("grid", True, 2400)
    assert values(report, "provenance")["pinned_wh"] == 2400
    assert "by a key that you pinned" in words(report)
    other = toml + f'[[endorser]]\nparty = "grid"\nvkey = "{MALLORY.vkey}"\n'
    report = verify(good_evidence("shop", "full"), trust=trust_of([], other.encode()))
    assert not values(report, "provenance")["endorsers"][0]["pinned"]
    assert "you have not pinned" in words(report)


@pytest.mark.parametrize("text", ["endorser = 1", "[[endorser]]\nparty = 1\nvkey = 'x'", "[[x]]"])
def test_trust_files(text: str) -> None:
    toml = f'[[log]]\norigin = "{forge.ORIGIN}"\nvkey = "{LOG.vkey}"\n'
    with pytest.raises(UnusableInput):
        trust_of([], f"{text}\n{toml}".encode() if "=" in text[:12] else (toml + text).encode())


def test_provenance_by_the_operator() -> None:
    """A batch that the operator sent: its server's key, whatever key the farm has."""
    made = Small()
    made.sender = OPERATOR
    made.read().divide()
    report = verify(made.claim().evidence())
    assert values(report, "provenance")["supply_wh"]["operator"] == 1000


def test_witnesses() -> None:
    evidence = good_evidence("mill", "full")
    line = WITNESS.cosignature_line(PARK.log.checkpoint_text(), forge.START)
    evidence.head["checkpoint"] += line.decode()
    report = verify(evidence, trust=trust_of([LOG.vkey, WITNESS.vkey_of(4)]))
    assert values(report, "witnesses") == {
        "count": 1,
        "names": [WITNESS.name],
        "auditing": [],
    }
    assert values(report, "time_bracket")["not_after"] == "2026-01-01T00:00:00Z"
    assert values(verify(evidence), "witnesses")["count"] == 0


def test_two_months() -> None:
    """A claim of January and February; its cells lie in the second month."""
    made = Small().read()
    made.divide()
    sun, mill = (made.park.lots[name].id for name in ("sun-mill", "mill-2"))
    january = 31 * 96
    cells = {january + 41: {sun: 500, mill: 500}, january + 42: {sun: 300, mill: 300}}
    made.claim(months=["2026-01", "2026-02"], cells=cells, by_class={2: 800})
    for level in ("total", "full"):
        report = verify(made.evidence(level))
        assert values(report, "share_opened")["claimed_wh"] == 800
    report = verify(made.evidence("sampled", seed=SEED, samples=20))
    assert values(report, "share_opened")["opened_wh"] == 800


def test_of_a_point_that_was_registered_again() -> None:
    """By its new owner, who claims; the batch before was sent by the old one."""
    made = Small().read()
    park = made.park
    first = park.bodies[MILL_POINT][0]
    body = forge.json_body(content(MILL_POINT, owner="shop"), "handed over")
    again = park.log.point(author=MILL, body=body, point=MILL_POINT, replaces=park.log.id_of(first))
    park.bodies[MILL_POINT] = again, body
    made.divide()
    made.claim(signer=SHOP, points=[MILL_POINT])
    report = verify(made.evidence())
    assert "an earlier registration of them is not opened" in words(report)
