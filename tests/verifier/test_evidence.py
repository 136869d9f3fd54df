"""Good evidence passes and says what it means; what only the log can show, only the log shows."""

import io
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from greenledger_verify import cli
from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import UnusableInput, VerificationError
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from tests.verifier import forge
from tests.verifier.forge import GRID, LOG, MALLORY, OPERATOR, WITNESS, leaf
from tests.verifier.forge_attacks import Small, claimed
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_park import (
    MILL,
    MILL_POINT,
    SEED,
    SHOP,
    SUN,
    WIND,
    content,
    divided,
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
        "as_of": 0,
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
    assert values(report, "witnesses") == {"count": 1, "names": [WITNESS.name]}
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


# With the log


def test_with_the_log(tmp_path: Path) -> None:
    report = verify(good_evidence("mill-again", "full"), log=PARK.log.export(tmp_path))
    assert len(report.steps) == 14
    assert values(report, "single_use")["established"]
    assert values(report, "status")["state"] == "in-force"
    said = words(report)
    assert "single use established in this log, as of 34 entries" in said
    assert "in force, not short, as of 34 entries" in said
    assert "single use NOT established" not in said


def test_the_log_may_have_grown(tmp_path: Path) -> None:
    park = divided()
    park.claim("shop", SHOP, ["sun-shop", "shop-2"])
    evidence = park.evidence("shop")
    for _ in range(300):
        park.log.tick()
    report = verify(evidence, log=park.log.export(tmp_path))
    assert values(report, "status")["as_of"] == len(park.log.entries)
    assert f"as of {len(park.log.entries)} entries" in words(report)


def test_a_log_that_is_older(tmp_path: Path) -> None:
    size = len(PARK.log.entries) - 1
    with pytest.raises(VerificationError, match="bring a newer one"):
        verify(good_evidence("shop", "full"), log=PARK.log.export(tmp_path, size=size))


def test_another_log_of_the_same_key(tmp_path: Path) -> None:
    """The operator shows two logs: the evidence's is not the beginning of the other."""
    other = divided()
    for _ in range(30):
        other.log.tick()
    with pytest.raises(VerificationError, match="but the checkpoint says") as caught:
        verify(good_evidence("shop", "full"), log=other.log.export(tmp_path))
    assert "is the beginning of that in the directory" in str(caught.value.step)


def test_an_entry_of_the_directory_is_changed(tmp_path: Path) -> None:
    folder = PARK.log.export(tmp_path)
    (bundle,) = (folder / "tile/entries").iterdir()
    (file,) = bundle.iterdir()
    file.write_bytes(file.read_bytes().replace(b"sealed", b"seaIed"))
    with pytest.raises(VerificationError, match="have the root"):
        verify(good_evidence("shop", "full"), log=folder)


def test_no_log_there(tmp_path: Path) -> None:
    with pytest.raises(UnusableInput):
        verify(good_evidence("shop", "full"), log=tmp_path / "nothing")
    with pytest.raises(UnusableInput, match="not a tile directory"):
        verify(good_evidence("shop", "full"), log=tmp_path)


Act = Callable[[Small], object]


def division_again(made: Small) -> None:
    again = made.park.origin(SUN, made.farm_batch)
    made.lot("again", again, {41: 500})
    made.divide([again])


def lot_again(made: Small) -> None:
    made.park.claim("other", SHOP, ["sun-mill", "mill-2"], points=[MILL_POINT])


def replaced_twice(made: Small) -> None:
    first = made.park.claims["mill"]
    for name in ("second", "third"):
        made.park.claim(name, MILL, [], inherited=first.lots, replaces=first.name)


def spent_by_a_bad_signature(made: Small) -> None:
    """The signature is by nobody: it counts all the same."""
    made.park.claim("bad", MALLORY, ["sun-mill"], points=[MILL_POINT])


def wrapped_twice(made: Small) -> None:
    lots = [made.park.lots["sun-mill"].id.hex()]
    for _ in range(2):
        log = made.park.log
        body = forge.reference(bytes(40), "form+json")
        log.add(log.statement("lot.wrap", "operator", form="gec", wraps=lots, body=body), OPERATOR)


def created_again(made: Small) -> None:
    other = made.park.origin(WIND, made.farm_batch)
    other.metered = {}
    made.park.lots = {"x": made.park.lots["sun-mill"]}
    made.park.lots["x"].key = b""
    made.park.lots["x"].origin = other.name
    made.divide([other])


def hidden_type(made: Small) -> None:
    """The type is written with an escape, so that a search for its name would not find it."""
    lot_again(made)
    entries = made.park.log.entries
    text = entries[-1].partition(b"\n\n")[0] + b"\n"
    text = text.replace(b'"claim.make"', b'"cl\\u0061im.make"')
    entries[-1] = forge.note(text, SHOP)


def registered_anew(made: Small) -> None:
    """The mill's meter was handed to the shop before the claim: the file opens the older one."""
    park = made.park
    del park.log.entries[-2:]
    park.log.time_s += 900
    body = forge.json_body(content(MILL_POINT, owner="shop"), "handed over")
    first = park.bodies[MILL_POINT][0]
    park.log.point(author=MILL, body=body, point=MILL_POINT, replaces=park.log.id_of(first))
    made.claim()


USED: list[tuple[str, Act, str]] = [
    ("an origin divided again", division_again, "was divided before, by entry"),
    ("a lot spent again", lot_again, "was spent before, by entry"),
    ("replaced by two claims", replaced_twice, "is not in force: replaced by entry"),
    ("a bad signature", spent_by_a_bad_signature, "was spent before, by entry"),
    ("wrapped twice", wrapped_twice, "has a wrap of the form gec already"),
    ("a lot created again", created_again, "was created before, by entry"),
    ("a hidden type", hidden_type, "was spent before, by entry"),
    ("registered anew", registered_anew, "was registered anew before the claim"),
]


@pytest.mark.parametrize(("act", "rule"), [u[1:] for u in USED], ids=[u[0] for u in USED])
def test_used_a_second_time(act: Act, rule: str, tmp_path: Path) -> None:
    """The file alone is good; the log shows the other use."""
    made = claimed()
    evidence = made.evidence()
    act(made)
    if act is registered_anew:
        evidence = made.evidence()
    report = verify(evidence)
    assert "single use NOT established" in words(report)
    with pytest.raises(VerificationError, match=rule) as caught:
        verify(evidence, log=made.park.log.export(tmp_path))
    assert "In the whole log no origin is divided twice" in str(caught.value.step)


def test_over_a_withdrawn_claims_lots(tmp_path: Path) -> None:
    """Withdrawn lots stay spent: neither spending them again nor replacing the claim helps."""
    for replaces in (False, True):
        made = claimed()
        first = made.park.claims["mill"]
        withdrawn(made)
        if replaces:
            made.park.claim("second", MILL, [], inherited=first.lots, replaces=first.name)
        else:
            made.park.claim("second", MILL, ["sun-mill", "mill-2"])
        chain = [first.entry] if replaces else []
        evidence = made.evidence(claim="second", chain=chain)
        verify(evidence)
        rule = "not in force: withdrawn by entry" if replaces else "was spent before, by entry"
        with pytest.raises(VerificationError, match=rule):
            verify(evidence, log=made.park.log.export(tmp_path / str(replaces)))


def withdrawn(made: Small) -> None:
    log, claim = made.park.log, made.park.claims["mill"].name
    log.add(log.statement("claim.withdraw", "mill", claim=claim, reason="mistaken"), MILL)


def replaced(made: Small) -> None:
    first = made.park.claims["mill"]
    made.park.claim("second", MILL, [], inherited=first.lots, replaces=first.name)


def short(made: Small) -> None:
    log, claim = made.park.log, made.park.claims["mill"].name
    because = leaf(log.entries[0]).hex()
    log.add(
        log.statement("claim.flag", "operator", claim=claim, state="short", because=because),
        OPERATOR,
    )


def cured(made: Small) -> None:
    short(made)
    log, claim = made.park.log, made.park.claims["mill"].name
    because = leaf(log.entries[0]).hex()
    log.add(
        log.statement("claim.flag", "operator", claim=claim, state="cured", because=because),
        OPERATOR,
    )


@pytest.mark.parametrize(
    ("act", "state", "why"),
    [
        (withdrawn, "withdrawn", "withdrawn by entry 25"),
        (replaced, "replaced", "replaced by entry 26"),
        (short, "short", "is short, as entry 25 says"),
    ],
)
def test_no_longer_in_force(
    act: Act, state: str, why: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    made = claimed()
    file = tmp_path / "mill.evidence.json"
    file.write_bytes(made.evidence().raw())
    act(made)
    folder = str(made.park.log.export(tmp_path / "log"))
    arguments = ["evidence", str(file), "--vkey", LOG.vkey, "--log", folder]
    assert cli.main([*arguments, "--lang", "en", "--json"]) == 1
    answer = json.loads(capsys.readouterr().out)
    assert not answer["ok"]
    assert why in answer["why"]
    assert answer["lines"]["status"]["state"] == state
    assert answer["lines"]["integrity"]["holds"]
    assert cli.main([*arguments, "--lang", "en"]) == 1
    assert "Does NOT hold any more: the claim" in capsys.readouterr().out
    assert cli.main([*arguments, "--lang", "zh"]) == 1
    assert "已不再成立" in capsys.readouterr().out
    assert cli.main(["evidence", str(file), "--vkey", LOG.vkey, "--lang", "en"]) == 0
    assert "single use NOT established" in capsys.readouterr().out


def test_cured(tmp_path: Path) -> None:
    made = claimed()
    evidence = made.evidence()
    cured(made)
    report = verify(evidence, log=made.park.log.export(tmp_path))
    assert values(report, "status")["state"] == "in-force"


# The command


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mill.evidence.json"
    file.write_bytes(good_evidence("mill", "sampled").raw())
    arguments = ["evidence", str(file), "--vkey", LOG.vkey]
    assert cli.main([*arguments, "--seed", SEED.hex(), "--lang", "en"]) == 0
    said = capsys.readouterr().out
    for name in (
        "integrity",
        "provenance",
        "time bracket",
        "single use",
        "independent witnesses",
        "share of Wh opened",
        "status",
    ):
        assert f"\n{name}: " in said
    assert cli.main([*arguments, "--lang", "zh", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["lines"]) == {
        "integrity",
        "provenance",
        "time_bracket",
        "single_use",
        "witnesses",
        "share_opened",
        "status",
    }
    assert "未证实单次使用" in answer["lines"]["single_use"]["text"][0]
    assert cli.main([*arguments, "--seed", "xyz"]) == 2
    assert cli.main(["evidence", str(tmp_path / "none"), "--vkey", LOG.vkey]) == 2
    assert cli.main(["evidence", str(file)]) == 2
    assert cli.main(["evidence", str(tmp_path), "--vkey", LOG.vkey]) == 2
