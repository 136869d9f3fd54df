"""No path from a name that somebody sends: what is called a file name is words, no more."""

from __future__ import annotations

import base64
import gzip
from pathlib import Path

import httpx
import pytest

from ledger.errors import InvalidInput
from ledger.log.bodies import Blob
from ledger.metering.entries import file_of
from ledger.metering.importers import read_bytes, read_profile
from tests.api.people import Town
from tests.metering.importers.files import FACTS, NOW_S, PARK, profile_text

NAMES = (
    *["../../escaped", "/tmp/escaped", "..", ".", "a/../../b", "..\\..\\escaped", "C:\\escaped"],
    *["nul\x00byte", "line\nbreak", "CON", "NUL.csv", "~/escaped", "$(touch escaped)", "a;b|c"],
    *[
        "x" * 200,
        "x" * 5_000,
        "文件/../逃",
        "\u202egnp.csv",
        "file:///etc/passwd",
        "%2e%2e%2fescaped",
    ],
)


def files_under(folder: Path) -> set[str]:
    return {str(file.relative_to(folder)) for file in folder.rglob("*")}


def test_names_that_are_sent_touch_no_disk(new_town: Town) -> None:
    """A name is refused, or kept as words in a job: no file comes of it, here or above. A path of
    a tile is numbers; anything else is none. And a packed request is not unpacked without end."""
    manager, anybody = new_town["manager"], new_town["anybody"]
    folder = new_town.house.settings.dir
    before, above = files_under(folder), set(folder.parent.iterdir())
    statuses = set()
    for name in NAMES:
        body = {
            "file_name": name,
            "file": base64.b64encode(b"time,kWh\n2026-01-01 00:00,1\n").decode(),
            "profile": profile_text(),
            "source": "roof",
            "author": "operator",
        }
        answer = manager.post("/readings/files", json=body)
        statuses.add(answer.status_code)
        assert answer.status_code in (202, 422), (name, answer.text)
        for path in (f"/log/tile/0/{name}", f"/log/tile/entries/{name}", f"/jobs/{name}/result"):
            try:
                url = httpx.URL(new_town.url).copy_with(path="/api/v1" + path)
                answer = anybody.get(url)
            except (httpx.InvalidURL, httpx.RemoteProtocolError):
                continue
            assert answer.status_code in (401, 404, 405, 422), (path, answer.status_code)
            assert b"root:" not in answer.content
    assert statuses == {202, 422}
    grown = files_under(folder) - before
    assert not any("escaped" in one or "逃" in one for one in grown), grown
    assert set(folder.parent.iterdir()) == above
    assert not Path("/tmp/escaped").exists()
    for megabytes in (1, 10, 60):
        packed = gzip.compress(b" " * (megabytes * 2**20 - 100))
        headers = {"Content-Encoding": "gzip", "Content-Type": "application/json"}
        answer = anybody.post("/session", content=packed, headers=headers)
        assert answer.status_code == (413 if megabytes > 1 else 422), answer.text


@pytest.mark.parametrize("name", NAMES)
def test_names_of_files_in_profiles_and_manifests(name: str) -> None:
    """The name is matched against the profile's, and told in messages; nothing is opened by it."""
    profile = read_profile(profile_text(), where="test.toml")
    data = b"time,kWh\n2026-01-01 00:00,1\n"
    found = read_bytes(data, profile, name=name, points={"p": FACTS}, zone=PARK, now_s=NOW_S)
    assert len(found.series) == 1


@pytest.mark.parametrize("name", NAMES)
def test_names_in_manifests_open_no_file(name: str) -> None:
    """A backup is read by the hashes that manifests name: what is no hash is no manifest."""
    manifest = {"file": {"name": "list.csv", "hash": name, "size": 1}}
    body = Blob.seal_json(manifest, "manifest", salt=bytes(32))
    with pytest.raises(InvalidInput, match="64 lower-case hex digits"):
        file_of({"manifest": body})
