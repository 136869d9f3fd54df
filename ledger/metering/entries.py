"""Entry types of metering: points, batches of readings, corrections.

Rules (docs/formats.md §4, domain invariants 5, 19): a reading belongs to a registered point and
ends at most 300 s after the log's time; an additive quantity is not negative; a point and interval
has one effective value, and only a correction that names what it replaces changes it; the batches
of a source form a chain.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from sqlalchemy import Connection

from ledger.errors import Erased, InvalidInput, Refused
from ledger.log import entry as e
from ledger.log.bodies import Blob, BodyKind, blob_kind, json_media
from ledger.log.entry import Entry
from ledger.log.erasing import erased_by
from ledger.log.store import load_log
from ledger.log.types import FUTURE_S_MAX, Bodies, EntryType, Tx
from ledger.log.types import blob as blob  # rooms above have it from here
from ledger.metering import store
from ledger.metering.batches import MEDIA, Block, Readings, encode_blocks
from ledger.metering.effective import leaf_hashes_in_force
from ledger.metering.points import Point, check_parent, require_separate_meters
from ledger.metering.rules import check_readings
from ledger.parties.entries import author_signs, require_party
from ledger.parties.store import current_party
from ledger.units import format_instant

POINT_MEDIA: Final = json_media("point")
MANIFEST_MEDIA: Final = json_media("manifest")
CORRECTS_MEDIA: Final = "application/vnd.greenledger.corrects"
READINGS: Final = "readings"
CORRECTION: Final = "readings.correction"
POINT: Final = "point.register"


def _load_readings(conn: Connection, log_id: int, entry_index: int, _key: str) -> bytes | None:
    batch = store.load_batch(conn, log_id, entry_index)
    if batch is None or not batch.secret:
        return None
    return encode_blocks(batch.secret, store.blocks_of_batch(conn, log_id, entry_index))


READINGS_KIND: Final = BodyKind(
    media=MEDIA,
    reference="root",
    open=lambda data, entry, origin: Readings.open(data, origin=origin, id_=entry.id),
    load=_load_readings,
    keeps_bytes=False,
    stand_in=lambda reference, kept: Readings.erased(kept.body, key=reference["root"]),
)


def _accept_point(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    point = bytes.fromhex(entry.statement["point"])
    master = Point.from_json(blob(bodies, "body").json())
    require_party(tx, master.owner)
    known = store.current_points(tx.conn, tx.log.log_id)
    # Only who owns it now may hand it over: else anybody could take a point by naming itself.
    owner = known[point].master.owner if point in known else master.owner
    if entry.author not in (tx.log.operator, owner):
        raise Refused(
            f"point {master.name!r} is registered by its owner {owner!r} or the operator,"
            f" not by {entry.author!r}"
        )
    in_force = known[point].id if point in known else ""
    if entry.statement["replaces"] != in_force:
        raise Refused(
            f"point {master.name!r}: replaces is {entry.statement['replaces']!r}, the registration"
            f" in force is {in_force!r}"
        )
    if in_force:
        _check_unchanged(known[point].master, master)
    others = {id_.hex(): found.master for id_, found in known.items()}
    _check_parents_owner(tx, entry, master, known.get(point), others)
    require_separate_meters(point.hex(), master, others)
    check_parent(point.hex(), master, others)
    _claim_names(tx, point, master)
    found = store.Registered(point=point, id=entry.id, entry_index=tx.index, master=master)
    store.save_point(tx.conn, tx.log.log_id, found, replaces=in_force)


def _check_parents_owner(
    tx: Tx,
    entry: Entry,
    master: Point,
    before: store.Registered | None,
    others: Mapping[str, Point],
) -> None:
    """A child takes its parent's place in runs, and its bills estimate it: not against its will."""
    parent = others.get(master.parent)
    if parent is None or (before and before.master.parent == master.parent):
        return
    if entry.author not in (tx.log.operator, parent.owner):
        raise Refused(
            f"point {master.name!r} is put under {parent.name!r} by the owner of that,"
            f" {parent.owner!r}, or the operator, not by {entry.author!r}"
        )


