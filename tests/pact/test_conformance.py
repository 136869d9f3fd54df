"""What WBCSD's conformance service asks of a host of version 3, case by case, as its list names
them (docs/v3-test-cases-expected-results.md of wbcsd/pact-conformance-service)."""

from __future__ import annotations

import json
from typing import Any

import httpx
import pytest

from ledger.footprint.pact.reading import read
from tests.pact.works import PRODUCTS, Works, event, inbox_of, urn_of

WEB = "application/cloudevents+json; charset=UTF-8"
NONE = "00000000-0000-0000-0000-000000000000"


def said(answer: httpx.Response) -> tuple[int, str]:
    """Status and code of an answer, which is JSON of two texts."""
    found = answer.json()
    assert set(found) == {"code", "message"}
    assert answer.headers["content-type"] == "application/json"
    return answer.status_code, found["code"]


def test_1_18_a_token_for_good_credentials(works: Works) -> None:
    with works.client() as http:
        found = http.get("/.well-known/openid-configuration").json()
        assert found["token_endpoint"] == "https://pact.park.example/auth/token"
        answer = http.post(
            "/auth/token", data={"grant_type": "client_credentials"}, auth=(works.id, works.secret)
        )
        in_body = {
            "grant_type": "client_credentials",
            "client_id": works.id,
            "client_secret": works.secret,
        }
        assert http.post("/auth/token", data=in_body).status_code == 200
    assert answer.status_code == 200
    assert answer.headers["cache-control"] == "no-store"
    assert set(answer.json()) == {"access_token", "token_type", "expires_in"}
    assert (answer.json()["token_type"], answer.json()["expires_in"]) == ("Bearer", 3600)


