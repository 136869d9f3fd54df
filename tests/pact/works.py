"""A steel works and a paper mill with published footprints; partners with their credentials."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import httpx

from ledger import house as ledger_house
from ledger.access.events import MACHINE
from ledger.accounting import regime_reading
from ledger.db import reading, writing
from ledger.footprint.pact import clients
from ledger.footprint.pact.clients import Endpoint
from ledger.footprint.pact.events import TYPES
from ledger.footprint.pact.mailbox import list_received
from ledger.footprint.product import completed
from ledger.house import House
from ledger.log.store import load_head
from ledger.records import service as records
from ledger.reports import service as reports

HOST = "pact.park.example"
# Name → (organisation, kg of CO2 for a declared unit). Of `sheet` there are two versions.
PRODUCTS = {
    "sheet": ("steel", "1.9"),
    "wire": ("steel", "2.25"),
    "bar": ("steel", "1.5"),
    "paper": ("mill", "0.75"),
}
SHEET_BEFORE = "2.0"


def name_of(product: str) -> str:
    return hashlib.sha256(product.encode()).hexdigest()[:32]


def urn_of(product: str) -> str:
    return f"urn:pact:park.example:supplier-id:{product}"


def record_of(product: str, kg: str) -> dict[str, Any]:
    """A product by the kilogram whose process emits so much CO2; bars are of Guangdong."""
    return completed(
        {
            "name": {"zh": product, "en": product.capitalize()},
            "description": f"{product} of the park",
            "ids": [urn_of(product), f"urn:gtin:47123450605{len(product):02}"],
            "classifications": [f"urn:pact:productclassification:un-cpc:412{len(product)}"],
            "unit": "kilogram",
            "boundary": "cradle-to-gate",
            "geography": "CN-GD" if product == "bar" else "CN",
            "production": [{"period": "2025", "quantity": "1000"}],
            "activities": [
                {
                    "id": "furnace",
                    "title": {"zh": "炉", "en": "Furnace"},
                    "stage": "production",
                    "quantity": kg,
                    "unit": "kg",
                    "gas": "CO2",
                    "kind": "primary",
                }
            ],
        }
    )


def publish(house: House, product: str, report: str = "") -> str:
    """Publish the footprint of 2025, or a new version of it; returns the report's series."""
    party, _ = PRODUCTS[product]
    about = {
        "product": name_of(product),
        "period": "2025",
        "regime": "product-footprint",
        "sets": [],
        "supplies": [],
        "substitutions": [],
    }
    receipt = reports.publish(
        house.desk, ledger_house.COMPUTES, "footprint", about, author=party, report=report
    )
    return str(receipt.entry.statement["report"])


def settle(house: House) -> None:
    """Parties, the regime, products, and footprints: five, of which one is deprecated."""
    desk = house.desk
    for party in ("steel", "mill"):
        desk.register_party(party, f"The {party} works", ["enterprise"])
        desk.create_key(party)
    regime = regime_reading.shipped("product-footprint")
    records.put(desk, "regime", "product-footprint", regime.content, author=house.log.operator)
    for product, (party, kg) in PRODUCTS.items():
        first = SHEET_BEFORE if product == "sheet" else kg
        content = record_of(product, first)
        records.put(desk, "product", name_of(product), content, author=party)
        series = publish(house, product)
        if product == "sheet":
            content = record_of(product, kg)
            records.put(desk, "product", name_of(product), content, author=party)
            publish(house, product, series)


@dataclass
class Works:
    """The service, asked as a partner asks it: by HTTPS, which the proxy in front says."""

    house: House
    url: str
    id: str = ""
    secret: str = field(default="", repr=False)
    http: httpx.Client = field(default_factory=httpx.Client)

    @classmethod
    def of(cls, house: House, url: str) -> Works:
        found = cls(house, url)
        found.id, found.secret = found.add()
        found.http = found.client(found.token())
        return found

    def add(
        self,
        party: str = "steel",
        products: Sequence[str] = ("*",),
        endpoint: Endpoint | None = None,
    ) -> tuple[str, str]:
        with writing(self.house.engine) as conn:
            made, secret = clients.add(
                conn,
                self.house.desk.clock_s(),
                MACHINE,
                party=party,
                label="a customer",
                products=[one if one == "*" else name_of(one) for one in products],
                seal_key=self.house.seal_key,
                told=load_head(conn, self.house.log.log_id).size,
                endpoint=endpoint,
            )
        return made.client, secret

    def client(self, token: str = "", **headers: str) -> httpx.Client:
        sent = {"Host": HOST, "X-Forwarded-Proto": "https", **headers}
        if token:
            sent["Authorization"] = f"Bearer {token}"
        return httpx.Client(base_url=self.url, headers=sent, timeout=20)

    def token(self, id_: str = "", secret: str = "") -> str:
        with self.client() as http:
            answer = http.post(
                "/auth/token",
                data={"grant_type": "client_credentials"},
                auth=(id_ or self.id, secret or self.secret),
            )
        assert answer.status_code == 200, answer.text
        return str(answer.json()["access_token"])

    def partner(self, party: str = "steel", products: Sequence[str] = ("*",)) -> httpx.Client:
        """Another partner, who has a token."""
        return self.client(self.token(*self.add(party, products)))

    def footprints(self, **query: Any) -> list[dict[str, Any]]:
        answer = self.http.get("/3/footprints", params=query)
        assert answer.status_code == 200, answer.text
        found: list[dict[str, Any]] = answer.json()["data"]
        return found

    def names(self, **query: Any) -> list[str]:
        """Products of the footprints that are found, in their order."""
        return [one["productNameCompany"].lower() for one in self.footprints(**query)]

    def close(self) -> None:
        self.http.close()


def event(kind: str, data: dict[str, Any], id_: str = "1934405d", host: str = "") -> dict[str, Any]:
    return {
        "type": TYPES[kind],
        "specversion": "1.0",
        "id": id_,
        "source": f"//{host or 'customer.example'}/3/events",
        "time": "2026-03-05T17:31:00Z",
        "data": data,
    }


def inbox_of(house: House) -> list[Any]:
    with reading(house.engine) as conn:
        return list_received(conn, None)
