"""Keys of organisations change while entries stream in: no gap, no entry by an ended key."""

from __future__ import annotations

import threading
from collections.abc import Callable

import pytest

from ledger.db import reading
from ledger.errors import KeyEnded, Refused
from ledger.house import House
from ledger.log.entry import parse_entry
from ledger.metering.points import Point
from ledger.metering.sealing import Origin
from ledger.metering.series import Series
from ledger.metering.service import register_point, sort_out, take_in
from ledger.metering.store import last_batch
from ledger.parties.store import find_keys
from tests.ledgers import (
    DAY_S,
    FARM,
    FARM_NEXT,
    QUARTER_S,
    introduce,
    key_members,
    keys_of,
    no_progress,
    rows,
    series,
    statement,
    submit,
)


@pytest.fixture
def park(begun: House) -> House:
    """The mill, whose keys the server holds, has a meter for each of three sources."""
    begun.desk.register_party("mill", "Mill", ["enterprise"])
    begun.desk.create_key("mill")
    for number in range(3):
        register_point(begun.desk, Point(name=f"saw-{number}", kind="consumption", owner="mill"))
    return begun


def origin(number: int) -> Origin:
    return Origin(source=f"saw-{number}", author="mill")


def quarter(number: int, at: int) -> list[Series]:
    return [series(f"saw-{number}", [at], start_s=DAY_S + at * QUARTER_S)]


def signers_of(house: House) -> list[tuple[int, str]]:
    """Entry and key id of all that the mill has signed, in log order."""
    found = rows(house, "SELECT entry_index, data FROM entries WHERE author = 'mill' ORDER BY 1")
    return [(index, parse_entry(bytes(data)).signatures[0].key_id.hex()) for index, data in found]


def all_in_force(house: House) -> bool:
    """Each entry of the mill is by a key that was in force just there."""
    keys = {one.key.key_id.hex(): one for one in keys_of(house, "mill")}
    return all(
        keys[key_id].entry_index < index <= (keys[key_id].ended_index or index)
        for index, key_id in signers_of(house)
    )


def test_readings_stream_in_while_keys_rotate(park: House) -> None:
    """Three threads send, one rotates: all is taken, signed by whichever key was in force."""
    errors: list[BaseException] = []

    def run(work: Callable[[int], object], count: int) -> None:
        try:
            for at in range(count):
                work(at)
        except BaseException as error:  # pragma: no cover
            errors.append(error)

    def sender(number: int) -> Callable[[int], object]:
        return lambda at: take_in(park.desk, quarter(number, at), origin(number))

    jobs = [(sender(number), 8) for number in range(3)]
    jobs.append((lambda _: park.desk.rotate_key("mill"), 5))
    threads = [threading.Thread(target=run, args=job) for job in jobs]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert errors == []
    assert rows(park, "SELECT count(*) FROM entries WHERE type = 'readings'") == [(24,)]
    assert len(keys_of(park, "mill")) == 6
    assert all_in_force(park)
    park.audit(no_progress)


def test_a_batch_that_was_signed_before_the_rotation_is_told_so(park: House) -> None:
    """It can be signed anew, and then it is taken; nothing of it was stored before."""
    found = sort_out(park.desk, quarter(0, 1), origin(0))
    park.desk.rotate_key("mill")
    with pytest.raises(KeyEnded, match=r"\(replaced\); sign with one in force"):
        park.desk.writer.append_all(found.submissions)
    with reading(park.engine) as conn:
        assert last_batch(conn, 1, "mill", "saw-0") is None
    assert take_in(park.desk, quarter(0, 1), origin(0)).stored == 1


def test_the_race_is_decided_under_the_lock(park: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between the check of the signature and the place in the log, the key is replaced."""
    found = sort_out(park.desk, quarter(0, 1), origin(0))
    prepared = park.desk.writer._prepare_all  # type: ignore[attr-defined]

    def late(*args: object) -> object:
        result = prepared(*args)
        monkeypatch.undo()
        park.desk.rotate_key("mill")
        return result

    monkeypatch.setattr(park.desk.writer, "_prepare_all", late)
    with pytest.raises(KeyEnded):
        park.desk.writer.append_all(found.submissions)
    assert all_in_force(park)
    park.audit(no_progress)


def test_a_key_revoked_in_midstream(park: House) -> None:
    """What it signed stays, nothing follows, and the source goes on under a new key."""
    take_in(park.desk, quarter(0, 0), origin(0))
    (key,) = keys_of(park, "mill")
    ready = sort_out(park.desk, quarter(0, 1), origin(0))
    park.desk.revoke_key(key, "the notebook was stolen")
    with pytest.raises(KeyEnded, match="the notebook was stolen"):
        park.desk.writer.append_all(ready.submissions)
    with pytest.raises(Refused, match="has no key in force"):
        take_in(park.desk, quarter(0, 1), origin(0))
    park.desk.create_key("mill")
    taken = take_in(park.desk, [series("saw-0", [0, 7], start_s=DAY_S)], origin(0))
    assert (taken.stored, taken.repeats) == (1, 1)
    assert rows(park, "SELECT count(*) FROM entries WHERE type = 'readings'") == [(2,)]
    assert all_in_force(park)
    park.audit(no_progress)


def test_a_stolen_key_signs_anything_until_it_is_revoked(begun: House) -> None:
    """Custody moves: the thief has what the owner had, and both have nothing afterwards."""
    begun.desk.register_party("farm", "Farm", ["generator"])
    introduce(begun, "farm", FARM)
    thief = statement("key.register", "farm", **key_members("farm", FARM_NEXT, replaces=""))
    submit(begun, thief, FARM, FARM_NEXT)
    for key in keys_of(begun, "farm"):
        begun.desk.revoke_key(key, "stolen, and what it brought")
    again = statement("key.revoke", "farm", party="farm", vkey="", reason="x")
    again["vkey"] = FARM.verify_key.vkey
    for stolen in (FARM, FARM_NEXT):
        with pytest.raises(KeyEnded, match="stolen, and what it brought"):
            submit(begun, again, stolen)
    with reading(begun.engine) as conn:
        assert all(one.ended_index for one in find_keys(conn, 1, party="farm"))


def test_the_operators_own_key_rotates_under_load(park: House) -> None:
    """It signs the ticks: a group of entries begins with one by the key in force just then."""
    for at in range(3):
        take_in(park.desk, quarter(0, at), origin(0))
        park.desk.rotate_key("operator")
    assert len(keys_of(park, "operator")) == 4
    park.audit(no_progress)
