"""Partners by our own accounts, over /api/v1/pact: an organisation's administrator looks after its
own."""

from __future__ import annotations

from collections.abc import Iterator

import httpx
import pytest

from ledger import db
from ledger.access import service as access
from ledger.access.roles import Role
from tests.api.people import PASSWORD, PASSWORDS
from tests.pact.works import Works, name_of


@pytest.fixture
def admin(works: Works) -> Iterator[httpx.Client]:
    """The administrator of the steel works, signed in."""
    house, now_s = works.house, works.house.desk.clock_s()
    with db.writing(house.engine) as conn:
        if not [one for one in access.list_accounts(conn) if one.name == "steel-admin"]:
            hashed = PASSWORDS.hash(PASSWORD)
            made = access.create_account(conn, now_s, access.MACHINE, "steel-admin", hashed)
            access.grant(conn, now_s, access.MACHINE, made, "steel", Role.ADMIN, house.log.operator)
    token = access.login(
        house.engine, PASSWORDS, house.seal_key, now_s, "test", "steel-admin", PASSWORD
    )
    headers = {"Authorization": f"Bearer {token}"}
    with httpx.Client(base_url=f"{works.url}/api/v1/pact", headers=headers) as http:
        yield http


def test_a_partner_from_its_making_to_its_end(works: Works, admin: httpx.Client) -> None:
    body = {"party": "steel", "label": "Buyer", "products": [name_of("wire")]}
    there = {"url": "https://c.example", "client_id": "us", "secret": "theirs"}
    made = admin.post("/clients", json={**body, "endpoint": there}).json()
    id_, secret = made["client_id"], made.pop("secret")
    assert made in admin.get("/clients").json()["items"]
    with works.client(works.token(id_, secret)) as http:
        (one,) = http.get("/3/footprints").json()["data"]
        assert one["productNameCompany"] == "Wire"
        assert admin.post(f"/clients/{id_}/end").status_code == 204
        assert http.get("/3/footprints").status_code == 401


def test_an_administrator_has_no_partners_elsewhere(works: Works, admin: httpx.Client) -> None:
    other, _ = works.add("mill")
    listed = [one["client_id"] for one in admin.get("/clients?limit=1000").json()["items"]]
    assert other not in listed
    assert admin.post(f"/clients/{other}/end").status_code == 404
    assert admin.post("/clients", json={"party": "mill", "label": "x"}).status_code == 404
    body = {"party": "steel", "label": "x", "products": [name_of("paper")]}
    assert admin.post("/clients", json=body).status_code == 404
    assert admin.get("/footprints/mill").status_code == 404


@pytest.mark.parametrize("url", ["http://127.0.0.1:1", "http://c.example", "https://a:b@c.example"])
def test_events_go_by_https_to_other_machines(admin: httpx.Client, url: str) -> None:
    at = {"url": url, "client_id": "us", "secret": "theirs"}
    body = {"party": "steel", "label": "x", "endpoint": at}
    assert admin.post("/clients", json=body).status_code == 422


def test_the_owner_sees_what_partners_see(works: Works, admin: httpx.Client) -> None:
    items = admin.get("/footprints/steel").json()["items"]
    assert [one["footprint"]["id"] for one in items] == [one["id"] for one in works.footprints()]
    assert admin.get("/inbox").json()["items"] is not None
