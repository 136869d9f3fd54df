"""Batches that are erased: their values are gone, every proof of the rest stays valid."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.claims import service as claims
from ledger.claims.resting import resting_on
from ledger.db import reading
from ledger.errors import Corrupt, InvalidInput, Outdated, Refused
from ledger.house import House
from ledger.log.bodies import Blob
from ledger.log.service import Submission
from ledger.lots.store import all_lots
from ledger.matching.service import run_matching
from ledger.metering.effective import effective
from ledger.metering.erasing import Erasing, erase_batches, find_batches
from ledger.metering.service import Origin, find_point, take_in
from ledger.parties.desk import Draft, seal_json
from ledger.proving import encode, open_entry, open_point_reading
from ledger.recovery.restore import restore
from tests.claims.parks import DAY, ROOF, SAW, answer, evidence_of
from tests.erasing.conftest import Park
from tests.ledgers import (
    DAY_S,
    QUARTER_S,
    dump,
    no_progress,
    raw,
    rows,
    series,
    settings_in,
    tamper,
)
from tests.raw import REFUSED

pytestmark = pytest.mark.both_databases
WHY = "kept for five years, as the contract says"


def erase(park: Park, *sources: str, author: str = "") -> int:
    batches = [park.batch(source) for source in sources]
    return erase_batches(park.house.desk, batches, WHY, author=author).index


def wh(house: House, name: str) -> list[int]:
    with reading(house.engine) as conn:
        point = find_point(conn, 1, name).point
        items = effective(conn, 1, point, start_s=DAY.start_s, end_s=DAY.end_s)
    return [value for item in items for value in item.series.value.tolist()]


def test_values_secrets_and_manifests_are_gone(park: Park) -> None:
    before = rows(park.house, "SELECT COUNT(*) FROM bodies")[0][0]
    by = erase(park, "roof")
    found = rows(
        park.house,
        "SELECT secret, value, quality, b.start_s FROM batches a JOIN blocks b"
        " ON a.entry_index = b.entry_index WHERE a.entry_index = ?",
        park.batch("roof"),
    )
    assert [tuple(map(bytes, row[:3])) for row in found] == [(b"", b"", b"")]
    assert rows(park.house, "SELECT entry_index, erased_by FROM erasures") == [
        (park.batch("roof"), by)
    ]
    # The manifest went, what the erasure keeps came.
    assert rows(park.house, "SELECT COUNT(*) FROM bodies")[0][0] == before
    assert wh(park.house, "roof") == []
    assert wh(park.house, "saw") == SAW


def test_an_audit_says_what_is_erased_and_what_stands_on_its_word(park: Park) -> None:
    whole = park.house.audit(no_progress)
    assert (whole.erased, whole.attested) == (0, ())
    erase(park, "roof")
    found = park.house.audit(no_progress)
    # The claim rests on lots, and on what its own point consumed: both are there.
    assert found.attested == (park.entries["match.run"], park.entries["lot.divide"])
    assert (found.erased, found.bodies) == (2, whole.bodies - 1)
    erase(park, "saw")
    found = park.house.audit(no_progress)
    assert found.attested == tuple(
        park.entries[kind] for kind in ("match.run", "lot.divide", "claim.make")
    )


def test_what_rests_on_a_batch_is_said_before(park: Park) -> None:
    with reading(park.house.engine) as conn:
        roof = find_batches(conn, 1, entries=[park.batch("roof")])
        found = resting_on(conn, park.house.log, roof)
    assert found.points == ("roof",)
    assert found.readings == len(ROOF)
    assert found.runs == (park.entries["match.run"],)
    assert park.entries["lot.divide"] in found.divisions
    assert found.claims == (park.claim,)
    assert found.undivided == ()


def test_evidence_made_before_stays_valid(park: Park, tmp_path: Path) -> None:
    file = tmp_path / "claim.evidence.json"
    file.write_bytes(evidence_of(park.house, park.claim))
    opening = tmp_path / "reading.json"
    opening.write_bytes(encode(open_point_reading(park.house.desk, "roof", DAY_S)))
    erase(park, "roof")
    vkey = park.house.log.log_key.vkey
    park.house.export_tiles(tmp_path / "tiles", no_progress)
    for words in (
        ("evidence", str(file)),
        ("evidence", str(file), "--log", str(tmp_path / "tiles")),
        ("proof", str(opening)),
    ):
        assert answer(vkey, *words)["exit"] == 0, words
    log = answer(vkey, "log", str(tmp_path / "tiles"))
    assert any("1 batches of readings were erased" in line for line in log["established"])


def test_no_new_evidence_opens_what_is_gone(park: Park) -> None:
    erase(park, "roof")
    with pytest.raises(Outdated, match=rf"the readings of entry {park.batch('roof')} were erased"):
        evidence_of(park.house, park.claim)
    assert evidence_of(park.house, park.claim, "total")
    # The entry itself is proven as ever.
    assert open_entry(park.house.desk, park.batch("roof"))


def test_nothing_takes_the_place_of_erased_readings(park: Park) -> None:
    by = erase(park, "roof")
    again, desk = series("roof", ROOF), park.house.desk
    with pytest.raises(Refused, match=rf"which entry {by} has erased: nothing else takes its"):
        take_in(desk, [again], Origin(source="more", author="farm"))
    with pytest.raises(Refused, match=rf"which entry {by} has erased"):
        take_in(desk, [again], Origin(source="more", author="farm", reason="read twice"))
    after = series("roof", [700], start_s=DAY.end_s)
    take_in(desk, [after], Origin(source="roof", author="farm"))
    assert park.house.audit(no_progress).erased == 2


def test_later_runs_find_the_readings_missing(park: Park) -> None:
    """No energy is divided a second time: what was left over is written off with its meter."""
    with reading(park.house.engine) as conn:
        lots = len(all_lots(conn, 1))
    erase(park, "roof")
    run_matching(park.house.desk, DAY)
    with reading(park.house.engine) as conn:
        assert len(all_lots(conn, 1)) == lots
    with pytest.raises(Refused):
        claims.make(park.house.desk, ["saw"], DAY)
    park.house.audit(no_progress)


def test_a_run_that_was_prepared_before_is_refused(park: Park) -> None:
    """What was computed in time and comes too late is computed anew."""
    held: list[Submission] = []
    desk = park.house.desk
    original = desk.writer.append_all

    class Late:
        def append(self, one: Submission) -> object:
            raise AssertionError

        def append_all(self, some: list[Submission], **more: object) -> object:
            held.extend(some)
            raise KeyboardInterrupt

    from dataclasses import replace

    with pytest.raises(KeyboardInterrupt):
        run_matching(replace(desk, writer=Late()), DAY)  # type: ignore[arg-type]
    erase(park, "roof")
    with pytest.raises(Outdated, match="were erased"):
        original(held)


def test_who_may_erase(park: Park) -> None:
    with pytest.raises(Refused, match="is erased by its author 'farm' or the operator, not by"):
        erase(park, "roof", author="mill")
    erase(park, "roof", author="farm")
    with pytest.raises(Refused, match="was erased before, by entry"):
        erase(park, "roof")


def kept(park: Park, source: str) -> dict[str, object]:
    with reading(park.house.engine) as conn:
        (row,) = find_batches(conn, 1, entries=[park.batch(source)])
        from ledger.metering.store import times_of_batch

        blocks = tuple(times_of_batch(conn, 1, row.entry_index))
    return Erasing(batch=row.leaf_hash, file="", blocks=blocks).to_json()


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"file": "ab" * 32}, "came from another file"),
        ({"blocks": []}, "has other intervals"),
        ({"batch": "ab" * 32}, "the very batches that it erases"),
        ({"more": 1}, "unknown member 'more'"),
    ],
)
def test_what_is_kept_is_what_there_was(park: Park, change: dict[str, object], says: str) -> None:
    found = kept(park, "roof")
    body: Blob = seal_json({"batches": [found | change]}, "erased")
    draft = Draft(
        type="readings.erase",
        author="operator",
        members={"batches": [str(found["batch"])], "reason": WHY},
        bodies={"body": body},
    )
    with pytest.raises((Refused, InvalidInput), match=says):
        park.house.desk.append(draft)


def test_a_file_goes_with_the_last_batch_of_it(park: Park) -> None:
    desk, file = park.house.desk, b"the rows of the file\n" * 5
    for offset in (0, 1):
        take_in(
            desk,
            [series("roof", [7], start_s=DAY.end_s + offset * QUARTER_S)],
            Origin(source="file", author="farm", file_name="a.csv", file=file),
        )
    first, second = (
        index
        for (index,) in rows(
            park.house, "SELECT entry_index FROM batches WHERE source = 'file' ORDER BY 1"
        )
    )
    found = [
        bytes(data)
        for (data,) in rows(park.house, "SELECT data FROM bodies")
        if file in bytes(data)
    ]
    # Each import salts its file; here each batch is an import of its own.
    assert len(found) == 2
    erase_batches(desk, [first], WHY)
    left = [bytes(data) for (data,) in rows(park.house, "SELECT data FROM bodies")]
    assert sum(file in data for data in left) == 1
    erase_batches(desk, [second], WHY)
    left = [bytes(data) for (data,) in rows(park.house, "SELECT data FROM bodies")]
    assert not any(file in data for data in left)
    park.house.audit(no_progress)


def test_what_limits_the_use_of_divided_energy_stays(park: Park) -> None:
    desk = park.house.desk
    take_in(
        desk,
        [series("roof", [900])],
        Origin(source="roof", author="farm", reason="read twice"),
    )
    ((index,),) = rows(park.house, "SELECT entry_index FROM batches WHERE correction = 1")
    with pytest.raises(Refused, match=rf"entry {index} can't be erased: by the correction of"):
        erase_batches(desk, [index], WHY)
    # What it replaced limits nothing any more.
    erase(park, "roof")
    assert wh(park.house, "roof") == [900]
    assert index in park.house.audit(no_progress).attested


def test_a_correction_that_goes_uncovers_nothing(park: Park) -> None:
    desk = park.house.desk
    early = series("roof", [5], start_s=DAY.end_s)
    take_in(desk, [early], Origin(source="roof", author="farm"))
    late = series("roof", [6], start_s=DAY.end_s)
    take_in(desk, [late], Origin(source="roof", author="farm", reason="read twice"))
    ((index,),) = rows(park.house, "SELECT entry_index FROM batches WHERE correction = 1")
    with reading(park.house.engine) as conn:
        point = find_point(conn, 1, "roof").point

    def values() -> list[int]:
        with reading(park.house.engine) as conn:
            items = effective(conn, 1, point, start_s=DAY.end_s, end_s=DAY.end_s + QUARTER_S)
            return [value for item in items for value in item.series.value.tolist()]

    # A month that was divided: nothing may depend on the correction, but this one does.
    with pytest.raises(Refused, match="can't be erased"):
        erase_batches(desk, [index], WHY)
    assert values() == [6]


def test_backup_and_restore_of_a_log_with_erased_batches(park: Park, tmp_path: Path) -> None:
    erase(park, "roof", "till")
    park.house.export_entries(tmp_path / "entries", no_progress)
    files = b"".join(file.read_bytes() for file in (tmp_path / "entries" / "bodies").iterdir())
    assert ROOF[0].to_bytes(8, "big") + ROOF[1].to_bytes(8, "big") not in files
    restore(settings_in(tmp_path / "restored"), tmp_path / "entries", no_progress)
    restored = dump(tmp_path / "restored")
    for table, content in dump(park.house.settings.dir).items():
        if table not in ("checkpoint_roots", "checkpoint_notes"):
            assert restored[table] == content, table


# An erasure is no cover for anything else


def test_a_missing_body_without_an_erasure_is_found(park: Park) -> None:
    index = park.batch("saw")
    erase(park, "roof")
    tamper(
        park.house,
        ("UPDATE batches SET secret = ? WHERE entry_index = ?", (b"", index)),
        ("UPDATE blocks SET value = ?, quality = ? WHERE entry_index = ?", (b"", b"", index)),
    )
    with pytest.raises(Corrupt, match=rf"entry {index} \(readings\): body body .* is missing"):
        park.house.audit(no_progress)


def test_an_erasure_that_only_the_database_says_is_found(park: Park) -> None:
    index, by = park.batch("saw"), erase(park, "roof")
    connection = raw(park.house)
    with connection.unguarded():
        connection.execute("INSERT INTO erasures VALUES (1, ?, ?)", index, by)
    connection.close()
    with pytest.raises(Corrupt, match="table erasures: row"):
        park.house.audit(no_progress)


def test_values_that_are_still_there_are_found(park: Park) -> None:
    index = park.batch("roof")
    ((value, quality),) = rows(
        park.house, "SELECT value, quality FROM blocks WHERE entry_index = ?", index
    )
    erase(park, "roof")
    tamper(
        park.house,
        (
            "UPDATE blocks SET value = ?, quality = ? WHERE entry_index = ?",
            (bytes(value), bytes(quality), index),
        ),
    )
    with pytest.raises(
        Corrupt, match=r"table blocks, row .*: value differs from what the log says"
    ):
        park.house.audit(no_progress)


def test_other_intervals_than_were_signed_are_found(park: Park) -> None:
    """What is kept has to have as many intervals as the batch's header says."""
    erase(park, "roof")
    tamper(
        park.house,
        (
            "UPDATE blocks SET end_s = end_s + 900 WHERE entry_index = ?",
            (park.batch("roof"),),
        ),
    )
    with pytest.raises(Corrupt, match="end_s differs from what the log says"):
        park.house.audit(no_progress)


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE blocks SET value = x'', quality = x'' WHERE entry_index = {saw}",
        "UPDATE batches SET secret = x'' WHERE entry_index = {saw}",
        "UPDATE blocks SET start_s = start_s + 900 WHERE entry_index = {roof}",
        "UPDATE batches SET count = 1 WHERE entry_index = {roof}",
        "DELETE FROM blocks WHERE entry_index = {roof}",
        "DELETE FROM bodies",
        "DELETE FROM erasures",
        "INSERT INTO erasures VALUES (1, {saw}, {saw} + 1)",
    ],
)
def test_the_database_lets_nothing_else_go(park: Park, change: str) -> None:
    erase(park, "roof")
    connection = raw(park.house)
    sql = change.format(saw=park.batch("saw"), roof=park.batch("roof"))
    if connection.is_postgresql:
        sql = sql.replace("x''", "''::bytea")
    with pytest.raises(REFUSED):
        connection.execute(sql)
    connection.close()
