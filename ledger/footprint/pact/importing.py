"""A supplier's footprint as a document of the log, and as a bill of activities takes it. Pure."""

from __future__ import annotations

from decimal import Decimal
from typing import Any, Final

from ledger.accounting.factors.members import is_decimal
from ledger.accounting.registers.document import Document, DocumentFile
from ledger.footprint.pact.fields import amount
from ledger.footprint.pact.reading import SupplierFootprint
from ledger.footprint.pact.rules import validity

KIND: Final = "pact-footprint"
MEDIA: Final = "application/json"
_TITLE: Final = 200


def document_of(found: SupplierFootprint, *, organisation: str, file_name: str) -> Document:
    """For the register `document`: who has the file can show that it is this one."""
    footprint, (start, end) = found.footprint, validity(found.footprint)
    return Document(
        organisation=organisation,
        title=_short(f"{footprint.product_name_company}, {footprint.company_name}"),
        kind=KIND,
        issuer=_short(footprint.company_name),
        file=DocumentFile(name=file_name, sha256=found.sha256, size=found.size, media=MEDIA),
        issued_s=int(start.timestamp()),
        valid_until_s=int(end.timestamp()) if start < end else None,
        note=_note(found),
    )


def _note(found: SupplierFootprint) -> str:
    figures = found.figures()
    primary = figures["primary_data_share_percent"]
    mass = figures["pcf_excluding_biogenic_uptake"]
    parts = [
        f"PACT {figures['id']}",
        f"{mass} kg CO2e for {figures['amount']} {figures['unit']}",
        f"of {figures['reference_period_start'][:10]} to {figures['reference_period_end'][:10]}",
        figures["geography"],
        figures["gwp"],
        f"primary data {primary} %" if primary else "primary data unsaid",
        figures["status"],
    ]
    return ", ".join(parts)[:500]


def _short(text: str) -> str:
    """As a title may be: in one line, not too long."""
    return "".join(one if one.isprintable() else " " for one in text)[:_TITLE].strip() or "–"


def supplier_of(found: SupplierFootprint, document: str) -> dict[str, Any]:
    """The member `supplier` of an activity (docs/footprints.md), without biogenic uptake; empty
    where the figure is none that a bill takes: below 0, or with too many digits."""
    pcf = found.footprint.pcf
    said = {
        "pcf": _plain(pcf.pcf_excluding_biogenic_uptake),
        "declared_amount": _plain(pcf.declared_unit_amount),
        "primary_share": _plain(pcf.primary_data_share) if pcf.primary_data_share else "",
    }
    if not all(is_decimal(one) for one in said.values() if one):
        return {}
    return {
        "document": document,
        "sha256": found.sha256,
        "pcf": said["pcf"],
        "declared_unit": pcf.declared_unit_of_measurement,
        "declared_amount": said["declared_amount"],
        "primary_share": said["primary_share"],
    }


def _plain(text: str) -> str:
    """`+01.50` → `1.5`."""
    value = amount(text)
    whole = f"{value:f}"
    found = whole.rstrip("0").rstrip(".") if "." in whole else whole
    return found if value != Decimal(0) else "0"
