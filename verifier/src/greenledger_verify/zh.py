"""Chinese sentences by their English template. A test keeps the table complete."""

from typing import Final

from greenledger_verify.zh_erasures import ERASURES
from greenledger_verify.zh_evidence import EVIDENCE
from greenledger_verify.zh_evidence_reasons import EVIDENCE_REASONS
from greenledger_verify.zh_logkeys import LOG_KEYS
from greenledger_verify.zh_lots import LOTS
from greenledger_verify.zh_officers import OFFICERS
from greenledger_verify.zh_pack import PACK
from greenledger_verify.zh_reasons import REASONS
from greenledger_verify.zh_records import RECORDS
from greenledger_verify.zh_report import REPORT
from greenledger_verify.zh_succession import SUCCESSION
from greenledger_verify.zh_trust import TRUST
from greenledger_verify.zh_unit_reasons import UNIT_REASONS
from greenledger_verify.zh_units import UNITS

CHINESE: Final[dict[str, str]] = {
    **REPORT,
    **REASONS,
    **LOG_KEYS,
    **LOTS,
    **UNITS,
    **UNIT_REASONS,
    **OFFICERS,
    **RECORDS,
    **ERASURES,
    **SUCCESSION,
    **EVIDENCE,
    **EVIDENCE_REASONS,
    **TRUST,
    **PACK,
}
