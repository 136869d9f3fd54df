"""Certificates and credits: two groups of routes over one registry, by kind of scheme.

Holdings are coins with one owner. What an owner does takes its role; freezing, withdrawing and
cancelling are the park manager's.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Annotated, Final, Literal

from fastapi import APIRouter, Path, Query
from pydantic import Field
from sqlalchemy import ColumnElement, Connection, or_

from api.acting import Act, ActOf
from api.callers import CallerOf, own, router_of
from api.media import (
    HEX_16,
    PARTY,
    Cursor,
    Instant,
    JsonObject,
    Limit,
    Model,
    Page,
    PartyId,
    Receipts,
    Words,
    after_entry,
    after_id,
    page_found,
)
from api.problems import documented
from api.service import Service, ServiceOf
from ledger.certificates.service import Issued, MeteredIssue, issue_metered
from ledger.db import reading
from ledger.errors import InvalidInput, NotFound
from ledger.lots.model import parse_month
from ledger.registry import acting, catalogue, lifecycle, page, store, used
from ledger.registry.choosing import Selection
from ledger.registry.crediting import issue_credits
from ledger.registry.leaves import Use
from ledger.registry.ranges import SerialRange
from ledger.registry.schema import holdings
from ledger.registry.schema import retirements as retirement_rows
from ledger.registry.scheme import CERTIFICATE, CREDIT, PURPOSES, RECORD, Scheme
from ledger.registry.service import NewBatch, Share, issue
from ledger.units import Period, format_instant, parse_instant

Code = Annotated[str, Field(pattern=r"^[A-Za-z0-9._-]{1,64}$", examples=["GEC-2026-0001"])]
Serial = Annotated[str, Field(max_length=120, examples=["GEC-2026-0001:0-100"])]
HexHash = Annotated[str, Field(pattern=r"^([0-9a-f]{64})?$")]
Count = Annotated[int, Field(ge=1, lt=2**63)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """`certificates` or `credits`: which kinds of schemes, and the one that is meant by default."""

    name: str
    kinds: tuple[str, ...]
    default: str

    def rules(self, conn: Connection, service: Service, scheme: str) -> Scheme:
        """Raises NotFound or InvalidInput."""
        rules = catalogue.find_scheme(conn, service.log.log_id, scheme or self.default).rules
        if rules.kind not in self.kinds:
            raise InvalidInput(f"scheme {rules.scheme} is of kind {rules.kind}, not {self.name}")
        return rules


GROUPS: Final = (
    Group(name="certificates", kinds=(CERTIFICATE,), default="gec"),
    Group(name="credits", kinds=(CREDIT, RECORD), default="ccer"),
)


class Chosen(Model):
    """Which units: by serial (CODE, CODE:NUMBER, CODE:FIRST-END), or so many of them."""

    owner: PartyId
    scheme: Annotated[str, Field(pattern=rf"{PARTY}|^$")] = ""
    serials: Annotated[list[Serial], Field(max_length=1_000)] = []
    count: Count | None = None
    class_: Annotated[str, Field(alias="class", max_length=40)] = ""

    def selection(self, rules: Scheme) -> Selection:
        if self.class_:
            rules.class_of(self.class_)
        return Selection(
            scheme=rules.scheme, serials=self.serials, count=self.count, class_=self.class_
        )


class TransferIn(Chosen):
    """Hand units over; `document`: SHA-256 of the paper that it rests on."""

    to: PartyId
    document: HexHash = ""
    note: Words = ""


class RetirementIn(Chosen):
    """Use units up, for one beneficiary and one purpose, for good."""

    beneficiary: PartyId
    purpose: Literal[PURPOSES]  # type: ignore[valid-type]  # the domain's words
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    obligation: Annotated[int, Field(ge=0, lt=2**63)] = 0
    note: Words = ""


class MarkIn(Chosen):
    """Reserve, lock, freeze or release units."""

    act: Literal["reserve", "lock", "freeze", "release"]
    reason: Annotated[Words, Field(min_length=1)]


class EndIn(Chosen):
    """Take units out: to another registry, withdrawn by theirs, or cancelled without any use."""

    act: Literal["export", "withdraw", "cancel"]
    reason: Annotated[Words, Field(min_length=1)]


class ShareIn(Model):
    """So many units of a class, for one owner."""

    class_: Annotated[str, Field(alias="class", pattern=PARTY)]
    units: Count
    owner: PartyId


class IssueIn(Model):
    """A batch that an official registry issued comes in."""

    scheme: Annotated[str, Field(pattern=rf"{PARTY}|^$")] = ""
    code: Code
    project: Annotated[str, Field(pattern=r"^([A-Za-z0-9._-]{1,64})?$")] = ""
    start: Annotated[Instant, Field(alias="from")]
    end: Annotated[Instant, Field(alias="to")]
    first: Annotated[int, Field(ge=0, lt=2**62)] = 0
    shares: Annotated[list[ShareIn], Field(min_length=1, max_length=100)]
    document: HexHash = ""
    note: Words = ""
    frozen: bool = False


class HoldingShown(Model):
    """Units of one batch, class, owner and state. `end` is not included."""

    holding: str
    batch: str
    first: int
    end: int
    units: int
    owner: str
    class_: str = Field(serialization_alias="class")
    state: str
    moves: int
    project: str
    start: str = Field(serialization_alias="from")
    to: str
    expires: str
    entry: int


class RetirementShown(Model):
    """Units that were used up, and for what."""

    retirement: str
    entry: int
    author: str
    scheme: str
    class_: str = Field(serialization_alias="class")
    units: int
    use: JsonObject
    disclosed: int


def _holding(row: store.HoldingRow, batch: store.BatchRow) -> HoldingShown:
    return HoldingShown(
        holding=row.holding.hex(),
        batch=str(row.batch),
        first=row.units.first,
        end=row.units.end,
        units=len(row.units),
        owner=row.owner,
        class_=row.class_,
        state=row.state,
        moves=row.moves,
        project=batch.project,
        start=format_instant(batch.period.start_s),
        to=format_instant(batch.period.end_s),
        expires="" if batch.expires_s is None else format_instant(batch.expires_s),
        entry=row.entry_index,
    )


@dataclass(frozen=True, slots=True)
class UnitRoutes:
    """The routes of one group; operation ids begin with its name."""

    group: Group

    def router(self) -> APIRouter:
        router = router_of(prefix=f"/{self.group.name}", tags=[self.group.name])

        def add(
            verb: str, path: str, name: str, route: Callable[..., object], status: int = 201
        ) -> None:
            router.add_api_route(
                path,
                route,
                methods=[verb],
                operation_id=f"{self.group.name}_{name}",
                status_code=status,
                responses=documented(404, 409) if verb == "POST" else documented(404),
            )

        add("GET", "", "list", self.list_holdings, 200)
        add("GET", "/retirements", "retirements", self.list_retirements, 200)
        add("GET", "/retirements/{retirement}", "retirement", self.show_retirement, 200)
        add("POST", "/issues", "issue", self.issue_batch)
        add("POST", "/transfers", "transfer", self.transfer)
        add("POST", "/retirements", "retire", self.retire)
        add("POST", "/marks", "mark", self.mark)
        add("POST", "/ends", "end", self.end)
        add("POST", "/retirements/{retirement}/disclosure", "disclose", self.disclose)
        if self.group.name == "certificates":
            add("POST", "/metered-issues", "issue_metered", issue_of_lots)
        return router

    def list_holdings(
        self,
        service: ServiceOf,
        caller: CallerOf,
        scheme: Annotated[str, Query(pattern=rf"{PARTY}|^$")] = "",
        owner: Annotated[str, Query(pattern=rf"{PARTY}|^$")] = "",
        state: Literal["", "active", "reserved", "locked", "frozen"] = "",
        cursor: Cursor = "",
        limit: Limit = 100,
    ) -> Page[HoldingShown]:
        """Units that are held here, by your organisations."""
        mine = caller.parties(f"{self.group.name}_list")
        with reading(service.desk.engine) as conn:
            schemes = [
                name
                for name, one in catalogue.current_schemes(conn, service.log.log_id).items()
                if one.rules.kind in self.group.kinds and scheme in ("", name)
            ]
            rows = store.live_page(
                conn,
                service.log.log_id,
                holdings.c.scheme.in_(schemes),
                *([holdings.c.owner.in_(sorted(mine))] if mine is not None else []),
                *([holdings.c.owner == owner] if owner else []),
                *([holdings.c.state == state] if state else []),
                after=after_id(cursor),
                limit=limit + 1,
            )
            batches = store.batches_by_id(conn, service.log.log_id, {row.batch for row in rows})
        return page_found(
            rows,
            lambda row: _holding(row, batches[row.batch]),
            key=lambda row: row.holding.hex(),
            limit=limit,
        )

    def list_retirements(
        self, service: ServiceOf, caller: CallerOf, cursor: Cursor = "", limit: Limit = 100
    ) -> Page[RetirementShown]:
        """Retirements by your organisations, or for them."""
        mine = caller.parties(f"{self.group.name}_retirements")
        with reading(service.desk.engine) as conn:
            schemes = catalogue.current_schemes(conn, service.log.log_id)
            names = [name for name, one in schemes.items() if one.rules.kind in self.group.kinds]
            rows = used.find_retirements(
                conn,
                service.log.log_id,
                retirement_rows.c.scheme.in_(names),
                retirement_rows.c.entry_index > after_entry(cursor),
                *([_concerns(mine)] if mine is not None else []),
                limit=limit + 1,
            )
        return page_found(
            rows,
            lambda row: RetirementShown(
                retirement=row.retirement.hex(),
                entry=row.entry_index,
                author=row.author,
                scheme=row.scheme,
                class_=row.class_,
                units=row.units,
                use=row.use.to_json(row.units),
                disclosed=row.disclosed_index or 0,
            ),
            key=lambda row: row.entry_index,
            limit=limit,
        )

    def show_retirement(
        self,
        service: ServiceOf,
        caller: CallerOf,
        retirement: Annotated[str, Path(pattern=HEX_16)],
    ) -> JsonObject:
        """A retirement's page: what was used up, for whom, with the entries that show it."""
        absent = f"there is no retirement {retirement} of yours"
        with reading(service.desk.engine) as conn:
            row = _retirement(conn, service, retirement, absent)
            if not caller.may_for(f"{self.group.name}_retirement", row.use.beneficiary):
                own(caller, f"{self.group.name}_retirement", row.author, absent)
            return page.page(conn, service.log, row)

    def issue_batch(self, body: IssueIn, act: ActOf) -> Receipts:
        """Take in a batch that an official registry issued, of a plant not metered here."""
        act.for_party(act.service.log.operator)
        with reading(act.service.desk.engine) as conn:
            rules = self.group.rules(conn, act.service, body.scheme)
        take_in = issue if rules.kind == CERTIFICATE else issue_credits
        batch = _new_batch(rules, body)
        return act.write(
            lambda desk: take_in(
                desk,
                rules.scheme,
                [batch],
                document=body.document,
                note=body.note,
                frozen=body.frozen,
            )
        )

    def transfer(self, body: TransferIn, act: ActOf) -> Receipts:
        """Hand units over to another party."""
        selection = _selection(self.group, act, body)
        return act.write(
            lambda desk: [
                acting.transfer(
                    desk, body.owner, body.to, selection, document=body.document, note=body.note
                )
            ]
        )

    def retire(self, body: RetirementIn, act: ActOf) -> Receipts:
        """Use units up. The receipt's statement names the retirement, for a claim."""
        selection = _selection(self.group, act, body)
        use = Use(
            beneficiary=body.beneficiary,
            purpose=body.purpose,
            period=Period(start_s=parse_instant(body.start), end_s=parse_instant(body.end)),
            obligation=body.obligation,
            note=body.note,
        )
        return act.write(lambda desk: acting.retire(desk, body.owner, selection, use))

    def mark(self, body: MarkIn, act: ActOf) -> Receipts:
        """Reserve, lock or release units; freeze them as the park manager."""
        if lifecycle.MOVES[body.act].by == lifecycle.OPERATOR:
            act.for_party(act.service.log.operator)
        selection = _selection(self.group, act, body)
        for_operator = act.caller.may_for(act.operation, act.service.log.operator)
        return act.write(
            lambda desk: acting.mark(
                desk, body.act, body.owner, selection, body.reason, for_operator=for_operator
            )
        )

    def end(self, body: EndIn, act: ActOf) -> Receipts:
        """Export units, or withdraw or cancel them as the park manager."""
        if lifecycle.MOVES[body.act].by == lifecycle.OPERATOR:
            act.for_party(act.service.log.operator)
        selection = _selection(self.group, act, body)
        return act.write(
            lambda desk: acting.finish(desk, body.act, body.owner, selection, body.reason)
        )

    def disclose(self, retirement: Annotated[str, Path(pattern=HEX_16)], act: ActOf) -> Receipts:
        """Show a retirement to everybody: its serials become public."""
        absent = f"there is no retirement {retirement} of yours"
        with reading(act.service.desk.engine) as conn:
            row = _retirement(conn, act.service, retirement, absent)
        act.for_party(row.author, absent)
        return act.write(lambda desk: acting.disclose(desk, row.retirement))


