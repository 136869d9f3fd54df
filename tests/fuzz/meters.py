"""What meters and servers say: DL/T 645 frames, MQTT messages, answers over HTTP, cursors."""

from __future__ import annotations

import random
from collections.abc import Sequence
from decimal import Decimal

from api.media import after_id
from ledger.client.client import parse_events
from ledger.client.transport import read_problem, read_text
from ledger.errors import InvalidInput, LedgerError
from ledger.gateway import dlt645
from ledger.gateway.messages import read_message
from tests.fuzz import mutate
from tests.fuzz.engine import Target, require_words
from tests.gateway.test_dlt645 import ANY_METER, CAPTURED, COMPARED, REQUEST


def frame_inputs() -> list[bytes]:
    """Frames with their length before them, in a byte."""
    block = dlt645.answer("000000000161", "0001FF00", [Decimal(n) / 4 for n in range(5)])
    single = [dlt645.parse_hex(one) for one in (CAPTURED, COMPARED, REQUEST, ANY_METER)]
    first = dlt645.Frame(address=block.address, control=0xB1, data=block.data[:12])
    more = dlt645.Frame(
        address=block.address, control=0x92, data=block.data[:4] + block.data[12:] + b"\x01"
    )
    pair = [dlt645.encode(first), dlt645.encode(more)]
    return [_counted([one]) for one in (*single, dlt645.encode(block))] + [_counted(pair)]


def _counted(frames: Sequence[bytes]) -> bytes:
    return b"".join(bytes([len(one)]) + one for one in frames)


def _frames(data: bytes) -> list[bytes]:
    found = []
    while data:
        found.append(data[1 : 1 + data[0]])
        data = data[1 + data[0] :]
    return found


def frame_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    """Spoiled frames, mostly with a checksum and a length that fit again."""
    frames = _frames(raw)
    at = chance.randrange(len(frames))
    frames[at] = mutate.binary(frames[at], others, chance)[:255]
    if chance.random() < 0.7:
        body = bytearray(frames[at].lstrip(b"\xfe"))
        if len(body) >= 12:
            body[9] = len(body) - 12 if len(body) < 268 else 0
            body[-2:] = bytes([sum(body[:-2]) % 256, 0x16])
            frames[at] = bytes(body)
    return _counted(frames)


def frame_judge(data: bytes) -> bool:
    try:
        frames = []
        for raw in _frames(data):
            frame = dlt645.decode(raw)
            preamble = len(raw) - len(raw.lstrip(b"\xfe"))
            assert dlt645.encode(frame, preamble=preamble) == raw
            frames.append(frame)
        registers = dlt645.read_registers(frames)
    except InvalidInput as error:
        require_words(str(error))
        return False
    assert all(0 <= one < 1_000_000 for one in registers.kwh)
    return True


def message_inputs() -> list[bytes]:
    at = "2026-03-01T12:00:00+08:00"
    items = [
        {"point": "roof", "start": at, "value": 12, "length_s": 900, "quality": ["suspect"]},
        {"point": "roof", "start": at, "value": "12.5 kWh"},
        {"at": at, "register": "123456.78 kWh", "meter": "000000000161", "digits": 6},
        {"at": at, "frame": CAPTURED},
        {"at": at, "frame": [CAPTURED, COMPARED], "point": "roof"},
    ]
    return [mutate.compact(one) for one in (*items, items)]


def message_judge(data: bytes) -> bool:
    return not any(hasattr(one, "reason") for one in read_message(data))


def answer_inputs() -> list[bytes]:
    """How it is read, a newline, the content."""
    problem = {"type": "about:blank", "title": "Refused", "status": 409, "detail": "no", "more": 1}
    events = 'event: progress\nid: 3\ndata: {"done": 1}\n\n: keep\ndata: a\ndata: b\n\n'
    return [
        b"problem\n" + mutate.compact(problem),
        b"object\n" + mutate.compact({"index": 3, "path": ["ab" * 32]}),
        b"events\n" + events.encode(),
        b"cursor\nIjAxMDIwMzA0MDUwNjA3MDgwOTBhMGIwYzBkMGUwZjEwIg",
    ]


def answer_mutate(raw: bytes, others: Sequence[bytes], chance: random.Random) -> bytes:
    kind, _, data = raw.partition(b"\n")
    if chance.random() < 0.02:
        return kind + b"\n" + chance.choice((b"[", b'{"a":')) * 20_000
    return kind + b"\n" + mutate.text(data, others, chance)


def answer_judge(data: bytes) -> bool:
    kind, _, raw = data.partition(b"\n")
    if kind == b"problem":
        return bool(read_problem(409, "application/problem+json", raw).text)
    if kind == b"events":
        return bool(list(parse_events(iter(raw.decode(errors="replace").splitlines()))))
    try:
        if kind == b"cursor":
            after_id(raw.decode(errors="replace"))
        else:
            read_text(raw, dict, "/somewhere")
    except LedgerError as error:
        require_words(str(error))
        return False
    return True


TARGETS = (
    Target(name="frame", corpus=frame_inputs, judge=frame_judge, mutate=frame_mutate, share=70),
    Target(
        name="message",
        corpus=message_inputs,
        judge=message_judge,
        mutate=mutate.json_values,
        share=60,
    ),
    Target(name="answer", corpus=answer_inputs, judge=answer_judge, mutate=answer_mutate, share=20),
)
