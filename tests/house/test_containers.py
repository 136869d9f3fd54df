"""Dockerfile and docker-compose.yml say what the code says: commands, ports, variables, URLs."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from api.app import BASE
from api.routes.health import router as health
from ledger.cli.app import app
from ledger.gateway.config import read_config
from ledger.gateway.listener import _TLS_PORT
from ledger.settings import Settings

ROOT = Path(__file__).parents[2]
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
DOCKERFILE = (ROOT / "Dockerfile").read_text()
OURS = {name for name, one in SERVICES.items() if "build" in one}
VARIABLES = {f"GREENLEDGER_{name.upper()}" for name in Settings.model_fields}
SECRETS = {"GREENLEDGER_DATABASE_URL", "GREENLEDGER_REDIS_URL", "GREENLEDGER_KEK"}


def parse(words: list[str]) -> dict[str, Any]:
    """What the real command line makes of the words; nothing is done. Fails where it takes none."""
    # Typer's own copy of click, which it does not export; hence by what it has.
    command: Any = app
    context = command.make_context("greenledger", list(words))
    while hasattr(command, "resolve_command"):
        name, found, rest = command.resolve_command(
            context, [*context._protected_args, *context.args]
        )
        command, context = found, found.make_context(name, rest, parent=context)
    params: dict[str, Any] = context.params
    return params


def instruction(name: str) -> list[str]:
    return re.findall(rf"^{name} ((?:.*\\\n)*.*)", DOCKERFILE, re.MULTILINE)


def test_all_parts_of_the_service_are_there() -> None:
    assert set(SERVICES) == {
        *("api", "worker", "beat", "gateway", "migrate", "grant"),
        *("postgres", "redis", "mosquitto"),
    }
    assert {SERVICES[name]["command"][0] for name in OURS} == {
        *("serve", "worker", "beat", "gateway", "migrate", "grant")
    }


@pytest.mark.parametrize("name", sorted(OURS))
def test_every_command_is_one_of_ours(name: str) -> None:
    parse(SERVICES[name]["command"])
    test = SERVICES[name].get("healthcheck", {}).get("test")
    if test:
        assert test[:2] == ["CMD", "greenledger"]
        parse(test[2:])


def test_a_command_that_is_none_of_ours_is_noticed() -> None:
    for words in (["serve", "--listen", "x"], ["serv"], ["gateway"], ["serve", "--port", "x"]):
        with pytest.raises(Exception, match=r"No such|Missing|should be a valid"):
            parse(words)


def test_the_image_serves_and_is_asked_for_its_health_where_it_answers() -> None:
    (command,) = instruction("CMD")
    served = parse(json.loads(command))
    assert json.loads(instruction("ENTRYPOINT")[0]) == ["greenledger"]
    assert instruction("EXPOSE") == [str(served["port"])]
    assert served["host"] == "0.0.0.0"
    paths = {getattr(route, "path", "") for route in health.routes}
    (url,) = re.findall(r"http://127\.0\.0\.1:(\d+)(/[^']*)'", instruction("HEALTHCHECK")[0])
    assert url == (str(served["port"]), f"{BASE}/health")
    assert "/health" in paths
    assert SERVICES["api"]["command"] == json.loads(command)
    assert SERVICES["api"]["ports"] == [f"127.0.0.1:{served['port']}:{served['port']}"]


def test_variables_are_settings_and_secrets_have_no_default() -> None:
    for name in OURS:
        given = SERVICES[name]["environment"]
        assert set(given) <= VARIABLES, name
        for variable, value in given.items():
            assert (variable in SECRETS) == ("${" in str(value)), (name, variable)
    (set_in_image,) = [re.findall(r"(GREENLEDGER_\w+)=", text) for text in instruction("ENV")]
    assert set(set_in_image) <= VARIABLES
    text = (ROOT / "docker-compose.yml").read_text()
    asked = re.findall(r"\$\{(\w+)([^}]*)\}", text)
    assert all(rest.startswith(":?set ") for _, rest in asked), asked
    example = (ROOT / ".env.example").read_text()
    assert {name for name, _ in asked} == set(re.findall(r"^(\w+)=$", example, re.MULTILINE))
    assert not re.findall(r"^\w+=.+$", example, re.MULTILINE)


def test_the_service_runs_as_a_role_that_only_adds() -> None:
    script = (ROOT / "deploy" / "postgres-role.sh").read_text()
    (role,) = SERVICES["grant"]["command"][1:]
    assert f"CREATE ROLE {role} LOGIN" in script
    mounted = "./deploy/postgres-role.sh:/docker-entrypoint-initdb.d/role.sh:ro"
    assert mounted in SERVICES["postgres"]["volumes"]
    for name in ("api", "worker", "beat"):
        url = SERVICES[name]["environment"]["GREENLEDGER_DATABASE_URL"]
        assert url.startswith(f"postgresql://{role}:${{SERVICE_PASSWORD:?")
        assert SERVICES[name]["depends_on"]["grant"] == {
            "condition": "service_completed_successfully"
        }
    owner = SERVICES["postgres"]["environment"]["POSTGRES_USER"]
    for name in ("migrate", "grant"):
        url = SERVICES[name]["environment"]["GREENLEDGER_DATABASE_URL"]
        assert url.startswith(f"postgresql://{owner}:${{POSTGRES_PASSWORD:?")


def test_the_gateway_sees_no_secret_of_others() -> None:
    one = SERVICES["gateway"]
    assert not SECRETS & set(one["environment"])
    assert one["networks"] == ["meters"]
    assert not any(volume.startswith(("ledger:", "high-water:")) for volume in one["volumes"])


@pytest.mark.parametrize("name", sorted(SERVICES))
def test_nothing_runs_as_root_writes_its_image_or_moves_by_itself(name: str) -> None:
    one = SERVICES[name]
    assert one["read_only"] is True
    assert one["cap_drop"] == ["ALL"]
    assert "restart" in one
    if name in OURS:
        assert instruction("USER") == ["10001:10001"]
        assert "user" not in one
    else:
        assert one["user"] not in ("root", "0")
        assert re.search(r":\d+\.\d+", one["image"]), "a version is pinned"
    assert not one["image"].endswith(":latest")
    assert name in ("api", "migrate", "grant") or one["healthcheck"]["test"]
    for base in instruction("FROM"):
        assert re.fullmatch(r"python:3\.1[123]\.\d+-slim-\w+( AS wheels)?", base)


def test_volumes_and_networks_are_named_and_used() -> None:
    named = {
        volume.split(":")[0]
        for one in SERVICES.values()
        for volume in one["volumes"]
        if re.match(r"[a-z]", volume)
    }
    assert named == set(COMPOSE["volumes"])
    used = {network for one in SERVICES.values() for network in one["networks"]}
    assert used == set(COMPOSE["networks"])
    assert COMPOSE["networks"]["data"] == {"internal": True}
    for one in SERVICES.values():
        assert set(one.get("depends_on", {})) <= set(SERVICES)


def test_the_broker_and_the_gateway_agree() -> None:
    config = (ROOT / "deploy" / "mosquitto.conf").read_text()
    (port,) = re.findall(r"^listener (\d+)$", config, re.MULTILINE)
    found = read_config(ROOT / "deploy" / "gateway.toml")
    assert (found.broker.host, found.broker.port) == ("mosquitto", int(port))
    assert (found.broker.port, found.broker.tls) == (_TLS_PORT, True)
    assert found.server.url == "http://api:8000"
    assert str(found.outbox) == "/var/lib/greenledger-gateway"
    assert f"gateway-outbox:{found.outbox}" in SERVICES["gateway"]["volumes"]
    assert SERVICES["mosquitto"]["ports"] == [f"{port}:{port}"]
    assert SERVICES["mosquitto"]["healthcheck"]["test"][-1] == port
    acl = (ROOT / "deploy" / "mosquitto.acl").read_text()
    assert f"user {found.broker.username}\ntopic read greenledger/+/+/readings" in acl


def test_the_image_is_built_from_the_hashed_lock_and_named_files() -> None:
    assert "--require-hashes" in DOCKERFILE
    assert DOCKERFILE.count("pip wheel") + DOCKERFILE.count("pip install") == DOCKERFILE.count(
        "--no-index"
    ) + DOCKERFILE.count("--require-hashes")
    ignored = (ROOT / ".dockerignore").read_text()
    assert "\n*\n" in ignored
    copied = {
        path.rstrip("/")
        for words in instruction("COPY")
        if not words.startswith("--from")
        for path in words.split()[:-1]
    }
    assert copied == set(re.findall(r"^!(.*)$", ignored, re.MULTILINE))
    assert all((ROOT / path).exists() for path in copied)
    assert not re.search(r"(?i)password|secret=|token=", "".join(instruction("ENV")))
