"""Chinese sentences by their English template. A test keeps the table complete."""

from typing import Final

from greenledger_verify.zh_evidence import EVIDENCE
from greenledger_verify.zh_evidence_reasons import EVIDENCE_REASONS
from greenledger_verify.zh_lots import LOTS
from greenledger_verify.zh_reasons import REASONS
from greenledger_verify.zh_report import REPORT

CHINESE: Final[dict[str, str]] = {**REPORT, **REASONS, **LOTS, **EVIDENCE, **EVIDENCE_REASONS}