def _concerns(parties: Collection[str]) -> ColumnElement[bool]:
    """Retirements by these parties, or for them."""
    some = sorted(parties)
    return or_(retirement_rows.c.author.in_(some), retirement_rows.c.beneficiary.in_(some))


def _retirement(
    conn: Connection, service: Service, retirement: str, absent: str
) -> used.RetirementRow:
    rows = used.find_retirements(
        conn, service.log.log_id, retirement_rows.c.retirement == bytes.fromhex(retirement)
    )
    if not rows:
        raise NotFound(absent)
    return rows[0]


def _selection(group: Group, act: Act, body: Chosen) -> Selection:
    act.for_party(body.owner)
    with reading(act.service.desk.engine) as conn:
        return body.selection(group.rules(conn, act.service, body.scheme))


def _new_batch(rules: Scheme, body: IssueIn) -> NewBatch:
    shares, at = [], body.first
    for one in body.shares:
        rules.class_of(one.class_)
        units = SerialRange(first=at, end=at + one.units)
        shares.append(Share(class_=one.class_, owner=one.owner, units=units))
        at = units.end
    return NewBatch(
        code=body.code,
        units=SerialRange(first=body.first, end=at),
        period=Period(start_s=parse_instant(body.start), end_s=parse_instant(body.end)),
        shares=tuple(shares),
        project=body.project,
    )


