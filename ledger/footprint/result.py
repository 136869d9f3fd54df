"""The result of a footprint: all that a GB/T 24067 report and a PACT document say. Pure.

Masses are integer mg of one declared unit, or exact decimals in kg; shares are integer ppm.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from ledger.accounting.lines import decimal
from ledger.footprint import members as m
from ledger.footprint.calculating import LEVELS, Footprint, kg_of
from ledger.footprint.lines import Line

# What the record says that a report repeats.
_SAID: Final = (
    "name",
    "description",
    "ids",
    "classifications",
    "unit",
    "amount",
    "mass_kg",
    "fossil_carbon_kg",
    "biogenic_carbon_kg",
    "boundary",
    "geography",
    "region",
    "standards",
    "rules",
    "cut_off",
    "uncertainty",
    "limitations",
)


def to_json(found: Footprint) -> dict[str, Any]:
    content = found.product.content
    return {
        "product": {name: content[name] for name in _SAID},
        "declared_units": decimal(found.declared_units),
        "allocation": _allocation(found),
        "lines": [one.to_json() for one in found.lines],
        "stages": [
            {"id": stage, "co2e_mg": mg, "share_ppm": _ppm(mg, found.total_mg)}
            for stage, mg in found.stages_mg.items()
        ],
        "gases": _gases(found.lines),
        "totals": _totals(found),
        "coverage": _coverage(found.lines),
        "electricity": _electricity(found),
        "data_quality": {
            name: decimal(Fraction(round(found.rating(name) * 100), 100))
            for name in ("technology", "place", "time")
        },
        "primary_ppm": round(found.primary_mg / (found.gross_mg or 1) * m.PPM),
    }


def _ppm(part: int, whole: int) -> int:
    return round(Fraction(part, whole) * m.PPM) if whole else 0


def _totals(found: Footprint) -> dict[str, Any]:
    """PACT: including = excluding + uptake, and the uptake is 0 or below."""
    excluding = found.total_mg - found.uptake_mg
    masses = {
        "fossil": found.category_mg(m.FOSSIL, m.AIRCRAFT),
        "aircraft": found.category_mg(m.AIRCRAFT),
        "biogenic": found.category_mg(m.BIOGENIC),
        "land_use_change": found.category_mg(m.LAND_USE),
        "uptake": found.uptake_mg,
        "excluding_uptake": excluding,
        "including_uptake": found.total_mg,
    }
    return {
        **{f"{name}_mg": mg for name, mg in masses.items()},
        **{f"{name}_kg": kg_of(mg) for name, mg in masses.items()},
    }


def _gases(lines: Sequence[Line]) -> list[dict[str, Any]]:
    mass: dict[str, int] = {}
    co2e: dict[str, int] = {}
    for one in lines:
        for gas, mg in one.gases_mg.items():
            mass[gas] = mass.get(gas, 0) + mg
            co2e[gas] = co2e.get(gas, 0) + one.gases_co2e_mg[gas]
    return [{"id": gas, "mg": mass[gas], "co2e_mg": co2e[gas]} for gas in sorted(mass)]


def _coverage(lines: Sequence[Line]) -> list[dict[str, Any]]:
    """How much of the total covers which gases: what is added up here is labelled by that."""
    found: dict[tuple[str, ...], int] = {}
    for one in lines:
        found[one.coverage] = found.get(one.coverage, 0) + one.co2e_mg
    return [
        {"id": ", ".join(gases), "gases": list(gases), "co2e_mg": mg}
        for gases, mg in sorted(found.items())
    ]


def _allocation(found: Footprint) -> list[dict[str, Any]]:
    activities = [one for one in found.product.activities if one.is_of(found.period)]
    used = dict.fromkeys(activity.group for activity in activities if activity.group)
    shown = []
    for group in used:
        one = found.product.allocation_of(group, found.period)
        shares = one.shares()
        shown.append(
            {
                "id": group,
                "method": one.method,
                "own": one.own,
                "reason": one.reason,
                "outputs": [
                    {
                        "id": output.id,
                        "quantity": output.quantity,
                        "value": output.value,
                        "above": str(shares[output.id].numerator),
                        "below": str(shares[output.id].denominator),
                        "share_ppm": round(shares[output.id] * m.PPM),
                    }
                    for output in one.outputs
                ],
            }
        )
    return shown


def _electricity(found: Footprint) -> dict[str, Any]:
    lines = [one for one in found.lines if one.part]
    levels: dict[str, int] = dict.fromkeys(dict.fromkeys(LEVELS.values()), 0)
    for one in lines:
        levels[one.part["level"]] += one.wh
    return {
        "wh": found.electricity_wh,
        "residual_wh": found.residual_wh,
        "levels": [{"id": level, "wh": wh} for level, wh in levels.items()],
        "supplies": [
            {
                "id": one.id,
                **one.part,
                "wh": one.wh,
                "item": one.factors[0]["item"],
                "value": one.factors[0]["value"],
                "unit": one.factors[0]["unit"],
            }
            for one in lines
        ],
    }


def claims_of(claims: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """{claim: what is said of it}, in order of ids."""
    return [{"id": claim, **said} for claim, said in sorted(claims.items())]
