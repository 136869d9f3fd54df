"""Events of PACT version 3: CloudEvents 1.0 in structured mode. Pure.

Source: WBCSD PACT technical specification 3.0.3, "Action Events". Its older text names types of
version 2; those of the schema count.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Final, Literal

from pydantic import Field

from ledger.errors import InvalidInput
from ledger.footprint.pact.fields import Instant, NonEmpty, Unique, Uuid
from ledger.footprint.pact.model import Part, ProductFootprint
from ledger.footprint.pact.reading import parse, read_json, write_json
from ledger.footprint.pact.schema import EVENT, URL

MEDIA: Final = "application/cloudevents+json"
CREATED: Final = "created"
FULFILLED: Final = "fulfilled"
REJECTED: Final = "rejected"
PUBLISHED: Final = "published"
_PREFIX: Final = "org.wbcsd.pact.ProductFootprint."
TYPES: Final[Mapping[str, str]] = {
    CREATED: f"{_PREFIX}RequestCreatedEvent.3",
    FULFILLED: f"{_PREFIX}RequestFulfilledEvent.3",
    REJECTED: f"{_PREFIX}RequestRejectedEvent.3",
    PUBLISHED: f"{_PREFIX}PublishedEvent.3",
}
ErrorCode = Literal[
    "BadRequest", "AccessDenied", "TokenExpired", "NotFound", "InternalError", "NotImplemented"
]
_Text = Annotated[str, Field(max_length=URL)]
_Asked = Annotated[str, Field(max_length=URL, pattern=r"^[uU][rR][nN]:")]


class Said(Part):
    """An error, in an answer and in an event."""

    code: ErrorCode
    message: str


class _Criteria(Part):
    product_id: list[_Asked] | None = None
    company_id: list[_Asked] | None = None
    geography: list[_Text] | None = None
    classification: list[_Asked] | None = None
    valid_on: Instant | None = None
    valid_after: Instant | None = None
    valid_before: Instant | None = None
    status: Literal["Active", "Deprecated"] | None = None
    comment: str | None = None


class _Fulfilled(Part):
    request_event_id: str
    pfs: Annotated[list[ProductFootprint], Field(min_length=1)]


class _Rejected(Part):
    request_event_id: str
    error: Said


class _Published(Part):
    pf_ids: Annotated[list[Uuid], Field(min_length=1), Unique]


class _Envelope(Part):
    type: str
    specversion: Literal["1.0"]
    id: Annotated[NonEmpty, Field(max_length=EVENT)]
    source: Annotated[NonEmpty, Field(max_length=URL)]
    time: Instant
    data: dict[str, Any]


_DATA: Final[Mapping[str, type[Part]]] = {
    CREATED: _Criteria,
    FULFILLED: _Fulfilled,
    REJECTED: _Rejected,
    PUBLISHED: _Published,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """An event that holds. `data` is as it came."""

    kind: str
    id: str
    source: str
    time: str
    data: Mapping[str, Any]


def read_event(body: bytes) -> Event:
    """Raises InvalidInput with the place."""
    value = read_json(body)
    envelope = parse(_Envelope, value)
    kinds = [kind for kind, name in TYPES.items() if name == envelope.type]
    if not kinds:
        raise InvalidInput(f"$.type: is none of {', '.join(TYPES.values())}")
    parse(_DATA[kinds[0]], envelope.data, "$.data")
    return Event(
        kind=kinds[0],
        id=envelope.id,
        source=envelope.source,
        time=envelope.time,
        data=envelope.data,
    )


def write_event(event: Event) -> bytes:
    return write_json(
        {
            "type": TYPES[event.kind],
            "specversion": "1.0",
            "id": event.id,
            "source": event.source,
            "time": event.time,
            "data": dict(event.data),
        }
    )


def source_of(base_url: str) -> str:
    """`https://api.example.com` → `//api.example.com/3/events`, as the specification writes it."""
    return f"//{base_url.partition('://')[2].rstrip('/')}/3/events"


def fulfilled(request: str, footprints: Sequence[ProductFootprint]) -> dict[str, Any]:
    return {"requestEventId": request, "pfs": [one.to_json() for one in footprints]}


def rejected(request: str, code: str, message: str) -> dict[str, Any]:
    return {"requestEventId": request, "error": {"code": code, "message": message}}


def published(ids: Sequence[str]) -> dict[str, Any]:
    return {"pfIds": list(ids)}
