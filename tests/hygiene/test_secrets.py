"""No secret in a log line, an error, a metric, a job or the database: a service is run at the level
`debug` through all that has secrets, made to fail, and everything that it wrote is searched.
"""

from __future__ import annotations

import base64
import json
import os
import subprocess
import sys
import time
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pyotp
import pytest

from ledger.access.oidc import Answer, Begun, Provider
from ledger.house import House
from ledger.log.notes import SigningKey, write_skey
from ledger.parties.keystore import Keystore
from ledger.settings import Settings
from tests.api.people import PASSWORD, PASSWORDS, settle
from tests.fuzz.bodies import SECRET, allocations, readings, units
from tests.ledgers import begin, raw
from tests.servers.api import free_port
from tests.shared_data import ROOT

KEK = "c0ffee" * 10 + "beef"
OIDC_SECRET = "an-oidc-client-secret-Zq8"
REDIS_PASSWORD = "a-redis-password-Xk2"
DATABASE_PASSWORD = "a-database-password-Vn7"
WRONG = "a wrong password that somebody typed"


def forms(secret: str) -> Iterator[bytes]:
    """As it is, in hex, in base64 at each offset, and as JSON has it."""
    data = secret.encode()
    yield data
    yield data.hex().encode()
    for skipped in range(3):
        encoded = base64.b64encode(bytes(skipped) + data).rstrip(b"=")
        yield encoded[4 if skipped else 0 : -2][:40]
    yield base64.urlsafe_b64encode(data).rstrip(b"=")[:-2]


def require_none(where: str, told: bytes, secrets: dict[str, str]) -> None:
    for name, secret in secrets.items():
        for form in forms(secret):
            assert len(form) >= 6, name
            assert form not in told, f"{name} stands in {where}"


def test_a_secret_is_found_in_each_form() -> None:
    told = [b"x" + PASSWORD.encode(), PASSWORD.encode().hex().encode()]
    told += [base64.b64encode(b"." * n + PASSWORD.encode() + b"..") for n in range(3)]
    for one in told:
        with pytest.raises(AssertionError, match="stands in"):
            require_none("a line", one, {"password": PASSWORD})


@dataclass
class Service:
    """A process of `greenledger serve`, and all that it says."""

    url: str
    process: subprocess.Popen[bytes]
    log: Path
    secrets: dict[str, str]
    answers: list[httpx.Response] = field(default_factory=list)

    def call(self, verb: str, path: str, token: str = "", **given: object) -> httpx.Response:
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        answer = httpx.request(verb, self.url + path, headers=headers, timeout=30, **given)  # type: ignore[arg-type]
        self.answers.append(answer)
        return answer


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    """Its Redis and its OpenID provider do not answer, so that it has something to tell of them."""
    folder = tmp_path / "park"
    environment = {
        "GREENLEDGER_DIR": str(folder),
        "GREENLEDGER_KEK": KEK,
        "GREENLEDGER_LOG_LEVEL": "debug",
        "GREENLEDGER_OIDC_ISSUER": f"https://127.0.0.1:{free_port()}",
        "GREENLEDGER_OIDC_CLIENT_ID": "greenledger",
        "GREENLEDGER_OIDC_CLIENT_SECRET": OIDC_SECRET,
        "GREENLEDGER_OIDC_REDIRECT_URI": "https://park.example/api/v1/session/oidc/callback",
        "GREENLEDGER_REDIS_URL": f"redis://:{REDIS_PASSWORD}@127.0.0.1:{free_port()}/0",
    }
    settings = Settings(dir=folder, kek=KEK)  # type: ignore[arg-type]
    house = House.init(settings, origin="park.example/secrets", name="Park", clock_s=_clock)
    house.engine.dispose()
    log = tmp_path / "log"
    with log.open("wb") as errors:
        process = subprocess.Popen(
            [sys.executable, "-m", "ledger.cli", "serve", "--json", "--port", "0"],
            stdout=subprocess.PIPE,
            stderr=errors,
            env={**os.environ, **environment},
            cwd=ROOT,
        )
    assert process.stdout is not None
    line = process.stdout.readline()
    assert line, log.read_text(encoding="utf-8")
    secrets = {"kek": KEK, "oidc": OIDC_SECRET, "redis": REDIS_PASSWORD, "password": PASSWORD}
    port = urlsplit(json.loads(line)["url"]).port
    yield Service(f"http://127.0.0.1:{port}/api/v1", process, log, secrets | {"wrong": WRONG})
    process.terminate()
    process.wait(20)
    process.stdout.close()


def _clock() -> int:
    return int(time.time())


def test_nothing_that_is_written_holds_a_secret(service: Service, tmp_path: Path) -> None:
    settings = Settings(dir=tmp_path / "park", kek=KEK)  # type: ignore[arg-type]
    house = House.open(settings)
    town = settle(house, service.url)
    manager = _sign_in(service)
    _second_factor(service, manager)
    _keys(service, manager)
    for name in ("nobody", WRONG):
        service.call("POST", "/session", json={"name": name, "password": WRONG})
    service.call("POST", "/session", json={"name": "manager", "password": {"x": WRONG}})
    service.call("POST", "/session", content=b'{"password": "' + PASSWORD.encode())
    service.call("GET", "/session/oidc")
    service.call("GET", f"/session/oidc/callback?state={PASSWORD}&code={WRONG}")
    service.call("GET", "/points", "gls_" + "x" * 43)
    service.call("POST", "/runs", manager, json={"from": "2026-01-01", "to": WRONG})
    _metrics_and_jobs(service, manager)
    _make_it_fail(service, manager, house)
    town.close()
    house.engine.dispose()
    told = service.log.read_bytes()
    assert b'"event": "unavailable"' in told, "it tells what failed"
    require_none("the log", told, service.secrets)
    for answer in service.answers:
        if answer.status_code >= 400 or answer.url.path.endswith("/metrics"):
            require_none(str(answer.url.path), answer.content, service.secrets)
    for file in (tmp_path / "park").rglob("*"):
        if file.is_file():
            require_none(file.name, file.read_bytes(), service.secrets)


