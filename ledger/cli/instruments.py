"""What `certificate …` and `credit …` share: two groups over one registry, by kind of scheme."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Annotated, Final

import typer
from sqlalchemy import Connection

from ledger import db
from ledger.cli.options import id_span, one_of_id, read_key
from ledger.errors import InvalidInput, NotFound
from ledger.house import House
from ledger.log.notes import SigningKey
from ledger.registry import catalogue, used
from ledger.registry.choosing import Selection
from ledger.registry.leaves import BatchId
from ledger.registry.ranges import SerialRange, joined
from ledger.registry.schema import retirements
from ledger.registry.scheme import CERTIFICATE, CREDIT, RECORD, Scheme
from ledger.registry.used import RetirementRow

certificate = typer.Typer(
    help="Certificates: imported, held, handed over, retired, each used once.",
    no_args_is_help=True,
)
credit = typer.Typer(
    help="Carbon credits and internal reductions: the same acts, in tonnes.",
    no_args_is_help=True,
)
GROUPS: Final = (certificate, credit)
_KINDS: Final = {"certificate": (CERTIFICATE,), "credit": (CREDIT, RECORD)}
_DEFAULTS: Final = {"certificate": "gec", "credit": "ccer"}
_SHOWN_MAX: Final = 4

SchemeName = Annotated[
    str, typer.Option("--scheme", help="The scheme (default: gec for certificates, else ccer).")
]
Serials = Annotated[
    list[str] | None,
    typer.Argument(
        help="Which units: CODE, CODE:NUMBER or CODE:FIRST-END (END not included).",
        show_default=False,
    ),
]
Count = Annotated[int | None, typer.Option(help="So many of them, those first that expire first.")]
Class = Annotated[str, typer.Option("--class", help="Of this class alone.")]
Owner = Annotated[str, typer.Option(help="Party whose units they are, and who acts.")]
Whose = Annotated[str, typer.Option("--owner", help="Party whose units they are.")]
Reason = Annotated[str, typer.Option(help="Why, for those who may see it.")]
Document = Annotated[
    Path | None, typer.Option(help="The paper that it rests on; only its hash is kept.")
]
Note = Annotated[str, typer.Option(help="Up to 500 characters, for those who may see it.")]
KeyFile = Annotated[
    Path | None, typer.Option("--key", help="Private key file of an owner that holds its own key.")
]


def add_to(app: typer.Typer) -> None:
    app.add_typer(certificate, name="certificate")
    app.add_typer(credit, name="credit")


def group_of(ctx: typer.Context) -> str:
    """`certificate` or `credit`: the word that was typed before the command."""
    assert ctx.parent is not None
    assert ctx.parent.info_name in _KINDS
    return ctx.parent.info_name


def rules_of(ctx: typer.Context, conn: Connection, house: House, name: str) -> Scheme:
    """The scheme that a command is about. Raises NotFound or InvalidInput."""
    group = group_of(ctx)
    rules = catalogue.find_scheme(conn, house.log.log_id, name or _DEFAULTS[group]).rules
    if rules.kind not in _KINDS[group]:
        other = next(each for each, kinds in _KINDS.items() if rules.kind in kinds)
        raise InvalidInput(
            f"scheme {rules.scheme} is of kind {rules.kind}: greenledger {other}"
            f" {ctx.info_name} --scheme {rules.scheme}"
        )
    return rules


def schemes_of(ctx: typer.Context, conn: Connection, house: House, name: str) -> dict[str, Scheme]:
    """The scheme that is named; where none is, all registered ones of the group's kind."""
    if name:
        return {name: rules_of(ctx, conn, house, name)}
    kinds = _KINDS[group_of(ctx)]
    found = catalogue.current_schemes(conn, house.log.log_id)
    return {each: one.rules for each, one in sorted(found.items()) if one.rules.kind in kinds}


def selection(
    rules: Scheme, serials: Sequence[str] | None, count: int | None, class_: str
) -> Selection:
    if class_:
        rules.class_of(class_)
    return Selection(scheme=rules.scheme, serials=serials or (), count=count, class_=class_)


def find_retirement(house: House, text: str) -> RetirementRow:
    """By its id or the beginning of it. Raises InvalidInput or NotFound."""
    first, last = id_span(text, "retirement")
    with db.reading(house.engine) as conn:
        found = used.find_retirements(
            conn, house.log.log_id, retirements.c.retirement.between(first, last)
        )
    return one_of_id(found, text, "retirement", "greenledger certificate (or credit) retirements")


def hash_of(document: Path | None) -> str:
    """SHA-256 of a paper, or `""`. Raises NotFound."""
    if document is None:
        return ""
    if not document.is_file():
        raise NotFound(f"no file {document}")
    return hashlib.sha256(document.read_bytes()).hexdigest()


def signing_key(file: Path | None) -> SigningKey | None:
    return read_key(file) if file else None


def serials_of(found: Iterable[tuple[BatchId, SerialRange]]) -> list[str]:
    """`C1/0:0-100` …, adjoining ranges as one, by batch."""
    by_batch: dict[BatchId, list[SerialRange]] = {}
    for batch, units in found:
        by_batch.setdefault(batch, []).append(units)
    return [
        f"{batch.short}:{units}"
        for batch, ranges in sorted(by_batch.items())
        for units in joined(ranges)
    ]


def listed(texts: Sequence[str], most: int = _SHOWN_MAX) -> str:
    """For people: the first few, and how many more there are."""
    if len(texts) <= most:
        return ", ".join(texts)
    return f"{', '.join(texts[:most])} and {len(texts) - most:,} more"
