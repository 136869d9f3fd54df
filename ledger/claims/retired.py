"""What retirements add to a claim: certificates settle what lots leave, credits stand apart.

Certificates are monthly and whole: in none of the spans that they are used in do they cover more
than was consumed there beyond what lots cover (domain.md §8). Where lots stand behind a certificate
as another form of the same energy, it adds nothing, and the lots are the claim's own.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace

from sqlalchemy import Connection

from ledger.claims.manifest import Certificates, Credits, Manifest
from ledger.claims.together import Left, spans_of
from ledger.errors import Refused
from ledger.lots import store as lots
from ledger.registry import catalogue, rule, store, used
from ledger.registry.leaves import BatchId
from ledger.registry.scheme import CERTIFICATE, WRAPPED, Scheme
from ledger.units import Period


def bound_lots(
    conn: Connection, log_id: int, rules: Scheme, batch: BatchId, class_: str
) -> set[bytes]:
    """Lots that are one energy with units of a batch and class; none where they stand alone."""
    if rules.class_of(class_).lots != WRAPPED:
        return set()
    behind = store.lots_of_batch(conn, log_id, batch)
    return set(lots.wrapped(conn, log_id, rule.FORM, behind)) if behind else set()


def bound_to(
    conn: Connection, log_id: int, rules: Scheme, row: used.RetirementRow
) -> dict[BatchId, set[bytes]]:
    """{batch of a retirement: lots that are one energy with its units}, for those that have any."""
    found = {}
    for batch in sorted({one.batch for one in row.gone}):
        mine = bound_lots(conn, log_id, rules, batch, row.class_)
        if mine:
            found[batch] = mine
    return found


def require(
    conn: Connection,
    log_id: int,
    manifest: Manifest,
    retirements: Collection[bytes],
    claimed: Collection[bytes],
) -> None:
    """The manifest's certificates and credits are those of the retirements. `claimed`: the claim's
    lots. Raises Refused."""
    rows = used.retirements_by_id(conn, log_id, retirements)
    schemes = catalogue.current_schemes(conn, log_id)
    _require_listed(manifest, retirements)
    listed: list[Certificates | Credits] = [*manifest.certificates, *manifest.credits]
    for one in listed:
        row = rows.get(one.retirement)
        if row is None:
            raise Refused(f"retirement {one.retirement.hex()} was never made")
        _require_same(manifest, one, row, schemes[row.scheme].rules)
    for certificate in manifest.certificates:
        row, rules = rows[certificate.retirement], schemes[certificate.scheme].rules
        _require_wh(certificate, rules, bound_to(conn, log_id, rules, row), claimed)


def _require_listed(manifest: Manifest, retirements: Collection[bytes]) -> None:
    if manifest.retirements != sorted(retirements):
        raise Refused("the manifest is about other retirements than the claim names or takes over")


def _require_same(
    manifest: Manifest, one: Certificates | Credits, row: used.RetirementRow, rules: Scheme
) -> None:
    if row.use.beneficiary != manifest.consumer:
        raise Refused(
            f"retirement {row.retirement.hex()} is for {row.use.beneficiary!r}, not for"
            f" {manifest.consumer!r} who claims"
        )
    wanted: Certificates | Credits
    if rules.kind == CERTIFICATE:
        wanted = Certificates(
            retirement=row.retirement,
            scheme=row.scheme,
            class_=row.class_,
            period=row.use.period,
            units=row.units,
            wh=one.wh if isinstance(one, Certificates) else 0,
        )
    else:
        wanted = Credits(
            retirement=row.retirement,
            scheme=row.scheme,
            units=row.units,
            unit_size_g=rules.unit_size,
        )
    if one != wanted:
        raise Refused(f"retirement {row.retirement.hex()} is {wanted.to_json()}, not as stated")
    if not manifest.period.contains(row.use.period):
        raise Refused(f"retirement {row.retirement.hex()} is for another time than the claim's")


def _require_wh(
    one: Certificates,
    rules: Scheme,
    bound: Mapping[BatchId, set[bytes]],
    claimed: Collection[bytes],
) -> None:
    if one.wh > one.units * rules.unit_size:
        raise Refused(
            f"retirement {one.retirement.hex()}: {one.units} units are"
            f" {one.units * rules.unit_size} Wh, not {one.wh} Wh"
        )
    for batch, behind in bound.items():
        if not behind & set(claimed):
            raise Refused(
                f"retirement {one.retirement.hex()}: units of {batch} are one energy with lots that"
                " this claim has not; they belong with the claim of these lots"
            )
        if one.wh:
            raise Refused(
                f"retirement {one.retirement.hex()}: units of {batch} are one energy with lots of"
                f" the claim: they add 0 Wh, not {one.wh} Wh"
            )


def settle(
    conn: Connection,
    log_id: int,
    rows: Sequence[used.RetirementRow],
    residual: Left,
    others: Sequence[Certificates] = (),
) -> tuple[tuple[Certificates, ...], tuple[Credits, ...]]:
    """What retirements give a claim: each as much as there is room for beside those of `others`,
    green trade first, then those that were retired first."""
    schemes = catalogue.current_schemes(conn, log_id)
    certificates: list[Certificates] = []
    credits_: list[Credits] = []
    for row in sorted(rows, key=lambda row: (row.class_ != "green-trade", row.entry_index)):
        rules = schemes[row.scheme].rules
        if rules.kind != CERTIFICATE:
            credits_.append(
                Credits(
                    retirement=row.retirement,
                    scheme=row.scheme,
                    units=row.units,
                    unit_size_g=rules.unit_size,
                )
            )
            continue
        one = Certificates(
            retirement=row.retirement,
            scheme=row.scheme,
            class_=row.class_,
            period=row.use.period,
            units=row.units,
            wh=0,
        )
        if residual.period.contains(one.period) and not bound_to(conn, log_id, rules, row):
            room = max(0, _room([*others, *certificates], residual, one))
            one = replace(one, wh=min(room, row.units * rules.unit_size))
        certificates.append(one)
    return tuple(sorted(certificates)), tuple(sorted(credits_))


def _room(taken: Sequence[Certificates], residual: Left, wanted: Certificates) -> int:
    """Wh that a further certificate may cover: no span that holds its time is overdrawn."""
    inside = [
        replace(one, period=_common(one.period, residual.period))
        for one in taken
        if one.period.overlaps(residual.period)
    ]
    return min(
        residual.within(span) - sum(one.wh for one in inside if span.contains(one.period))
        for span in spans_of([*inside, wanted])
        if span.contains(wanted.period)
    )


def _common(one: Period, other: Period) -> Period:
    return Period(start_s=max(one.start_s, other.start_s), end_s=min(one.end_s, other.end_s))
