"""Units convert exactly inside their dimension, and are refused by name outside of it."""

from __future__ import annotations

from fractions import Fraction

import pytest

from ledger.accounting.factors import units
from ledger.errors import InvalidInput


@pytest.mark.parametrize(
    ("quantity", "unit", "to", "is_"),
    [
        (1, "kWh", "MJ", Fraction("3.6")),
        (1, "MWh", "Wh", 1_000_000),
        (5, "10^4 kWh", "MWh", 50),
        (1, "GJ", "kWh", Fraction(2500, 9)),
        (1, "t", "g", 1_000_000),
        (3, "10^4 t", "kg", 30_000_000),
        (2, "l", "ml", 2000),
        (1, "10^4 Nm3", "Nm3", 10_000),
        (1, "tce", "kgce", 1000),
        (7, "t km", "kg km", 7000),
        (1, "t/MWh", "kg/kWh", 1),
        (Fraction("0.11"), "t/GJ", "g/MJ", 110),
        (1, "kg/(t km)", "g/(kg km)", 1),
        (50, "%", "1", Fraction(1, 2)),
        (1, "kgce/kWh", "tce/MWh", 1),
    ],
)
def test_conversion(quantity: int | Fraction, unit: str, to: str, is_: int | Fraction) -> None:
    assert units.convert(quantity, unit, to) == is_
    assert units.convert(units.convert(quantity, unit, to), to, unit) == quantity


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("万Nm³", "10^4 Nm3"),
        ("10⁴ Nm3", "10^4 Nm3"),
        ("t/10^4 Nm3", "t/10^4 Nm3"),
        ("tkm", "t km"),
        ("t·km", "t km"),
        ("kg / kWh", "kg/kWh"),
        ("亿kWh", "10^8 kWh"),
        ("kgce/(kW·h)", "kgce/(kWh)"),
    ],
)
def test_spellings(written: str, normal: str) -> None:
    assert units.normal(written) == normal
    units.parse(written)


@pytest.mark.parametrize(
    ("unit", "to", "said"),
    [
        ("l", "t", "unit 'l' (volume) does not convert to 't' (mass); that takes a density"),
        ("m3", "Nm3", "at standard conditions"),
        ("kgce", "kWh", "coal equivalent comes from a factor"),
        ("kg/kWh", "kg", "'kg/kWh' (mass per energy) does not convert to 'kg' (mass)"),
        ("piece", "t", "'piece' (pieces)"),
        ("kgCO2/kWh", "kg/kWh", "the gas is no part of a unit: write 'kg', and 'CO2' as"),
        ("bushel", "t", "'bushel' is no unit that this program knows; known are"),
        ("", "t", "'' is no unit"),
        ("kg/kWh/a", "t", "more than one '/'"),
        ("t" * 41, "t", "longer than 40"),
    ],
)
def test_what_does_not_convert_is_refused_by_name(unit: str, to: str, said: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        units.convert(1, unit, to)
    assert said in str(caught.value)
