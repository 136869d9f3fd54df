"""Two services that exchange footprints: what one asks for, the other answers; what is new, it
tells; what can't be delivered is tried again."""

from __future__ import annotations

import dataclasses
import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import update

from ledger.access.events import MACHINE
from ledger.db import reading, writing
from ledger.errors import Corrupt, InvalidInput, NotSignedIn, Refused, Unavailable
from ledger.footprint.pact import clients, exchange, mailbox
from ledger.footprint.pact.clients import Endpoint
from ledger.footprint.pact.events import PUBLISHED, Event
from ledger.footprint.pact.exchange import Exchange
from ledger.footprint.pact.partner import Partner, next_of, token_url
from ledger.footprint.pact.reading import read, write_json
from ledger.footprint.pact.schema import outbox, tokens
from ledger.house import House
from ledger.records import service as records
from tests.ledgers import Clock, close, copy_ledger, no_progress, open_house
from tests.pact.conftest import calm
from tests.pact.test_conformance import WEB, said
from tests.pact.works import Works, event, inbox_of, name_of, publish, urn_of
from tests.servers.api import free_port, serving


@pytest.fixture
def customer(works_template: Path, tmp_path: Path) -> Iterator[Works]:
    """Another host, that takes events."""
    house = calm(open_house(copy_ledger(works_template, tmp_path / "customer")))
    with serving(house) as url:
        found = Works.of(house, url.removesuffix("/api/v1"))
        yield found
        found.close()
    close(house)


def endpoint(of: Works) -> Endpoint:
    id_, secret = of.add()
    return Endpoint(url=of.url, auth="", client_id=id_, secret=secret)


def known(works: Works, customer: Works, products: tuple[str, ...] = ("*",)) -> Works:
    """The works as the customer sees it, once its own endpoint is noted down there."""
    id_, secret = works.add(products=products, endpoint=endpoint(customer))
    return dataclasses.replace(
        works, id=id_, secret=secret, http=works.client(works.token(id_, secret))
    )


def wait_for(found: Callable[[], list[Any]], seconds: float = 10) -> list[Any]:
    deadline = time.monotonic() + seconds
    while not (value := found()):
        assert time.monotonic() < deadline, "nothing came"
        time.sleep(0.05)
    return value


def came(customer: Works, kind: str) -> list[Any]:
    return [one for one in inbox_of(customer.house) if one.kind == kind]


def test_tokens_are_not_fetched_from_this_machine_for_a_host_elsewhere() -> None:
    there = "https://partner.example/.well-known/openid-configuration"
    assert token_url(there, "https://login.example/token") == "https://login.example/token"
    here = "http://127.0.0.1:8001/token"
    assert token_url("http://127.0.0.1:8000/.well-known/openid-configuration", here) == here
    for named in (here, "file:///etc/passwd", "http://partner.example/token"):
        with pytest.raises(Unavailable, match=r"partner\.example names a token_endpoint without"):
            token_url(there, named)


def test_a_page_leads_where_the_settings_say(works_template: Path, tmp_path: Path) -> None:
    """Not where the request says that it came to, which anybody can write."""
    house = calm(open_house(copy_ledger(works_template, tmp_path / "linked")))
    settings = house.settings.model_copy(update={"pact_url": "https://park.example/pact/"})
    with serving(dataclasses.replace(house, settings=settings)) as url:
        asked = Works.of(house, url.removesuffix("/api/v1"))
        answer = asked.http.get("/3/footprints?limit=1", headers={"Host": "evil.example"})
        asked.close()
    assert answer.links["next"]["url"].startswith("https://park.example/pact/3/footprints?limit=1&")
    close(house)


def test_a_partner_fills_no_more_than_its_part_of_the_inbox(
    works_template: Path, tmp_path: Path
) -> None:
    """32 MiB are 33,554,432 bytes: 33 events of 1,000,014 characters, and no 34th."""
    house = open_house(copy_ledger(works_template, tmp_path / "inbox"))
    id_, _ = Works(house, "").add()
    with writing(house.engine) as conn:

        def send(number: int) -> str:
            large = {"comment": "x" * 1_000_000}
            sent = Event(kind=PUBLISHED, id=str(number), source="x", time="", data=large)
            return mailbox.receive(conn, house.desk.clock_s(), id_, sent, "https://x.example")

        assert all(send(number) for number in range(33))
        with pytest.raises(Refused, match="33 events of yours of 33,0"):
            send(33)
    close(house)


def test_12_13_a_request_is_fulfilled(works: Works, customer: Works) -> None:
    """By itself, soon: a job does it."""
    asking = known(works, customer)
    asked = event("created", {"productId": [urn_of("sheet")]}, "run/12", "127.0.0.1")
    answer = asking.http.post("/3/events", content=json.dumps(asked), headers={"Content-Type": WEB})
    assert (answer.status_code, answer.content) == (200, b"")
    (got,) = wait_for(lambda: came(customer, "fulfilled"))
    assert got.data["requestEventId"] == "run/12"
    assert got.data["pfs"] == asking.footprints(productId=urn_of("sheet"))
    assert got.source == "//pact.park.example/3/events"
    asking.close()


