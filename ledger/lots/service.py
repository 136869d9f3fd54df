"""Giving lots a form: an official instrument that stands for the same energy."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ledger.log.service import Receipt
from ledger.lots import rule
from ledger.parties.desk import Desk, Draft, seal_json


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """An instrument: who issued it, its number or batch, and the hash of its document (or `""`)."""

    issuer: str
    number: str
    document: str = ""


def wrap(desk: Desk, lots: Sequence[bytes], kind: str, form: Form) -> Receipt:
    """Say that an instrument of `kind` (one of `entries.FORMS`) stands for some lots.

    It spends nothing: a lot and its forms are one thing, and are never added up. Raises
    InvalidInput or Refused.
    """
    content = {"issuer": form.issuer, "number": form.number, "document": form.document}
    return desk.append(
        Draft(
            type=rule.WRAP,
            author=desk.log.operator,
            members={"form": kind, "wraps": sorted(lot.hex() for lot in lots)},
            bodies={"body": seal_json(content, "form")},
        )
    )
