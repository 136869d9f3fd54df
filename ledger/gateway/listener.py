"""MQTT: one subscription with QoS 1 in a session that the broker keeps while we are away.

A message is acknowledged by hand, after it is on disk: until then the broker keeps it, and sends it
again when we come back. aiomqtt has no acknowledgement of its own (its issue 345), so this module
alone reaches for the paho client inside it.
"""

from __future__ import annotations

import asyncio
import sqlite3
import ssl
from collections.abc import Callable, Sequence
from typing import Final

import aiomqtt
import structlog

from ledger.errors import InvalidInput
from ledger.gateway.config import Config, read_secret
from ledger.gateway.intake import Arrived

GROUP_MOST: Final = 500
_FIRST_WAIT_S: Final = 0.5
_MOST_WAIT_S: Final = 30.0
_PORT, _TLS_PORT = 1883, 8883
_log = structlog.get_logger("greenledger.gateway")
Take = Callable[[Sequence[Arrived]], object]


def client_of(config: Config) -> aiomqtt.Client:
    """A client that acknowledges nothing by itself. Raises InvalidInput or NotFound."""
    broker = config.broker
    context = None
    if broker.tls:
        try:
            context = ssl.create_default_context(
                cafile=config.path(broker.ca_file) if broker.ca_file else None
            )
        except (OSError, ssl.SSLError) as error:
            raise InvalidInput(f"{broker.ca_file}: no certificates: {error}") from error
    password = read_secret(config.path(broker.password_file)) if broker.password_file else None
    client = aiomqtt.Client(
        broker.host,
        broker.port or (_TLS_PORT if broker.tls else _PORT),
        username=broker.username or None,
        password=password,
        identifier=broker.client_id,
        clean_session=False,
        keepalive=broker.keepalive_s,
        tls_context=context,
        timeout=10,
    )
    client._client.manual_ack_set(True)
    return client


async def listen(config: Config, take: Take, connected: Callable[[bool], None]) -> None:
    """For ever: connect, take messages in groups, acknowledge them. `take` runs in a thread."""
    wait_s = _FIRST_WAIT_S
    loop = asyncio.get_running_loop()
    while True:
        begun_s = loop.time()
        client = client_of(config)
        try:
            async with client:
                await client.subscribe(config.broker.topic, qos=1)
                _log.info("listening", topic=config.broker.topic)
                connected(True)
                await _take_all(client, take)
        except aiomqtt.MqttError as error:
            _log.warning("the broker is not there", error=str(error), again_in_s=wait_s)
        except (sqlite3.Error, OSError) as error:
            # Not acknowledged: the broker sends them again when the disk is there again.
            _log.error("messages can't be stored", error=str(error), again_in_s=wait_s)
        finally:
            connected(False)
            client._client._sock_close()  # aiomqtt leaves it open where it was not let in
        if loop.time() - begun_s > _MOST_WAIT_S:
            wait_s = _FIRST_WAIT_S  # it went well for a while
        await asyncio.sleep(wait_s)
        wait_s = min(_MOST_WAIT_S, wait_s * 2)


async def _take_all(client: aiomqtt.Client, take: Take) -> None:
    messages = client.messages
    while True:
        group = [await anext(messages)]
        while len(messages) and len(group) < GROUP_MOST:
            group.append(await anext(messages))
        arrived = [Arrived(topic=str(one.topic), payload=_bytes(one.payload)) for one in group]
        await asyncio.to_thread(take, arrived)
        for one in group:
            if one.qos:
                client._client.ack(one.mid, one.qos)


def _bytes(payload: object) -> bytes:
    return payload if isinstance(payload, bytes) else b""