def test_14_a_request_is_rejected(works: Works, customer: Works) -> None:
    asking = known(works, customer, ("wire",))
    for number, product in enumerate(("null", "bar")):  # there is none, and none for it
        asked = event("created", {"productId": [f"urn:pact:{product}"]}, f"{number}", "127.0.0.1")
        asking.http.post("/3/events", content=json.dumps(asked), headers={"Content-Type": WEB})
    got = wait_for(
        lambda: came(customer, "rejected") if len(came(customer, "rejected")) > 1 else []
    )
    assert {one.data["requestEventId"] for one in got} == {"0", "1"}
    assert {one.data["error"]["code"] for one in got} == {"NotFound"}
    asking.close()


def test_answers_go_where_the_owner_noted_down(works: Works, customer: Works) -> None:
    asking = known(works, customer)
    asked = event("created", {"productId": [urn_of("sheet")]}, "elsewhere", "attacker.example")
    answer = asking.http.post("/3/events", content=json.dumps(asked), headers={"Content-Type": WEB})
    assert said(answer) == (400, "BadRequest")
    asking.close()


# Without a server: the exchange at a clock of the test's own


@pytest.fixture
def house(works_template: Path, tmp_path: Path) -> Iterator[House]:
    found = open_house(copy_ledger(works_template, tmp_path / "quiet"), Clock())
    yield found
    close(found)


def clock_of(house: House) -> Clock:
    found = house.desk.clock_s
    assert isinstance(found, Clock)
    return found


def run(house: House) -> dict[str, Any]:
    return Exchange(
        engine=house.engine,
        log=house.log,
        seal_key=house.seal_key,
        clock_s=house.desk.clock_s,
        base_url="https://pact.park.example",
        progress=no_progress,
    ).run()


def quiet(house: House, at: Endpoint, products: tuple[str, ...] = ("*",)) -> Works:
    found = Works(house, "")
    found.id, found.secret = found.add(products=products, endpoint=at)
    found.http.close()
    return found


def test_partners_are_told_of_what_they_may_see(house: House, customer: Works) -> None:
    wide = quiet(house, endpoint(customer))
    quiet(house, endpoint(customer), ("bar",))
    assert run(house) == {"answered": 0, "told": 0, "sent": 0, "failed": 0}
    publish(house, "wire")
    assert run(house) == {"answered": 0, "told": 1, "sent": 1, "failed": 0}
    assert run(house) == {"answered": 0, "told": 0, "sent": 0, "failed": 0}
    (got,) = came(customer, "published")
    with reading(house.engine) as conn:
        client = clients.client_of(conn, wide.id)
        shown = exchange.seen(conn, house.log, client, "https://a.example", as_of=10**6)
    assert got.data["pfIds"] == [shown[-1].footprint.id]


def test_a_new_version_names_the_one_that_it_deprecates(house: House, customer: Works) -> None:
    quiet(house, endpoint(customer))
    series = publish(house, "bar")
    run(house)
    publish(house, "bar", series)
    run(house)
    first, second = sorted(came(customer, "published"), key=lambda one: len(one.data["pfIds"]))
    (old,) = first.data["pfIds"]
    assert set(second.data["pfIds"]) > {old}


def test_what_can_t_be_delivered_is_tried_again_for_three_days(house: House) -> None:
    """30 s, then twice as long each time, 6 h at most: 30·(2^10 − 1) s are 8.5 h, and 6 h more each
    time after that."""
    nobody = Endpoint(url=f"http://127.0.0.1:{free_port()}", auth="", client_id="x", secret="y")
    works = quiet(house, nobody)
    clock = clock_of(house)
    publish(house, "wire")
    begun_s = clock.now_s
    attempts = []
    while clock.now_s < begun_s + 80 * 3600:
        if run(house)["failed"]:
            attempts.append(clock.now_s - begun_s)
        clock.now_s += 15
        with reading(house.engine) as conn:
            (going,) = mailbox.list_going(conn, works.id)
        if going.ended_at_s is not None:
            break
        clock.now_s = max(clock.now_s, _next_s(house))
    assert attempts[:4] == [0, 30, 90, 210]
    assert 70 * 3600 > attempts[-1] > 60 * 3600
    assert "127.0.0.1 can't be reached" in going.error


def _next_s(house: House) -> int:
    with reading(house.engine) as conn:
        return int(conn.execute(outbox.select()).one().next_at_s)