def _sign_in(service: Service) -> str:
    answer = service.call("POST", "/session", json={"name": "manager", "password": PASSWORD})
    assert answer.status_code == 201, answer.text
    token = str(answer.json()["token"])
    service.secrets["session"] = token.removeprefix("gls_")
    return token


def _second_factor(service: Service, token: str) -> None:
    secret = service.call("POST", "/me/totp", token).json()["secret"]
    service.secrets["totp"] = secret
    code = pyotp.TOTP(secret).now()
    answer = service.call("POST", "/me/totp/confirmation", token, json={"code": code})
    assert answer.is_success, answer.text
    for number, recovery in enumerate(answer.json()["codes"]):
        service.secrets[f"recovery {number}"] = recovery
    named = {"name": "manager", "password": PASSWORD}
    service.call("POST", "/session", json=named | {"code": answer.json()["codes"][0]})
    service.call("POST", "/session", json=named | {"code": answer.json()["codes"][0]})


def _keys(service: Service, token: str) -> None:
    wanted = {"party": "operator", "roles": ["viewer"], "label": "a program"}
    answer = service.call("POST", "/api-keys", token, json=wanted)
    assert answer.status_code == 201, answer.text
    key = str(answer.json()["token"])
    service.secrets["key"] = key.removeprefix("glk_")
    assert service.call("GET", "/me", key).status_code == 200
    service.call("POST", "/session", key, json={"name": key, "password": key})


def _metrics_and_jobs(service: Service, token: str) -> None:
    assert b"greenledger" in service.call("GET", "/metrics", token).content
    jobs = service.call("GET", "/jobs", token)
    require_none("jobs", jobs.content, service.secrets)


def _make_it_fail(service: Service, token: str, house: House) -> None:
    """Tables are gone under it: what it can't write, or find, stands in what it says."""
    connection = raw(house)
    for table in ("access_events", "jobs"):
        connection.execute(f"DROP TABLE {table}")
    connection.close()
    assert (
        service.call(
            "POST", "/session", json={"name": "farm-preparer", "password": PASSWORD}
        ).status_code
        >= 500
    )
    assert service.call("GET", "/jobs", token).status_code >= 500


# Start and settings


@pytest.mark.parametrize(
    "given",
    [
        {"DATABASE_URL": f"postgresql://park:{DATABASE_PASSWORD}@127.0.0.1:1/park"},
        {"DATABASE_URL": f"mysql://park:{DATABASE_PASSWORD}@127.0.0.1/park"},
        {"DATABASE_URL": f"postgresql://park:{DATABASE_PASSWORD}@127.0.0.1:port/park"},
        {"KEK": DATABASE_PASSWORD, "JOB_THREADS": DATABASE_PASSWORD},
    ],
    ids=["unreachable", "unknown", "malformed", "kek"],
)
def test_a_service_that_does_not_start_says_no_secret(
    given: dict[str, str], tmp_path: Path
) -> None:
    begin(tmp_path / "park").engine.dispose()
    environment = {f"GREENLEDGER_{name}": value for name, value in given.items()}
    environment["GREENLEDGER_DIR"] = str(tmp_path / "park")
    told = subprocess.run(
        [sys.executable, "-m", "ledger.cli", "status"],
        capture_output=True,
        check=False,
        env={**os.environ, "GREENLEDGER_LOG_LEVEL": "debug", **environment},
        cwd=ROOT,
    )
    assert told.returncode != 0
    require_none("what it says", told.stdout + told.stderr, {"secret": DATABASE_PASSWORD})


# What a debugger, a traceback with values, or a careless line would show


def test_nothing_with_a_secret_shows_it() -> None:
    key = SigningKey.from_seed("park.example/x", SECRET)
    settings = Settings(
        kek=KEK,  # type: ignore[arg-type]
        database_url=f"postgresql://park:{DATABASE_PASSWORD}@host/park",
        redis_url=f"redis://:{REDIS_PASSWORD}@host",  # type: ignore[arg-type]
        oidc_client_secret=OIDC_SECRET,  # type: ignore[arg-type]
        oidc_issuer="https://issuer.example",
        oidc_client_id="client",
        oidc_redirect_uri="https://park.example",
    )
    provider = Provider.of(settings)
    assert provider is not None
    secrets = {
        "kek": KEK,
        "database": DATABASE_PASSWORD,
        "redis": REDIS_PASSWORD,
        "oidc": OIDC_SECRET,
        "seed": SECRET.decode("latin-1"),
        "skey": write_skey(key).rpartition("+")[2],
        "token": PASSWORD,
    }
    shown = [
        *(settings, provider, key, Keystore(Path("secrets"), KEK), readings(), allocations()),
        *(units(), PASSWORDS, Begun(url=PASSWORD, state=PASSWORD)),
        Answer(cookie=PASSWORD, state=PASSWORD, code=PASSWORD),
    ]
    for one in shown:
        for text in (repr(one), str(one), f"{one}"):
            require_none(type(one).__name__, text.encode(), secrets)
            assert repr(SECRET) not in text, type(one).__name__


# Comparing


def test_rules_of_linting_that_guard_secrets_are_on() -> None:
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["ruff"]
    assert "S" in rules["lint"]["select"]