def _check_unchanged(before: Point, after: Point) -> None:
    for name in ("kind", "unit", "measure"):
        if getattr(before, name) != getattr(after, name):
            raise Refused(
                f"{name} of point {before.name!r} stays {getattr(before, name)!r}: its readings"
                " rest on it; register another point"
            )


def _claim_names(tx: Tx, point: bytes, master: Point) -> None:
    holder = store.point_of_name(tx.conn, tx.log.log_id, master.name)
    if holder is None:
        store.save_point_name(tx.conn, tx.log.log_id, master.name, point)
    elif holder != point:
        raise Refused(f"the name {master.name!r} belongs to point {holder.hex()}")
    for meter in master.meters:
        log_id = store.log_of_meter(tx.conn, meter.number)
        if log_id is None:
            store.save_meter(tx.conn, meter.number, tx.log.log_id)
        elif log_id != tx.log.log_id:
            raise Refused(
                f"meter {meter.number} belongs to log {load_log(tx.conn, log_id).origin}:"
                " a meter counts in one log only"
            )


def _accept_readings(tx: Tx, entry: Entry, bodies: Bodies) -> None:
    readings = bodies["body"]
    assert isinstance(readings, Readings)
    _check_chain(tx, entry)
    written = {block.point for block in readings.blocks}
    known = store.current_points(tx.conn, tx.log.log_id, only=written)
    party = current_party(tx.conn, tx.log.log_id, entry.author)
    gateway = party is not None and "gateway" in party.roles
    for block in readings.blocks:
        _check_block(tx, entry, known, block, gateway=gateway)
    correction = entry.type == CORRECTION
    if correction:
        corrects = bodies["corrects"]
        stated = corrects.content if isinstance(corrects, Blob) else None
        _check_corrected(tx, readings, stated)
    else:
        ends = store.ends_of(tx.conn, tx.log.log_id, written)
        for block in readings.blocks:
            if block.start_s < ends.get(block.point, 0):
                _check_free(tx, known, block)
    row = store.BatchRow(
        entry_index=tx.index,
        author=entry.author,
        source=entry.statement["source"],
        sequence=entry.statement["sequence"],
        leaf_hash=entry.leaf_hash,
        id=entry.id,
        correction=correction,
        secret=readings.secret,
        key_id=entry.signatures[0].key_id,
    )
    store.save_batch(tx.conn, tx.log.log_id, row, readings)


def _check_chain(tx: Tx, entry: Entry) -> None:
    statement = entry.statement
    last = store.last_batch(tx.conn, tx.log.log_id, entry.author, statement["source"])
    sequence, previous = (last.sequence + 1, last.leaf_hash.hex()) if last else (0, "")
    if (statement["sequence"], statement["previous"]) != (sequence, previous):
        raise Refused(
            f"source {statement['source']!r} of {entry.author!r}: batch {statement['sequence']}"
            f" after {statement['previous'] or 'none'}; the next is {sequence} after"
            f" {previous or 'none'}"
        )


def _check_block(
    tx: Tx, entry: Entry, known: dict[bytes, store.Registered], block: Block, *, gateway: bool
) -> None:
    if block.point not in known:
        raise Refused(f"point {block.point.hex()} is not registered: meter it first")
    master = known[block.point].master
    if not gateway and entry.author not in (master.owner, tx.log.operator):
        raise Refused(
            f"readings of {master.name!r} come from its owner {master.owner!r}, the operator"
            f" or a gateway, not from {entry.author!r}"
        )
    check_readings(master, block, tx.log.zone_s)
    if block.end_s > tx.tick_s + FUTURE_S_MAX:
        raise Refused(
            f"point {master.name!r}: a reading ends {format_instant(block.end_s)}, in the future"
            f" of the log's time {format_instant(tx.tick_s)}"
        )