def test_an_ended_partner_gets_nothing_more(house: House, customer: Works) -> None:
    works = quiet(house, endpoint(customer))
    publish(house, "wire")
    token = clients.sign_in(house.engine, house.desk.clock_s(), "1.2.3.4", works.id, works.secret)
    with writing(house.engine) as conn:
        exchange.end_client(conn, house.desk.clock_s(), MACHINE, works.id)
        exchange.end_client(conn, house.desk.clock_s(), MACHINE, works.id)
    assert run(house) == {"answered": 0, "told": 0, "sent": 0, "failed": 0}
    with pytest.raises(NotSignedIn, match="unknown"):
        clients.client_of_token(house.engine, house.desk.clock_s(), token)
    with pytest.raises(NotSignedIn, match="wrong"):
        clients.sign_in(house.engine, house.desk.clock_s(), "1.2.3.4", works.id, works.secret)


def test_a_product_that_is_ended_has_deprecated_footprints(house: House) -> None:
    works = quiet(house, Endpoint(url="https://c.example", auth="", client_id="x", secret="y"))
    records.end(house.desk, "product", name_of("wire"), "no longer made", author="steel")
    with reading(house.engine) as conn:
        client = clients.client_of(conn, works.id)
        found = exchange.seen(conn, house.log, client, "https://a.example", as_of=10**6)
    assert {one.product: one.footprint.status for one in found[1:]} == {
        name_of("sheet"): "Active",
        name_of("wire"): "Deprecated",
        name_of("bar"): "Active",
    }


# Asking others


def test_fetching_page_by_page(works: Works) -> None:
    """The whole list of a host that gives one footprint a page."""
    at = Endpoint(url=works.url, auth="", client_id=works.id, secret=works.secret)
    found = list(Partner(at).footprints([("limit", "1")]))
    assert [one["id"] for one in found] == [one["id"] for one in works.footprints()]
    assert [one["status"] for one in Partner(at).footprints([("productId", urn_of("wire"))])] == [
        "Active"
    ]
    read(write_json(Partner(at).footprint(found[0]["id"])))
    with pytest.raises(Refused, match="does not know client"):
        list(Partner(dataclasses.replace(at, secret="glc_wrong")).footprints())
    with pytest.raises(Unavailable, match="can't be reached"):
        Partner(dataclasses.replace(at, url=f"http://127.0.0.1:{free_port()}")).send(b"{}")


def test_the_next_page_is_at_the_same_host() -> None:
    """RFC 8288; a token never goes to another host."""
    here = "https://a.example/pact/3/footprints?limit=1"
    assert next_of("", here) is None
    assert next_of('<https://a.example/x?o=1>; rel="next"', here) == "https://a.example/x?o=1"
    assert next_of('</x>; title="a, b"; rel=next', here) == "https://a.example/x"
    assert next_of('</p>; rel="prev", <?o=2>; rel="last next"', here) == (
        "https://a.example/pact/3/footprints?o=2"
    )
    assert next_of('</p>; rel="prev"', here) is None
    for other in ("https://b.example/x", "http://a.example/x", "//b.example/x"):
        with pytest.raises(Corrupt, match="another host"):
            next_of(f'<{other}>; rel="next"', here)


@pytest.mark.parametrize(
    "url",
    [
        "http://c.example",
        "ftp://c.example",
        "https://",
        "https://a:b@c.example",
        "https://c.example/?q=1",
        "c.example",
        "https://c.example/#x",
        f"https://{'c' * 500}",
    ],
)
def test_an_endpoint_is_https(url: str) -> None:
    with pytest.raises(InvalidInput):
        clients.check_url(url, "an endpoint")


# Tokens and attempts


def test_an_expired_token_says_so(own_works: Works) -> None:
    with writing(own_works.house.engine) as conn:
        conn.execute(update(tokens).values(expires_at_s=0))
    assert said(own_works.http.get("/3/footprints")) == (401, "TokenExpired")
    with writing(own_works.house.engine) as conn:
        clients.sweep(conn, own_works.house.desk.clock_s())
    assert said(own_works.http.get("/3/footprints")) == (401, "BadRequest")


def test_failures_slow_further_attempts_down(own_works: Works) -> None:
    with own_works.client() as http:
        answers = [
            http.post(
                "/auth/token",
                data={"grant_type": "client_credentials"},
                auth=(own_works.id, "glc_guessed"),
            )
            for _ in range(6)
        ]
    assert [one.status_code for one in answers] == [401] * 5 + [429]
    assert answers[-1].json()["error"] == "invalid_request"
    assert int(answers[-1].headers["retry-after"]) > 0


def test_secrets_are_nowhere(house: House) -> None:
    works = quiet(
        house, Endpoint(url="https://c.example", auth="", client_id="x", secret="outgoing-secret")
    )
    token = clients.sign_in(house.engine, house.desk.clock_s(), "1.2.3.4", works.id, works.secret)
    house.engine.dispose()
    stored = b"".join(file.read_bytes() for file in house.settings.dir.glob("ledger.sqlite3*"))
    for secret in (works.secret, "outgoing-secret", token):
        assert secret.encode() not in stored
    with reading(house.engine) as conn:
        at = clients.endpoint_of(conn, works.id, house.seal_key)
    assert at is not None
    assert at.secret == "outgoing-secret"
