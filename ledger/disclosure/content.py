"""What a pack shows of an organisation's year, from the log below a size, as JSON documents.

Published reports are shown as they stand in the log; drafts are computed as of that size.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection

from ledger.accounting.facts import PARK
from ledger.claims import store as claims
from ledger.claims.official import official
from ledger.claims.store import SHORT, ClaimRow
from ledger.disclosure.asked import SHOWN, Asked
from ledger.errors import InvalidInput, NotFound
from ledger.log.store import LogFacts
from ledger.lots.model import span_of
from ledger.parties import store as parties
from ledger.records import store as records
from ledger.registry import catalogue, used
from ledger.registry.schema import retirements
from ledger.registry.scheme import CERTIFICATE, Scheme
from ledger.reports import store as reports
from ledger.reports.changes import INPUTS
from ledger.reports.entries import Computes, compute_of
from ledger.reports.model import FOOTPRINT
from ledger.statements.service import is_confirmed
from ledger.units import Period, format_instant

CLAIMS: Final = "claims.json"
CERTIFICATES: Final = "certificates.json"
CREDITS: Final = "credits.json"
FACTORS: Final = "factors.json"
DOCUMENTS: Final = "documents.json"
ORGANISATION: Final = "organisation.json"
# What the use of a factor always has (the factor library's `use`).
_USE: Final = frozenset({"item", "region", "year", "value", "unit", "source", "status"})

Document = Mapping[str, Any]


@dataclass(frozen=True, slots=True, kw_only=True)
class Content:
    """`documents`: {file name: what it says}. `inputs`: the entries that they rest on."""

    name: str
    period: Period
    documents: Mapping[str, Document]
    inputs: frozenset[int]

    def reports(self, kind: str) -> list[Document]:
        """Those of a kind: {report, entry, as_of, about, result}; `report` is "" for a draft."""
        found: list[Document] = self.documents[SHOWN[kind]]["reports"]
        return found


def gather(
    conn: Connection, log: LogFacts, asked: Asked, as_of: int, computes: Computes
) -> Content:
    """Raises InvalidInput, NotFound, Refused or Erased where something can't be shown."""
    party = parties.current_party(conn, log.log_id, asked.organisation, as_of)
    if party is None:
        raise NotFound(f"party {asked.organisation!r} is not registered among {as_of} entries")
    gathering = _Gathering(conn, log, asked, as_of, computes)
    documents: dict[str, Document] = {
        ORGANISATION: {
            "log": log.origin,
            "organisation": party.party,
            "name": party.name,
            "year": asked.year,
            "from": format_instant(gathering.period.start_s),
            "to": format_instant(gathering.period.end_s),
            "zone": log.zone,
            "as_of": as_of,
        },
        **gathering.reports(),
        CLAIMS: {"claims": gathering.claims()},
        **gathering.retirements(),
        DOCUMENTS: {"documents": gathering.documents()},
    }
    documents[FACTORS] = {"factors": _factors(documents)}
    return Content(
        name=party.name,
        period=gathering.period,
        documents=documents,
        inputs=frozenset({party.entry_index, *gathering.inputs}),
    )


def is_of(version: reports.Version, about: Mapping[str, Any], organisation: str) -> bool:
    """Whether a report is about an organisation: where it names whose it is, that decides, whoever
    published it; else, and for the park as a whole, who did."""
    subject = about.get("subject", PARK)
    return bool((version.author if subject == PARK else subject) == organisation)


