"""Factors in force, and the one that a figure of a place and year is made with."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Path, Query

from api.callers import router_of
from api.media import Cursor, JsonObject, Limit, Model, Page, page_of
from api.service import Service, ServiceOf
from ledger.accounting.factors import regions
from ledger.accounting.factors.library import FactorLibrary
from ledger.db import reading
from ledger.log.store import load_head

router = router_of(tags=["accounting"])
_SLUG = r"^[a-z0-9][a-z0-9-]{0,63}$"
Item = Annotated[str, Path(pattern=_SLUG, description="An item, such as electricity-average")]
Beginning = Annotated[
    str, Query(pattern=r"^[a-z0-9-]{0,64}$", description="Items that begin so, such as electricity")
]
Region = Annotated[
    str, Query(max_length=30, description="CN, CN-south, 44 or 440100; empty: anywhere")
]
Year = Annotated[int, Query(ge=0, le=2100, description="0: of no year")]
Standard = Annotated[str, Query(max_length=200, description="Where factors differ by it")]
Sets = Annotated[
    list[Annotated[str, Query(pattern=_SLUG)]] | None,
    Query(alias="set", max_length=20, description="Asked in this order; without: the operator's"),
]


class FactorShown(Model):
    """A factor with its source and how sure it is, and the version of the set that says it."""

    set: str
    entry: int
    hash: str
    version: int
    factor: JsonObject


class FactorsFound(Model):
    """The factors of an item for a place and a year, one for each gas."""

    factors: list[JsonObject]


def _library(service: Service, sets: list[str] | None) -> FactorLibrary:
    with reading(service.desk.engine) as conn:
        size = load_head(conn, service.log.log_id).size
        return FactorLibrary.at(conn, service.log, size, sets=sets or ())


@router.get("/factors", operation_id="factors_list")
def list_factors(
    service: ServiceOf,
    item: Beginning = "",
    region: Region = "",
    year: Year = 0,
    sets: Sets = None,
    cursor: Cursor = "",
    limit: Limit = 100,
) -> Page[FactorShown]:
    """Factors in force: of a place and what contains it, of a year and of none."""
    around = regions.chain(region) if region else ()
    found = [
        (f"{by.name}/{place:05}", by, one)
        for by in _library(service, sets).sets
        for place, one in enumerate(by.content.factors)
        if one.item.startswith(item)
        and (not region or one.region in around)
        and (not year or one.year in (0, year))
    ]
    return page_of(
        found,
        lambda row: FactorShown(**row[1].use(), factor=row[2].to_json()),
        key=lambda row: row[0],
        cursor=cursor,
        limit=limit,
    )


@router.get("/factors/{item}", operation_id="factors_find")
def find_factors(
    item: Item,
    service: ServiceOf,
    region: Region = "",
    year: Year = 0,
    standard: Standard = "",
    sets: Sets = None,
) -> FactorsFound:
    """What a figure of this place and year would be made with; 422 says what there is instead."""
    found = _library(service, sets).find_gases(
        item, region=region, year=year, standard=standard or None
    )
    uses: list[dict[str, Any]] = [one.use() for one in found]
    return FactorsFound(factors=uses)