class MeteredIssueIn(Model):
    """Certificates of a plant that is metered here, for a month; 0 units: as many as lots make."""

    scheme: Annotated[str, Field(pattern=PARTY)] = "gec"
    project: Code
    month: Annotated[str, Field(pattern=r"^\d{4}-(0[1-9]|1[0-2])$", examples=["2026-01"])]
    code: Code
    units: Annotated[dict[str, Annotated[int, Field(ge=0, lt=2**62)]], Field(min_length=1)]
    owner: Annotated[str, Field(pattern=rf"{PARTY}|^$")] = ""
    document: HexHash = ""
    note: Words = ""


def issue_of_lots(body: MeteredIssueIn, act: ActOf) -> Receipts:
    """Take in the certificates of a metered plant: the lots behind them are found and spent."""
    act.for_party(act.service.log.operator)
    wanted = MeteredIssue(
        project=body.project,
        month=parse_month(body.month, act.service.log.zone_s),
        code=body.code,
        units={name: units or None for name, units in body.units.items()},
        owner=body.owner,
        document=body.document,
        note=body.note,
    )

    return act.write(lambda desk: issue_metered(desk, wanted, body.scheme), _issued)


def _issued(found: Sequence[Issued]) -> JsonObject:
    return {
        "batches": [
            {
                "batch": str(one.batch),
                "class": one.class_,
                "first": one.units.first,
                "end": one.units.end,
                "eligible_wh": one.eligible_wh,
                "carried_wh": one.carried_wh,
                "left_wh": one.left_wh,
            }
            for one in found
        ]
    }


ROUTERS: Final = tuple(UnitRoutes(group).router() for group in GROUPS)