class _Gathering:
    def __init__(
        self, conn: Connection, log: LogFacts, asked: Asked, as_of: int, computes: Computes
    ) -> None:
        self._conn = conn
        self._log = log
        self._asked = asked
        self._as_of = as_of
        self._computes = computes
        self.period = span_of(asked.year, log.zone_s)
        self.inputs: set[int] = set()
        self._claims = [
            row
            for row in claims.find_claims(conn, log.log_id, as_of=as_of)
            if row.author == asked.organisation
            and row.in_force
            and Period(start_s=row.start_s, end_s=row.end_s).overlaps(self.period)
        ]

    # Reports

    def reports(self) -> dict[str, Document]:
        found: dict[str, list[Document]] = {kind: [] for kind in SHOWN}
        for report in self._asked.reports:
            kind, one = self._published(report)
            found[kind].append(one)
        for kind, about in self._asked.drafts:
            found[kind].append(self._draft(kind, about))
        return {SHOWN[kind]: {"reports": each} for kind, each in found.items()}

    def _published(self, report: str) -> tuple[str, Document]:
        """The version in force below the size."""
        asked = self._asked
        version = next(
            (
                one
                for one in reversed(reports.versions(self._conn, self._log.log_id, report))
                if one.entry_index < self._as_of
            ),
            None,
        )
        if version is None:
            raise NotFound(f"there is no report {report} among {self._as_of} entries")
        said = reports.load(self._conn, self._log, version)
        if version.kind not in SHOWN or not is_of(version, said["about"], asked.organisation):
            raise InvalidInput(
                f"report {report}, {version.kind} by {version.author}, is not about"
                f" {asked.organisation}, or of none of the kinds {', '.join(SHOWN)}"
            )
        self.inputs.add(version.entry_index)
        return version.kind, {
            "report": report,
            "entry": version.entry_index,
            "as_of": version.as_of,
            "about": said["about"],
            "result": said["result"],
        }

    def _draft(self, kind: str, about: Mapping[str, Any]) -> Document:
        # Before anything is computed: what is wrong with somebody else's stays untold.
        if self._whose(kind, about) != self._asked.organisation:
            raise InvalidInput(f"a pack of {self._asked.organisation} shows nobody else's {kind}")
        result = compute_of(self._computes, kind)(self._conn, self._log, about, self._as_of)
        self.inputs |= {one["entry"] for one in result[INPUTS]}
        return {"report": "", "entry": -1, "as_of": self._as_of, "about": about, "result": result}

    def _whose(self, kind: str, about: Mapping[str, Any]) -> str:
        """Of a product it is its maker's; what asks for nobody is the park's."""
        subject = about.get("subject", PARK)
        if kind == FOOTPRINT:
            made = records.last(
                self._conn, self._log.log_id, "product", str(about.get("product", ""))
            )
            return made.author if made else ""
        return str(self._log.operator if subject == PARK else subject)

    # Claims

    def claims(self) -> list[Document]:
        return [self._claim(row) for row in self._claims]

    def _claim(self, row: ClaimRow) -> Document:
        self.inputs.add(row.entry_index)
        return {
            "id": row.claim.hex(),
            "entry": row.entry_index,
            "state": "short" if row.flag == SHORT else "in force",
            "official": official(self._conn, self._log, row, self._as_of).to_json(),
            **row.manifest.to_json(),
        }

    # Certificates and credits

    def retirements(self) -> dict[str, Document]:
        """What was retired for the organisation, for a use in the year: certificates stand for
        energy, all else is credits and records, which never count as energy."""
        schemes = catalogue.current_schemes(self._conn, self._log.log_id, self._as_of)
        in_claim = {
            one.retirement: (row, one.wh)
            for row in self._claims
            for one in row.manifest.certificates
        } | {one.retirement: (row, 0) for row in self._claims for one in row.manifest.credits}
        certificates: list[Document] = []
        credits_: list[Document] = []
        for row in used.find_retirements(
            self._conn,
            self._log.log_id,
            retirements.c.beneficiary == self._asked.organisation,
            retirements.c.entry_index < self._as_of,
        ):
            if not row.use.period.overlaps(self.period):
                continue
            rules = schemes[row.scheme].rules
            self.inputs |= {row.entry_index, schemes[row.scheme].entry_index}
            claim, wh = in_claim.get(row.retirement, (None, 0))
            one = {
                **self._retirement(row, rules),
                "claim": "" if claim is None else claim.claim.hex(),
            }
            if rules.kind == CERTIFICATE:
                certificates.append({**one, "counted_wh": wh})
            else:
                credits_.append(one)
        return {CERTIFICATES: {"retirements": certificates}, CREDITS: {"retirements": credits_}}

    def _retirement(self, row: used.RetirementRow, rules: Scheme) -> Document:
        said = is_confirmed(
            self._conn,
            self._log.log_id,
            row.scheme,
            [(one.batch.code, one.units) for one in row.gone],
            parties={row.author, row.use.beneficiary},
            custodian=self._log.operator,
            as_of=self._as_of,
        )
        return {
            "id": row.retirement.hex(),
            "entry": row.entry_index,
            "scheme": row.scheme,
            "name": rules.name,
            "kind": rules.kind,
            "class": row.class_,
            "units": row.units,
            "unit_size": rules.unit_size,
            "unit": rules.unit,
            "purpose": row.use.purpose,
            "from": format_instant(row.use.period.start_s),
            "to": format_instant(row.use.period.end_s),
            "batches": [
                {"code": one.batch.code, "first": one.units.first, "end": one.units.end}
                for one in row.gone
            ],
            "official": {
                "confirmed_units": said.confirmed,
                "as_of": said.as_of,
                "status": "final" if said.final else "pending official cancellation",
            },
            "rules": {"source": rules.source, "status": rules.status},
        }

    # Documents

    def documents(self) -> list[Document]:
        """What the organisation registered, by hash; the files stay with who has them."""
        found = records.current(
            self._conn,
            self._log.log_id,
            "document",
            as_of=self._as_of,
            author=self._asked.organisation,
        )
        self.inputs |= {one.entry_index for one in found.values()}
        return [
            {"id": name, "entry": one.entry_index, **one.content} for name, one in found.items()
        ]


def _factors(documents: Mapping[str, Document]) -> list[Document]:
    """Every factor that some figure uses, each once, in the order of what it says."""
    found = {repr(sorted(one.items())): one for one in _uses(documents)}
    return [found[key] for key in sorted(found)]


def _uses(value: Any) -> Iterator[Document]:
    if isinstance(value, Mapping):
        if value.keys() >= _USE:
            yield value
        for one in value.values():
            yield from _uses(one)
    elif isinstance(value, list):
        for one in value:
            yield from _uses(one)
