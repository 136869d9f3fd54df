"""Footprints of many products at once, beside the least that they cost."""

from __future__ import annotations

import json
import time
from fractions import Fraction
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from bench.rows import Row, best_of
from ledger.accounting import regimes
from ledger.accounting.factors import service as factors
from ledger.accounting.factors.used import read_substitutions
from ledger.db import reading
from ledger.footprint.product import REGISTER, completed
from ledger.footprint.service import Terms, draft, publish
from ledger.house import House
from ledger.parties.desk import Draft, seal_json
from ledger.records.entries import PUT
from ledger.settings import Settings

PRODUCTS: Final = 1_000
ACTIVITIES: Final = 12
PERIOD: Final = "2026"
_SUBSTITUTION: Final = {
    "item": "electricity-life-cycle",
    "region": "CN",
    "year": 2026,
    "use_region": "CN",
    "use_year": 2024,
    "reason": "the latest published",
}


def _product(number: int) -> dict[str, Any]:
    """With its own electricity, and as many materials and fuels."""
    kinds = ("electricity", "fuel-diesel", "fuel-natural-gas", "electricity-life-cycle")
    units = {"electricity": "kWh", "fuel-diesel": "kg", "fuel-natural-gas": "Nm3"}
    activities = [
        {
            "id": f"a{place}",
            "title": {"zh": f"活动{place}", "en": f"Activity {place}"},
            "stage": "production",
            "quantity": f"{number + place + 1}.5",
            "unit": units.get(kinds[place % 4], "kWh"),
            "per": PERIOD if place % 2 else "",
            "item": kinds[place % 4],
        }
        for place in range(ACTIVITIES)
    ]
    return completed(
        {
            "name": {"zh": f"产品{number}", "en": f"Product {number}"},
            "ids": [f"urn:example:product:{number}"],
            "unit": "kilogram",
            "mass_kg": "1",
            "boundary": "cradle-to-gate",
            "production": [{"period": PERIOD, "quantity": "1000"}],
            "activities": activities,
        }
    )


def _house(folder: Path) -> House:
    house = House.init(Settings(dir=folder), origin="bench.example/footprints", name="Bench")
    desk = house.desk
    desk.register_party("mill", "Mill", ["enterprise"])
    desk.create_key("mill")
    factors.ensure(desk)
    regimes.ensure(desk, ["product-footprint"])
    submissions = []
    for number in range(PRODUCTS):
        members = {"register": REGISTER, "name": f"{number:032x}", "replaces": ""}
        body = seal_json(_product(number), "record")
        submissions.append(
            desk.sign(Draft(type=PUT, author="mill", members=members, bodies={"body": body}))
        )
    desk.writer.append_all(submissions)
    return house


def _floor() -> float:
    """Read each product's JSON, and multiply each of its lines once, exactly."""
    texts = [json.dumps(_product(number)) for number in range(PRODUCTS)]

    def work() -> None:
        for text in texts:
            for one in json.loads(text)["activities"]:
                round(Fraction(one["quantity"]) * Fraction("0.5777") / 1000)

    return best_of(1, work)


def footprint_rows() -> list[Row]:
    names = [f"{number:032x}" for number in range(PRODUCTS)]
    terms = Terms(period=PERIOD, substitutions=read_substitutions([_SUBSTITUTION]))
    with TemporaryDirectory() as folder:
        house = _house(Path(folder) / "ledger")
        began = time.perf_counter()
        with reading(house.engine) as conn:
            made = list(draft(conn, house.log, names, terms))
        computed = time.perf_counter() - began
        began = time.perf_counter()
        for _ in publish(house.desk, made):
            pass
        published = time.perf_counter() - began
        house.engine.dispose()
    floor = _floor()
    return [
        Row(
            name=name,
            seconds=seconds,
            unit="product",
            amount=PRODUCTS,
            floor_name="read and multiply each line once",
            floor_seconds=floor,
        )
        for name, seconds in (
            ("footprints of 1,000 products", computed),
            ("the same, computed again, published", published),
        )
    ]