@pytest.mark.parametrize(
    ("auth", "data", "status", "error"),
    [
        (("nobody", "nothing"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (("0" * 32, "glc_x"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (("é\0", "\N{PILE OF POO}"), {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (None, {"grant_type": "client_credentials"}, 401, "invalid_client"),
        (("own", "own"), {"grant_type": "password"}, 400, "unsupported_grant_type"),
        (("own", "own"), {"scope": "all"}, 400, "invalid_request"),
        (("own", "own"), {}, 400, "invalid_request"),
        (
            ("own", "own"),
            {"grant_type": "client_credentials", "client_secret": "again"},
            400,
            "invalid_request",
        ),
    ],
)
def test_2_19_no_token_otherwise(
    works: Works, auth: tuple[str, str] | None, data: dict[str, str], status: int, error: str
) -> None:
    """RFC 6749, 5.2."""
    pair = (works.id, works.secret) if auth == ("own", "own") else auth
    with works.client() as http:
        answer = http.post("/auth/token", data=data, auth=pair or httpx.USE_CLIENT_DEFAULT)
    assert (answer.status_code, answer.json()["error"]) == (status, error)
    assert set(answer.json()) == {"error", "error_description"}
    assert ("www-authenticate" in answer.headers) == (status == 401)


def test_3_one_footprint(works: Works) -> None:
    first = works.footprints()[0]
    answer = works.http.get(f"/3/footprints/{first['id'].upper()}")
    assert answer.status_code == 200
    assert answer.json() == {"data": first}
    assert read(answer.content).remarks == []


def test_4_all_footprints(works: Works) -> None:
    assert works.names() == ["sheet", "sheet", "wire", "bar"]
    old, new, *_ = works.footprints()
    assert (old["status"], new["status"]) == ("Deprecated", "Active")
    assert new["precedingPfIds"] == [old["id"]]
    assert (old["pcf"]["pcfExcludingBiogenicUptake"], new["pcf"]["fossilGhgEmissions"]) == (
        "2",
        "1.9",
    )
    trailing = works.http.get("/3/footprints/")
    assert trailing.json() == works.http.get("/3/footprints").json()


def pages(works: Works, **query: Any) -> list[list[str]]:
    """Ids, page by page, as the links lead; each link is called twice."""
    answer = works.http.get("/3/footprints", params=query)
    found = []
    while True:
        found.append([one["id"] for one in answer.json()["data"]])
        if "link" not in answer.headers:
            return found
        link = answer.links["next"]["url"]
        assert link.startswith("https://pact.park.example/3/footprints?")
        path = link.removeprefix("https://pact.park.example")
        answer = works.http.get(path)
        again = works.http.get(path)
        assert (again.content, again.links) == (answer.content, answer.links)


def test_5_pages(works: Works) -> None:
    every = [one["id"] for one in works.footprints()]
    assert pages(works, limit=1) == [[one] for one in every]
    assert pages(works, limit=3) == [every[:3], every[3:]]
    assert pages(works, limit=4) == [every]
    assert pages(works, limit=1000) == [every]
    active = [one["id"] for one in works.footprints(status="Active")]
    assert pages(works, limit=2, status="active", productId="") == [active[:2], active[2:]]
    none = works.http.get("/3/footprints?limit=0")
    assert (none.json(), "link" in none.headers) == ({"data": []}, True)


def test_6_7_16_a_token_that_is_none(works: Works) -> None:
    for token in ("very-invalid-access-token", "glp_" + "A" * 43, "é"):
        with works.client(Authorization=f"Bearer {token}".encode()) as http:  # type: ignore[arg-type]  # an é is no ASCII
            for answer in (
                http.get("/3/footprints"),
                http.get(f"/3/footprints/{NONE}"),
                http.post("/3/events", content="{}", headers={"Content-Type": WEB}),
            ):
                assert said(answer) == (401, "BadRequest")
                assert answer.headers["www-authenticate"].startswith("Bearer")
    with works.client() as http:
        assert said(http.get("/3/footprints")) == (401, "BadRequest")


def test_8_no_such_footprint(works: Works) -> None:
    assert said(works.http.get(f"/3/footprints/{NONE}")) == (404, "NotFound")
    assert said(works.http.get("/3/footprints/urn:gtin:1")) == (400, "BadRequest")


def test_9_10_11_17_not_without_https(works: Works) -> None:
    id_ = works.footprints()[0]["id"]
    token = works.token()
    for plain in ({"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": ""}):
        with works.client(token, **plain) as http:
            assert said(http.get("/3/footprints")) == (403, "AccessDenied")
            assert said(http.get(f"/3/footprints/{id_}")) == (403, "AccessDenied")
            body = json.dumps(event("published", {"pfIds": [id_]}))
            answer = http.post("/3/events", content=body, headers={"Content-Type": WEB})
            assert said(answer) == (403, "AccessDenied")
            answer = http.post(
                "/auth/token",
                data={"grant_type": "client_credentials"},
                auth=(works.id, works.secret),
            )
            assert (answer.status_code, answer.json()["error"]) == (403, "invalid_request")
    with httpx.Client(base_url=works.url) as local:
        assert said(local.get("/3/footprints")) == (401, "BadRequest")


def post(works: Works, value: Any, media: str = WEB) -> httpx.Response:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return works.http.post("/3/events", content=content, headers={"Content-Type": media})


def test_15_a_publication_is_noted(works: Works) -> None:
    id_ = "3a6c14a7-4deb-498a-b5ea-16ce2535b576"
    for _ in range(2):
        answer = post(works, event("published", {"pfIds": [id_]}, "noted once"))
        assert (answer.status_code, answer.content) == (200, b"")
    noted = [one for one in inbox_of(works.house) if one.event == "noted once"]
    assert [(one.kind, one.party, one.data) for one in noted] == [
        ("published", "steel", {"pfIds": [id_]})
    ]


BROKEN: list[tuple[dict[str, Any], str]] = [
    (event("published", {"pfIds": ["urn:gtin:4712345060507"]}), "$.data.pfIds[0]"),
    (event("published", {"pfIds": []}), "$.data.pfIds"),
    (event("published", {}), "$.data.pfIds"),
    (event("created", {"productId": "urn:a:b"}), "$.data.productId"),
    (event("created", {"productId": ["a:b"]}), "$.data.productId[0]"),
    (event("created", {"validOn": "today"}), "$.data.validOn"),
    (event("created", {"status": "Draft"}), "$.data.status"),
    (event("created", {"comment": 1}), "$.data.comment"),
    (event("created", {"productId": ["urn:a:b"]}), "no endpoint of yours"),
    (event("fulfilled", {"requestEventId": "1", "pfs": []}), "$.data.pfs"),
    (event("fulfilled", {"requestEventId": "1", "pfs": [{}]}), "$.data.pfs[0].id"),
    (event("fulfilled", {"pfs": [{}]}), "$.data.requestEventId"),
    (
        event("rejected", {"requestEventId": "1", "error": {"code": "No", "message": ""}}),
        "$.data.error.code",
    ),
    ({**event("published", {"pfIds": [NONE]}), "specversion": "0.3"}, "$.specversion"),
    ({**event("published", {"pfIds": [NONE]}), "id": ""}, "$.id"),
    ({**event("published", {"pfIds": [NONE]}), "id": "x" * 201}, "$.id"),
    ({**event("published", {"pfIds": [NONE]}), "time": "2026"}, "$.time"),
    ({**event("published", {"pfIds": [NONE]}), "data": []}, "$.data"),
    (
        {
            **event("published", {"pfIds": [NONE]}),
            "type": "org.wbcsd.pathfinder.ProductFootprint.Published.v1",
        },
        "$.type",
    ),
    ({}, "$.type"),
]


def test_40_events_that_are_none(works: Works) -> None:
    for value, place in BROKEN:
        answer = post(works, value)
        assert said(answer) == (400, "BadRequest"), value
        assert place in answer.json()["message"], (place, answer.text)
    sound = event("published", {"pfIds": [NONE]})
    assert said(post(works, sound, "application/json")) == (400, "BadRequest")
    for raw in (b"", b"{", b"\xff", b"[" * 10_000, b'{"id": 1, "id": 1}'):
        assert said(post(works, raw)) == (400, "BadRequest")
    assert said(post(works, b" " * (1024 * 1024 + 1))) == (413, "BadRequest")


# Filters. (query, products found)
FOUND: list[tuple[dict[str, Any], list[str]]] = [
    ({"productId": urn_of("wire")}, ["wire"]),  # 20
    ({"productId": urn_of("wire").upper()}, ["wire"]),
    ({"productid": [urn_of("bar"), urn_of("wire"), urn_of("paper")]}, ["wire", "bar"]),
    (
        {"companyId": "urn:pact:company:customcode:supplier-id:park.example/tests:steel"},
        ["sheet", "sheet", "wire", "bar"],
    ),  # 21
    ({"geography": "cn-gd"}, ["bar"]),  # 22
    ({"geography": ["CN-GD", "CN"]}, ["sheet", "sheet", "wire", "bar"]),
    ({"geography": ""}, ["sheet", "sheet", "wire", "bar"]),
    ({"classification": "urn:pact:productclassification:un-cpc:4124"}, ["wire"]),  # 23
    ({"validOn": "2025-12-31T16:00:00Z"}, ["sheet", "sheet", "wire", "bar"]),  # 24
    ({"validOn": "2028-12-31T16:00:00.000Z"}, ["sheet", "sheet", "wire", "bar"]),
    ({"validOn": "2026-01-01T00:00+08:00"}, ["sheet", "sheet", "wire", "bar"]),
    ({"validOn": "2025-12-31T15:59:59Z"}, []),
    ({"validOn": "2028-12-31T16:00:01Z"}, []),
    ({"validAfter": "2025-12-30T16:00:00Z"}, ["sheet", "sheet", "wire", "bar"]),  # 25
    ({"validAfter": "2025-12-31T16:00:00Z"}, []),
    ({"validBefore": "2029-01-01"}, ["sheet", "sheet", "wire", "bar"]),  # 26
    ({"validBefore": "2028-12-31T16:00:00Z"}, []),
    ({"status": "Active"}, ["sheet", "wire", "bar"]),  # 27
    ({"status": "deprecated"}, ["sheet"]),
    ({"status": "Active", "productId": urn_of("sheet")}, ["sheet"]),  # 28
    ({"productId": ["not-a-urn", urn_of("wire")]}, ["wire"]),  # 29
    ({"productId": "urn:bogus:product:x"}, []),  # 30
    ({"companyId": "urn:bogus:company:x"}, []),  # 31
    ({"geography": "XX"}, []),  # 32
    ({"classification": "urn:bogus:classification:x"}, []),  # 33
    ({"validOn": "1900-01-01T00:00:00Z"}, []),  # 34
    ({"validAfter": "2099-12-31T23:59:59Z"}, []),  # 35
    ({"validBefore": "1900-01-01T00:00:00Z"}, []),  # 36
    ({"status": "BogusStatus"}, []),  # 37
    ({"companyId": "urn:bogus:company:x", "productId": urn_of("wire")}, []),  # 38
    ({"companyId": ["urn:bogus:company:x", "urn:bogus:company:y"]}, []),  # 39
]


def test_20_to_39_filters(works: Works) -> None:
    for query, found in FOUND:
        assert works.names(**query) == found, query


@pytest.mark.parametrize(
    "query",
    [
        "limit=x",
        "limit=-1",
        "limit=1.5",
        "validOn=soon",
        "validOn=2025-13-01",
        "validOn=2025-01-01&validOn=2026-01-01",
        "colour=red",
        "$filter=created ge 1",
        "x-greenledger-as-of=a",
        "&".join(["geography=CN"] * 101),
    ],
)
def test_a_query_that_makes_no_sense_is_refused(works: Works, query: str) -> None:
    assert said(works.http.get(f"/3/footprints?{query}")) == (400, "BadRequest")


# Access


def test_a_partner_sees_what_it_may(works: Works) -> None:
    by_name = {one["productNameCompany"].lower(): one["id"] for one in works.footprints()}
    with works.partner(products=["wire"]) as narrow, works.partner("mill") as miller:
        found = narrow.get("/3/footprints").json()["data"]
        assert [one["id"] for one in found] == [by_name["wire"]]
        assert said(narrow.get(f"/3/footprints/{by_name['bar']}")) == (403, "AccessDenied")
        paper = miller.get("/3/footprints").json()["data"]
        assert [one["productNameCompany"] for one in paper] == ["Paper"]
        assert said(miller.get(f"/3/footprints/{by_name['bar']}")) == (404, "NotFound")
        assert said(narrow.get(f"/3/footprints/{paper[0]['id']}")) == (404, "NotFound")
    assert {party for party, _ in PRODUCTS.values()} == {"steel", "mill"}


def test_our_extension_says_what_its_schema_demands(works: Works) -> None:
    jsonschema_rs = pytest.importorskip("jsonschema_rs")
    one = works.footprints()[0]["extensions"][0]
    path = one["dataSchema"].removeprefix("https://pact.park.example")
    with works.client() as anybody:
        schema = anybody.get(path)
        assert anybody.get(path.rpartition("/")[0] + "/").status_code == 200
    assert schema.headers["content-type"] == "application/schema+json"
    validator = jsonschema_rs.Draft202012Validator(schema.json())
    assert validator.is_valid(one["data"])
    assert not validator.is_valid({**one["data"], "entryLeafHash": "x"})
    answer = httpx.get(f"{works.url}/api/v1/log/leaf/{one['data']['entryLeafHash']}")
    assert answer.json() == {"index": one["data"]["entryIndex"]}
