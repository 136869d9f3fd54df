"""What can't be taken gets a clear problem document; nothing is written, nothing leaks."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from api.limits import Callers
from tests.api.people import Town

AT = "2026-02-01T00:00:00Z"
CSV = {"Content-Type": "text/csv"}
LINES = {"Content-Type": "application/x-ndjson"}
PARQUET = {"Content-Type": "application/vnd.apache.parquet"}
SECRET = "hunter2-hunter2-hunter2"
RUN = {"point": "bad", "start": AT, "values": [1, 2]}


def run(**changes: Any) -> bytes:
    return json.dumps({"readings": [{**RUN, **changes}]}).encode()


# (why, body, headers, status, what the answer says)
READINGS: list[tuple[str, bytes, dict[str, str], int, str]] = [
    ("no JSON", b"{", {}, 422, "no JSON"),
    ("not UTF-8", b'{"readings": [{"point": "\xff"}]}', {}, 422, "no JSON"),
    ("not a number", b'{"readings": [{"point": "bad", "values": [NaN]}]}', {}, 422, "no JSON"),
    ("another member", b'{"readings": [], "more": 1}', {}, 422, "one member 'readings'"),
    ("no array", b'{"readings": {}}', {}, 422, "an array"),
    ("an unknown member", run(colour="red"), {}, 422, "unknown: ['colour']"),
    ("a fraction", run(values=[1.5]), {}, 422, "integers alone"),
    ("a text", run(values=["1"]), {}, 422, "integers alone"),
    ("a truth", run(values=[True]), {}, 422, "integers alone"),
    ("too large", run(values=[2**63]), {}, 422, "64 bits"),
    ("no time", run(start="yesterday"), {}, 422, "yesterday"),
    ("no such day", run(start="2026-02-30T00:00:00Z"), {}, 422, "does not exist"),
    ("two starts", run(start_s=0), {}, 422, "one of start and start_s"),
    ("no length", run(length_s=0), {}, 422, "length_s is 1"),
    ("a length that is not the point's", run(length_s=7), {}, 409, "7"),
    ("flags that are none", run(quality=[0, 1 << 14]), {}, 422, "quality"),
    ("fewer flags than values", run(quality=[0]), {}, 422, "2 values have 1"),
    ("the year 9999", run(start="9999-12-31T23:45:00Z"), {}, 422, "9999"),
    ("a time to come", run(start="2026-03-02T00:00:00Z"), {}, 409, "future"),
    ("a point that is not", run(point="ghost"), {}, 404, "ghost"),
    ("another's point", run(point="secret-roof"), {}, 404, "secret-roof"),
    ("a column too many", b"point,start,value,x\n", CSV, 422, "unknown: ['x']"),
    ("no columns", b"\n", CSV, 422, "text/csv"),
    ("an empty cell", f"point,start,value\nbad,{AT},\n".encode(), CSV, 422, "text/csv"),
    ("words for numbers", f"point,start,value\nbad,{AT},many\n".encode(), CSV, 422, "text/csv"),
    ("CSV not UTF-8", b"point,start,value\n\xff\xfe,\xff,1\n", CSV, 422, ""),
    ("a line too short", b"point,start,value\nbad\n", CSV, 422, "text/csv"),
    (
        "the same time twice",
        f"point,start,value\nbad,{AT},1\nbad,{AT},2\n".encode(),
        CSV,
        422,
        "begins before",
    ),
    ("no line of JSON", b"{\n", LINES, 422, "x-ndjson"),
    ("a member too many", b'{"point": "bad", "x": 1}\n', LINES, 422, "x-ndjson"),
    ("a line of numbers", b"1\n", LINES, 422, "x-ndjson"),
    ("no Parquet", b"PAR1" * 10, PARQUET, 422, "parquet"),
    ("another medium", b"x", {"Content-Type": "text/html"}, 415, "text/html"),
    ("no gzip", b"no gzip at all", {"Content-Encoding": "gzip"}, 400, "no gzip"),
    ("cut off", gzip.compress(run())[:-9], {"Content-Encoding": "gzip"}, 400, "cut off"),
    ("two packed", gzip.compress(run()) * 2, {"Content-Encoding": "gzip"}, 400, "one member"),
    ("another packing", b"x", {"Content-Encoding": "br"}, 415, "br"),
]


@pytest.fixture
def size(town: Town) -> Iterator[None]:
    """Nothing is written meanwhile."""
    answer = town["mill-preparer"].post(
        "/points", json={"name": "bad", "kind": "other", "owner": "mill"}
    )
    assert answer.status_code in (201, 409)
    before = town["anybody"].get("/log").json()["size"]
    yield
    assert town["anybody"].get("/log").json()["size"] == before


def problem(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    found = dict(answer.json())
    assert found["status"] == status
    assert found["title"]
    return found


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize("case", READINGS, ids=[case[0] for case in READINGS])
def test_readings(town: Town, case: tuple[str, bytes, dict[str, str], int, str]) -> None:
    _, body, headers, status, says = case
    headers = {"Content-Type": "application/json", **headers}
    answer = town["mill-preparer"].post("/readings?source=bad", content=body, headers=headers)
    assert says in problem(answer, status)["detail"]


@pytest.mark.usefixtures("size")
@pytest.mark.parametrize(
    ("path", "body", "status", "says"),
    [
        ("/points", {"name": "x", "kind": "other", "owner": "mill", "z": 1}, 422, "z"),
        ("/points", {"name": "x", "kind": "magic", "owner": "mill"}, 422, "kind"),
        ("/points", {"name": "x", "kind": "other", "owner": "mill", "capacity": "1"}, 422, "cap"),
        ("/points", {"name": "X!", "kind": "other", "owner": "mill"}, 422, "name"),
        ("/points", {"name": "x", "kind": "other", "owner": "farm"}, 404, "farm"),
        ("/points", {"name": "x", "kind": "other", "owner": "ghost"}, 404, "ghost"),
        ("/points", ["x"], 422, "body"),
        ("/entries", {"submissions": []}, 422, "submissions"),
        ("/entries", {"submissions": [{"entry": "AAA"}]}, 422, "base64"),
        ("/entries", {"submissions": [{"entry": "!"}]}, 422, "entry"),
        ("/entries", {"submissions": [{"entry": "AAAA"}]}, 422, "note"),
        ("/claims", {"points": ["secret-roof"], "from": AT, "to": AT}, 404, "secret-roof"),
        ("/claims", {"points": ["secret-saw"], "from": AT, "to": AT}, 422, "empty"),
        ("/certificates/transfers", {"owner": "farm", "to": "mill", "count": 1}, 404, "farm"),
        ("/certificates/transfers", {"owner": "mill", "to": "farm", "count": 0}, 422, "count"),
        ("/certificates/retirements", {"owner": "mill", "count": 2**64}, 422, "count"),
    ],
)
def test_acts(town: Town, path: str, body: Any, status: int, says: str) -> None:
    assert says in problem(town["mill-preparer"].post(path, json=body), status)["detail"]


@pytest.mark.usefixtures("size")
def test_a_bomb_is_not_unpacked(own_town: Town) -> None:
    bomb = gzip.compress(b" " * (own_town.house.settings.body_bytes_max + 10))
    assert len(bomb) < 200_000
    headers = {"Content-Type": "application/json", "Content-Encoding": "gzip"}
    answer = own_town["mill-preparer"].post("/readings", content=bomb, headers=headers)
    assert "larger than" in problem(answer, 413)["detail"]


def test_what_is_too_large_is_not_read(town: Town) -> None:
    most = town.house.settings.body_bytes_max

    def parts() -> Iterator[bytes]:
        for _ in range(most // 65_536 + 2):
            yield b" " * 65_536

    answer = town["mill-preparer"].post("/readings", content=parts())
    assert "larger than" in problem(answer, 413)["detail"]


@pytest.mark.parametrize(
    "credential",
    ["Bearer gls_wrong", "Bearer glk_" + "A" * 43, "Basic eDp5", "nonsense"],
)
def test_a_wrong_credential(town: Town, credential: str) -> None:
    answer = town["anybody"].get("/points", headers={"Authorization": credential})
    assert credential.split()[-1] not in problem(answer, 401)["detail"]


def test_an_expired_key_opens_nothing(own_town: Town) -> None:
    made = own_town["mill-admin"].post(
        "/api-keys", json={"party": "mill", "roles": ["viewer"], "expires_in_s": 60}
    )
    token = {"Authorization": f"Bearer {made.json()['token']}"}
    assert own_town["anybody"].get("/points", headers=token).status_code == 200
    clock = own_town.house.desk.clock_s
    clock.now_s += 61  # type: ignore[attr-defined]  # the tests' own clock
    problem(own_town["anybody"].get("/points", headers=token), 401)


@pytest.mark.parametrize(
    "path",
    ["/points/secret-roof", "/points/no-such-point", "/jobs/" + "0" * 32, "/claims/" + "0" * 32],
)
def test_what_is_anothers_is_not_there(town: Town, path: str) -> None:
    """404 for both, in the same words: whether it exists is private."""
    found = problem(town["mill-viewer"].get(path), 404)
    assert found["detail"].replace(path.rsplit("/", 1)[1], "…").startswith("there is no")


def test_no_answer_repeats_a_secret(town: Town, capsys: pytest.CaptureFixture[str]) -> None:
    for body in (
        {"name": "mill-viewer", "password": SECRET},
        {"name": "mill-viewer", "password": {"text": SECRET}},
        {"name": "mill-viewer", "pass": SECRET},
    ):
        answer = town["anybody"].post("/session", json=body)
        assert answer.status_code in (401, 422, 429)
        assert SECRET not in answer.text
    said = capsys.readouterr()
    assert SECRET not in said.out + said.err


def test_a_large_body_is_for_readings_alone(town: Town) -> None:
    """Nobody's JSON is parsed: a body of braces takes a hundred times its size."""
    braces = b"[" + b"{}," * 500_000 + b"{}]"
    headers = {"Content-Type": "application/json"}
    for path in ("/session", "/claims"):
        answer = town["mill-preparer"].post(path, content=braces, headers=headers)
        assert answer.status_code == 413, path
    # Who may not is told so before the body is looked at.
    for path in ("/claims", "/entries"):
        answer = town["anybody"].post(path, content=braces[:-1], headers=headers)
        assert answer.status_code == (413 if path == "/claims" else 401), path
    assert town["anybody"].post("/claims", content=b"{", headers=headers).status_code == 401
    packed = {**headers, "Content-Encoding": "gzip"}
    answer = town["anybody"].post("/session", content=gzip.compress(braces), headers=packed)
    assert answer.status_code == 413


