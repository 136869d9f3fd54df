"""The hand-broken evidence files: each refused at the step, and with the message, of the table."""

import io
import json

import pytest

from greenledger_verify.explain_evidence import judge_evidence
from greenledger_verify.failure import VerificationError
from greenledger_verify.report import Report
from greenledger_verify.text import Language
from greenledger_verify.trust import trust_of
from greenledger_verify.zh import CHINESE
from tests.verifier.break_evidence import CASES, FOLDER, TABLE, file_of, table
from tests.verifier.forge import LOG

TRUST = trust_of([LOG.vkey])
ROWS = json.loads(TABLE.read_text(encoding="utf-8"))


def refusal(raw: bytes, language: Language) -> tuple[VerificationError, Report]:
    report = Report(language=language)
    with pytest.raises(VerificationError) as caught:
        judge_evidence(io.BytesIO(raw), None, None, TRUST, report)
    return caught.value, report


@pytest.mark.parametrize("name", ROWS)
def test_refused(name: str) -> None:
    row, raw = ROWS[name], file_of(name).read_bytes()
    error, report = refusal(raw, "en")
    assert row["message"] in str(error)
    assert row["step"] in str(error.step)
    assert error.exit_code == row["exit"]
    assert not report.lines
    if row["step"]:
        assert not report.steps[-1].ok
        assert all(step.ok for step in report.steps[:-1])
    chinese, report = refusal(raw, "zh")
    said = chinese.render("zh")
    assert said != str(error)
    assert chinese.reason.template in CHINESE
    assert any("\u4e00" <= letter <= "\u9fff" for letter in said)
    assert not report.steps or report.steps[-1].ok or report.steps[-1].why == said


@pytest.mark.parametrize("name", CASES)
def test_the_files_are_what_the_script_makes(name: str) -> None:
    assert file_of(name).read_bytes() == CASES[name].raw


def test_the_table_is_what_the_script_makes() -> None:
    assert TABLE.read_text(encoding="utf-8") == table()
    assert {path.name for path in FOLDER.iterdir()} == {
        TABLE.name,
        *(file_of(name).name for name in CASES),
    }
    assert len(CASES) >= 45
