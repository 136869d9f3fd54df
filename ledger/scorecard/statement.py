"""“Zero-carbon” (clause 3.1): said of a regime, a boundary and a period, or not at all. Pure.

The guideline means CO2 brought down to nearly zero, able to go on to net zero; it gives no number,
so what was left and what stands beside it are part of the sentence. Offsets are never taken off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ledger.errors import InvalidInput, Refused
from ledger.scorecard.standard import Texts
from ledger.units import TONNES, exactly


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """`regime`, `boundary`, `period`: as they are printed. `coverage`: gases of the figure. Masses
    in g; `offsets_g` stands apart. `pending_wh`: claimed, but not officially confirmed."""

    regime: str
    boundary: str
    period: str
    coverage: tuple[str, ...]
    emissions_g: int
    offsets_g: int = 0
    pending_wh: int = 0

    def __post_init__(self) -> None:
        missing = [
            name for name in ("regime", "boundary", "period") if not getattr(self, name).strip()
        ]
        if missing or not self.coverage:
            lacks = ", ".join([*missing, *([] if self.coverage else ["coverage"])])
            raise InvalidInput(
                f"“zero-carbon” is said with regime, boundary, period and the gases covered, or not"
                f" at all; missing: {lacks}"
            )
        if self.offsets_g < 0 or self.pending_wh < 0:
            raise InvalidInput("offsets and pending energy are not negative")


def zero_carbon_statement(
    regime: str,
    boundary: str,
    period: str,
    *,
    coverage: tuple[str, ...],
    emissions_g: int,
    offsets_g: int = 0,
    pending_wh: int = 0,
) -> Texts:
    """What may be printed of a park that calls itself zero-carbon. Raises InvalidInput where
    regime, boundary, period or coverage is missing."""
    said = Said(
        regime=regime,
        boundary=boundary,
        period=period,
        coverage=coverage,
        emissions_g=emissions_g,
        offsets_g=offsets_g,
        pending_wh=pending_wh,
    )
    gases = "; ".join(coverage)
    left, apart = exactly(emissions_g, TONNES), exactly(offsets_g, TONNES)
    pending = exactly(pending_wh, ((1_000_000, "MWh"), (1000, "kWh"), (1, "Wh")))
    return Texts(
        zh=f"零碳声明：口径 {said.regime}，边界 {said.boundary}，期间 {said.period}；排放"
        f" {left}（{gases}）；抵销 {apart}，单列，未扣除"
        + (f"；其中 {pending} 待官方核销" if pending_wh else ""),
        en=f"zero-carbon claim: regime {said.regime}, boundary {said.boundary}, period"
        f" {said.period}; emissions {left} ({gases}); offsets {apart}, on a line of their own, not"
        " taken off" + (f"; {pending} pending official cancellation" if pending_wh else ""),
    )


def statement_of(report: Mapping[str, Any], regime: str, boundary: str) -> Texts:
    """The sentence for a report of kind inventory or balance, under a regime that it has.

    Raises Refused for another report, or a regime that it lacks or that sums no emissions.
    """
    figures = {one["id"]: one for one in report["result"].get("regimes", ())}
    if regime not in figures:
        known = ", ".join(figures) or "none: it is no inventory and no balance"
        raise Refused(
            f"“zero-carbon” is said under a regime that the report was made under, not {regime!r};"
            f" it has: {known}"
        )
    figure, result = figures[regime], report["result"]
    return zero_carbon_statement(
        f"{regime} ({figure['status']})",
        boundary,
        f"{result['from']} – {result['to']}",
        coverage=tuple(figure["total"]["label"].split("; ")) if figure["total"]["label"] else (),
        emissions_g=figure["total"]["mass_g"],
        offsets_g=figure["offsets"]["retired_g"],
        pending_wh=sum(line["pending_wh"] for line in figure["lines"]),
    )
