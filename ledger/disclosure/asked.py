"""What a pack is asked to show: an organisation, a year, and which reports. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from ledger.errors import InvalidInput
from ledger.log import entry as e
from ledger.log.entry import Member, check_members
from ledger.lots.model import is_period
from ledger.reports.model import BALANCE, FOOTPRINT, INVENTORY, SCORECARD

# Reports that a pack shows, in its order, and the file of each kind.
SHOWN: Final[Mapping[str, str]] = {
    INVENTORY: "inventory.json",
    BALANCE: "balance.json",
    FOOTPRINT: "footprints.json",
    SCORECARD: "scorecard.json",
}
FILES: Final = "files"
# Of the files that the log recomputes: what stands in which, to the byte. Another one gets another
# name, and what was disclosed before is still computed as it was.
FORMAT: Final = "greenledger-disclosure/v1"
REPORTS_MAX: Final = 10_000
_YEAR: Final = Member(
    expected="a year such as 2026", check=lambda value: is_period(value) and len(value) == 4
)
_REPORTS: Final = Member(
    expected=f"an array of at most {REPORTS_MAX} ids of reports, sorted, none twice",
    check=lambda value: (
        isinstance(value, list)
        and len(value) <= REPORTS_MAX
        and all(map(e.ID.check, value))
        and value == sorted(set(value))
    ),
)
_DRAFTS: Final = Member(
    expected="an array of {kind, about}",
    check=lambda value: (
        isinstance(value, list)
        and len(value) <= REPORTS_MAX
        and all(isinstance(one, dict) and set(one) == {"kind", "about"} for one in value)
    ),
)
_ANYTHING: Final = Member(expected="an array", check=lambda value: isinstance(value, list))
_MEMBERS: Final[Mapping[str, Member]] = {
    "format": e.one_of(FORMAT),
    "organisation": e.PARTY,
    "year": _YEAR,
    "reports": _REPORTS,
    "drafts": _DRAFTS,
    # Hashes of files that nobody recomputes: the author's word.
    FILES: _ANYTHING,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """`reports`: published ones, by id. `drafts`: (kind, about) of those that are computed anew."""

    organisation: str
    year: str
    reports: Sequence[str] = ()
    drafts: Sequence[tuple[str, Mapping[str, Any]]] = ()

    @classmethod
    def of(cls, organisation: str, year: str, reports: Sequence[str] = ()) -> Asked:
        """Without drafts. Raises InvalidInput."""
        asked = {"format": FORMAT, "organisation": organisation, "year": year, "drafts": []}
        return cls.from_json({**asked, "reports": sorted(set(reports))})

    def to_json(self) -> dict[str, Any]:
        return {
            "format": FORMAT,
            "organisation": self.organisation,
            "year": self.year,
            "reports": sorted(self.reports),
            "drafts": [{"kind": kind, "about": dict(about)} for kind, about in self.drafts],
        }

    @classmethod
    def from_json(cls, about: Mapping[str, Any]) -> Asked:
        """Of `about`, whose `files` count nothing here. Raises InvalidInput."""
        check_members({FILES: [], **about}, _MEMBERS)
        drafts = [(one["kind"], one["about"]) for one in about["drafts"]]
        for kind, said in drafts:
            if kind not in SHOWN or not isinstance(said, dict):
                known = ", ".join(SHOWN)
                raise InvalidInput(f"a pack shows reports of the kinds {known}, not {kind!r}")
        return cls(
            organisation=about["organisation"],
            year=about["year"],
            reports=tuple(about["reports"]),
            drafts=tuple(drafts),
        )
