"""What only the log shows of evidence: single use and status; and the command as it is typed."""

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
from tests.verifier.forge import LOG, MALLORY, OPERATOR, leaf
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
        "approval",
        "provenance",
        "time bracket",
        "single use",
        "independent witnesses",
        "share of Wh opened",
        "certificates",
        "credits",
        "status",
    ):
        assert f"\n{name}: " in said
    assert cli.main([*arguments, "--lang", "zh", "--json"]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert set(answer["lines"]) == {
        "integrity",
        "approval",
        "provenance",
        "time_bracket",
        "single_use",
        "witnesses",
        "authorities",
        "share_opened",
        "certificates",
        "credits",
        "status",
    }
    assert "未证实单次使用" in answer["lines"]["single_use"]["text"][0]
    assert cli.main([*arguments, "--seed", "xyz"]) == 2
    assert cli.main(["evidence", str(tmp_path / "none"), "--vkey", LOG.vkey]) == 2
    assert cli.main(["evidence", str(file)]) == 2
    assert cli.main(["evidence", str(tmp_path), "--vkey", LOG.vkey]) == 2
