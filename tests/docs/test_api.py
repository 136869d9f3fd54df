"""docs/api*.md: the walk works when it is typed, tables and numbers are those of the code."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from api.callers import SESSION_COOKIE
from api.media import PAGE_MAX
from api.problems import STATUS
from ledger.access.roles import READERS
from ledger.access.table import RULES
from ledger.house import House
from ledger.jobs import service as jobs
from ledger.metering.payload import MEDIA
from ledger.settings import Settings
from tests.api.people import PASSWORDS, Town, settle
from tests.docs.operations import document, operations, who_may
from tests.docs.pages import ROOT, code_words, read, section, tables
from tests.ledgers import begun, begun_template, ledger_database
from tests.servers.api import serving
from tests.servers.postgres import postgresql

__all__ = ["begun", "begun_template", "ledger_database", "postgresql"]
PAGES = ["api.md", "api.zh-CN.md"]
BLOCK = re.compile(r"^```sh\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)


@pytest.fixture
def served(tmp_path: Path) -> Iterator[dict[str, str]]:
    """What `./dev serve` starts, on a free port."""
    words = ["serve", "--new", "--json", "--port", "0", "--dir", str(tmp_path / "park")]
    with subprocess.Popen(
        [sys.executable, "-m", "ledger.cli", *words],
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        line = process.stdout.readline()
        try:
            yield json.loads(line)
        finally:
            process.terminate()
            process.wait(20)


@pytest.mark.long
def test_the_walk(served: dict[str, str], tmp_path: Path) -> None:
    """Both languages show the same commands (below), so one is typed."""
    text = section(read("api.md"), "From nothing to evidence")
    script = "set -e\n" + "".join(BLOCK.findall(text))
    # The readings are of last year at the least: nothing is handed in before it was metered.
    year = max(2026, datetime.now(UTC).year - 1)
    script = script.replace("2027-", f"{year + 1}-").replace("2026-", f"{year}-")
    for word, place in (
        ("$PWD/.venv/bin", str(Path(sys.executable).parent)),
        ("http://127.0.0.1:8000/api/v1", served["url"]),
        ("what serve printed", served["first_password"]),
        ("../my-walk", str(tmp_path / "walk")),
    ):
        assert word in script
        script = script.replace(word, place)
    done = subprocess.run(
        ["sh"],
        input=script,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (totals,) = re.findall(r'`("quarter_hour":.*?)`', text)
    assert totals in done.stdout
    claims = re.findall(r'"facts":\{"claim":"([0-9a-f]{32})"', done.stdout)
    assert len(claims) == 2
    assert len(set(claims)) == 1
    assert "a kWh is claimed once" in done.stdout
    assert "single use established in this log" in done.stdout
    assert "Each entry keeps the rules of the ledger" in done.stdout
    assert '"values":[30000,30000,30000,30000]' in done.stdout
    assert "there is no point 'roof' of yours" in done.stdout
    assert done.stdout.endswith("not theirs\n")


@pytest.mark.parametrize("page", PAGES)
def test_the_table_of_operations_is_that_of_the_code(page: str, begun: House) -> None:
    told = tables(read(page))[-1][1:]
    assert told == operations(document(begun)), "python -m tests.docs.operations prints it"
    begun.engine.dispose()


def test_who_may_is_said_of_every_role() -> None:
    """Each way of saying it, read from the table by hand."""
    told = {name: who_may(RULES[name]) for name in ("health", "points_list", "draft_approve")}
    assert told == {
        "health": "`public`",
        "points_list": "`own` `readers` `gateway`",
        "draft_approve": "`own` `approver` `person`",
    }


@pytest.mark.parametrize("page", PAGES)
def test_words_and_numbers_are_those_of_the_code(page: str) -> None:
    text = read(page)
    readers = re.search(r"^`readers` (.*?)[.。]", text, flags=re.MULTILINE)
    assert readers
    assert set(code_words(readers[1])) == {str(role) for role in READERS}
    formats, errors, limits, *_ = tables(text)
    assert [code_words(row[0])[0] for row in formats[1:]] == list(MEDIA)
    told = {int(number) for row in errors[1:] for number in re.findall(r"\d{3}", row[0])}
    assert told >= {status for status in STATUS.values() if status != 500}
    for _, setting, default in limits[1:]:
        name = code_words(setting)[0].removeprefix("GREENLEDGER_").lower()
        assert float(default) == Settings.model_fields[name].default
    assert f"{PAGE_MAX:,}" in text
    assert str(jobs.PAGE_MAX) in text


@pytest.mark.parametrize("page", PAGES)
def test_calls_in_the_text_are_routes(page: str, begun: House) -> None:
    """`GET /points/{name}`, and the paths of the public log."""
    routes = {row[1].strip("`") for row in operations(document(begun))}
    begun.engine.dispose()
    text = read(page)
    told = re.findall(r"`((?:GET|PUT|POST|DELETE) /[^`]*)`", text)
    assert len(told) > len(routes)
    for call in told:
        assert call in routes | {"GET /api/v1/openapi.json"}, call
    paths = {route.partition(" ")[2] for route in routes}
    for words in tables(text)[3][1:]:
        for path in code_words(words[0]):
            cut = path.partition("?")[0].partition("…")[0]
            assert any(each.startswith(cut) for each in paths), path


@pytest.fixture
def town(begun: House) -> Iterator[Town]:
    with serving(begun, PASSWORDS) as url:
        found = settle(begun, url)
        yield found
        found.close()
    begun.engine.dispose()


def test_the_examples_of_readings_are_taken(town: Town) -> None:
    manager: httpx.Client = town["manager"]
    roof = {"name": "roof", "kind": "generation", "owner": "operator"}
    assert manager.post("/points", json=roof).status_code == 201
    shown = [row[1] for row in tables(read("api.md"))[0][1:4]]
    bodies = [code_words(cell) for cell in shown]
    for media, words in zip(MEDIA, bodies, strict=False):
        answer = manager.post(
            "/readings",
            content="\n".join(words),
            headers={"Content-Type": media, "Idempotency-Key": media},
        )
        assert answer.status_code == 201, answer.text
        assert answer.json()["facts"]["stored"] == (
            2 if len(words) == 1 and 's"' in words[0] else 1
        )
    (example,) = re.findall(r"^```json\n(.*?)^```", read("api.md"), re.MULTILINE | re.DOTALL)
    refused = manager.post("/points", json=roof)
    assert refused.json() == json.loads(example)


def test_a_browser_has_the_session_as_a_cookie(town: Town) -> None:
    """And with it writes from the same site alone."""
    jar = {"Cookie": f"{SESSION_COOKIE}={town.tokens['manager']}"}
    host = urlsplit(town.url)
    with httpx.Client(base_url=town.url, headers=jar) as client:
        assert client.get("/me").json()["via"] == "session"
        assert client.post("/checkpoints").status_code == 403
        origin = {"Origin": f"http://{host.netloc}"}
        assert client.post("/checkpoints", headers=origin).status_code == 202


def test_both_pages_show_the_same() -> None:
    english, chinese = (read(page) for page in PAGES)
    assert sorted(set(code_words(english))) == sorted(
        {word.replace(".zh-CN", "") for word in code_words(chinese)}
    )
    blocks = [
        re.findall(r"^```.*?^```", page, re.MULTILINE | re.DOTALL) for page in (english, chinese)
    ]
    assert blocks[0] == blocks[1] != []