def _check_free(tx: Tx, known: dict[bytes, store.Registered], block: Block) -> None:
    held = store.plain_block_in(
        tx.conn, tx.log.log_id, block.point, start_s=block.start_s, end_s=block.end_s
    )
    if held:
        entry_index, start_s = held
        at = format_instant(max(block.start_s, start_s))
        by = erased_by(tx.conn, tx.log.log_id, [entry_index]).get(entry_index)
        if by is not None:
            raise Refused(
                f"point {known[block.point].master.name!r} had a reading at {at} (entry"
                f" {entry_index}), which entry {by} has erased: nothing else takes its place"
            )
        raise Refused(
            f"point {known[block.point].master.name!r} has a reading at {at} already (entry"
            f" {entry_index}); a different value is a correction that names it"
        )


def _check_corrected(tx: Tx, readings: Readings, corrects: bytes | None) -> None:
    """Compare-and-set: each leaf names the leaf in force that it replaces, of its very interval.

    So corrections are where plain readings are, and no check for overlaps has to look at them.
    `corrects` is None in a replay where it is erased with the correction: that stands on its word.
    """
    if corrects is not None and len(corrects) != 32 * readings.size:
        raise InvalidInput(
            f"corrects holds {len(corrects)} bytes, not 32 for each of {readings.size} readings"
        )
    in_force = leaf_hashes_in_force(tx.conn, tx.log.log_id, tx.log.origin, readings.blocks)
    at = 0
    for block in readings.blocks:
        for start_s in range(block.start_s, block.end_s, block.length_s):
            there = in_force[at]
            stated = corrects[32 * at : 32 * at + 32] if corrects is not None else there
            at += 1
            if there is None or (corrects is None and there):
                tx.attest(Erased(f"correction of point {block.point.hex()}", None))
            elif there != stated or not there:
                held = there.hex() or f"no reading of {block.length_s} s"
                raise Refused(
                    f"point {block.point.hex()} at {format_instant(start_s)}: the correction"
                    f" replaces {(stated or b'').hex() or 'none'}, in force is {held}"
                )


def file_of(bodies: Bodies) -> Sequence[str]:
    """The original file that a manifest names."""
    file = blob(bodies, "manifest").json().get("file")
    if not isinstance(file, dict):
        raise InvalidInput("manifest: member 'file' is an object, {} where there was no file")
    if not file:
        return ()
    # It becomes a file's name in an export, and a restore opens that name.
    if not (file.get("hash") and e.HASH_OR_NONE.check(file["hash"])):
        raise InvalidInput(
            "manifest: file.hash is the hash of the salted file, 64 lower-case hex digits"
        )
    return (file["hash"],)


_BATCH_MEMBERS: Final = {
    "source": e.SOURCE,
    "sequence": e.COUNT,
    "previous": e.HASH_OR_NONE,
    "body": e.TREE,
    "manifest": e.BLOB,
}
_BATCH_BODIES: Final = {"body": READINGS_KIND, "manifest": blob_kind(MANIFEST_MEDIA)}

ENTRY_TYPES: Final = (
    EntryType(
        name=POINT,
        members={"point": e.ID, "replaces": e.ID_OR_NONE, "body": e.BLOB},
        bodies={"body": blob_kind(POINT_MEDIA)},
        signers=author_signs,
        accept=_accept_point,
    ),
    EntryType(
        name=READINGS,
        members=_BATCH_MEMBERS,
        bodies=_BATCH_BODIES,
        attachments=file_of,
        signers=author_signs,
        accept=_accept_readings,
    ),
    EntryType(
        name=CORRECTION,
        members={**_BATCH_MEMBERS, "corrects": e.BLOB},
        bodies={**_BATCH_BODIES, "corrects": blob_kind(CORRECTS_MEDIA)},
        attachments=file_of,
        signers=author_signs,
        accept=_accept_readings,
    ),
)