def test_credentials_that_are_made_up_count_for_their_address() -> None:
    """Else whoever makes them up asks as often as he likes."""
    callers = Callers()

    def keys(token: str) -> list[str]:
        return callers.keys(scope(token))

    def scope(token: str, operation: str = "whoami") -> dict[str, Any]:
        route = SimpleNamespace(operation_id=operation)
        headers = [(b"authorization", token.encode())]
        return {"type": "http", "headers": headers, "client": ("10.0.0.9", 1), "route": route}

    assert keys("Bearer glk_x")[0] == "10.0.0.9"
    callers.note(scope("Bearer glk_x", "health"), 200)
    callers.note(scope("Bearer glk_y"), 401)
    assert {keys("Bearer glk_x")[0], keys("Bearer glk_y")[0]} == {"10.0.0.9"}
    callers.note(scope("Bearer glk_x"), 200)
    (mine,) = keys("Bearer glk_x")
    assert mine not in ("10.0.0.9", "Bearer glk_x")
    callers.note(scope("Bearer glk_x"), 401)
    assert keys("Bearer glk_x") == ["10.0.0.9", mine]


def test_what_could_never_be_a_page_or_a_tile(town: Town) -> None:
    cursor = base64.urlsafe_b64encode(orjson.dumps("z" * 32)).decode().rstrip("=")
    for path in ("/lots", "/certificates", "/credits"):
        answer = town["mill-viewer"].get(path, params={"cursor": cursor})
        assert (answer.status_code, answer.json()["detail"]) == (422, "cursor is of another list")
    for tile in ("x000/" * 1_500 + "000", "x999/" * 7 + "999"):
        assert town["anybody"].get(f"/log/tile/0/{tile}").status_code == 404
        assert town["anybody"].get(f"/log/tile/entries/{tile}").status_code == 404


def test_what_is_nested_too_deep(town: Town) -> None:
    deep = "a = " + "[" * 90_000
    file = {"file_name": "a.csv", "file": "", "author": "mill", "profile": deep}
    answer = town["mill-preparer"].post("/readings/files", json=file)
    assert (answer.status_code, "not a TOML file" in answer.text) == (422, True)
    statement = {"file_name": "a.csv", "file": "", "as_of": "2026-01-31", "profile": deep}
    assert town["manager"].post("/statements", json=statement).status_code == 422
    scheme = {"scheme": "deep", "rules": deep}
    assert town["manager"].post("/schemes", json=scheme).status_code == 422
    headers = {"Content-Type": "application/json"}
    for path in ("/claims", "/readings"):
        answer = town["mill-preparer"].post(path, content=b"[" * 500_000, headers=headers)
        assert answer.status_code in (400, 422), answer.text
