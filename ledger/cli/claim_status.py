"""greenledger claim status: how a claim stands, and what it is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import typer

from ledger import db
from ledger.claims import shortfall, store
from ledger.claims.manifest import Manifest
from ledger.claims.official import official
from ledger.claims.together import oversettled_wh
from ledger.cli.claims import ClaimId, claim_json, find, state_of
from ledger.cli.lots import class_name
from ledger.cli.options import Dir, Json, open_house
from ledger.cli.output import Output, dates, energy, share, span
from ledger.log import store as log_store
from ledger.metering import store as metering
from ledger.parties.officer_store import officers_of
from ledger.registry import catalogue
from ledger.registry.scheme import Scheme


def add_to(group: typer.Typer) -> None:
    group.command("status")(status)


def status(claim_id: ClaimId, directory: Dir = None, as_json: Json = False) -> None:
    """How a claim stands: in force, short, replaced or withdrawn, and what it is made of."""
    house = open_house(directory)
    with db.reading(house.engine) as conn:
        row = find(conn, house, claim_id)
        short = shortfall.short_claims(conn, house.log)
        names = {
            point: found.master.name
            for point, found in metering.current_points(conn, house.log.log_id).items()
        }
        lots = store.lots_of_claim(conn, house.log.log_id, row.claim)
        stands = official(conn, house.log, row)
        over_wh = oversettled_wh(
            conn, house.log, row, log_store.load_head(conn, house.log.log_id).size
        )
        officers = officers_of(
            log_store.entry_at(conn, house.log.log_id, row.entry_index), house.log.origin
        )
        rules = {
            name: one.rules
            for name, one in catalogue.current_schemes(conn, house.log.log_id).items()
        }
    out, manifest = Output(as_json=as_json), row.manifest
    out.table(
        f"Claim {row.claim.hex()}",
        ["what", "is"],
        [
            ["state", state_of(row, short)],
            ["consumer", row.author],
            ["points", ", ".join(names[point] for point in manifest.points)],
            ["period", span(row.start_s, row.end_s, house.log.zone)],
            ["claimed", f"{energy(manifest.claimed_wh)} ({manifest.claimed_wh:,} Wh)"],
            *(
                [f"  {class_name(class_)}", energy(wh)]
                for class_, wh in manifest.by_class_wh.items()
            ),
            [
                "consumption",
                energy(manifest.consumption_wh),
            ],
            ["  of it estimated", energy(manifest.estimated_wh)],
            *_certificates(manifest, house.log.zone),
            ["residual", energy(manifest.residual_wh)],
            [
                "share",
                share(manifest.claimed_wh + manifest.certificate_wh, manifest.consumption_wh),
            ],
            *_credits(manifest, rules),
            *([["too many certificates", energy(over_wh)]] if over_wh else []),
            ["official", stands.status + (f", as of {stands.as_of}" if stands.as_of else "")],
            *(["  why", why] for why in stands.reasons),
            ["four eyes", _eyes(officers)],
            ["lots", str(len(lots))],
            ["entry", str(row.entry_index)],
            *([["replaces", row.replaces.hex()]] if row.replaces else []),
            *([["  why", manifest.reason]] if row.replaces else []),
            *([["withdrawn, why", row.end_reason]] if row.ended == store.WITHDRAWN else []),
        ],
    )
    out.result(
        {
            **claim_json(row, short),
            "lots": [lot.hex() for lot in lots],
            "official": stands.to_json(),
            "oversettled_wh": over_wh,
            "officers": officers,
        }
    )


def _eyes(officers: Sequence[str]) -> str:
    if not officers:
        return "no: its author alone signed it"
    prepared, approved = (officer[:12] for officer in officers)
    return f"prepared by officer {prepared}, approved by officer {approved}"


def _certificates(manifest: Manifest, zone: str) -> list[list[str]]:
    """A line for each retirement of certificates, and what it is worth in the claim."""
    lines = []
    for one in manifest.certificates:
        used = dates(one.period.start_s, one.period.end_s, zone)
        worth = energy(one.wh) if one.wh else "one energy with its lots"
        count = f"{one.units:,} {'certificate' if one.units == 1 else 'certificates'}"
        lines.append([f"{one.scheme} {one.class_}", f"{worth}: {count} used {used}"])
    return lines


def _credits(manifest: Manifest, rules: Mapping[str, Scheme]) -> list[list[str]]:
    return [
        [f"credits, {one.scheme}", f"{rules[one.scheme].said(one.units)}; no kWh is less for them"]
        for one in manifest.credits
    ]
