"""Matching as a job: in pieces, by one or several, begun again, always the same bytes."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from ledger.db import reading, writing
from ledger.errors import Corrupt, InvalidInput
from ledger.house import House
from ledger.jobs import kinds, matching, service, store
from ledger.jobs.model import DONE, FAILED, PARK, Job
from ledger.jobs.running import run
from ledger.jobs.work import Helping, Run
from ledger.matching.drawing import Draws
from ledger.matching.pieces import Piece, join_pieces, pieces_of, seal_piece
from ledger.matching.service import prepare_run, run_matching
from ledger.metering.service import Origin, take_in
from ledger.units import Period, format_instant
from tests.divided import agree, consumer, owners, source
from tests.jobs.conftest import job_of
from tests.ledgers import NOW_S, begin, copy_ledger, curve, no_progress, open_house, rows, series

SECRET = bytes(range(32))
# Four days on either side of the turn from January to February, park time.
START_S = NOW_S - 32 * 86_400
PERIOD = Period(start_s=START_S, end_s=START_S + 8 * 86_400)
COUNT = PERIOD.length_s // 900
PARAMS = {"from": format_instant(PERIOD.start_s), "to": format_instant(PERIOD.end_s)}
CONSUMERS = ("saw", "press", "oven", "mill-a", "mill-b", "mill-c", "mill-d", "mill-e", "mill-f")


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A roof and nine consumers over parts of two months: ten origins a month, two pieces."""
    folder = tmp_path_factory.mktemp("park") / "data"
    house = begin(folder)
    owners(house)
    source(house, "roof")
    for name in CONSUMERS:
        consumer(house, name)
    names = ("roof", *CONSUMERS)
    take_in(
        house.desk,
        [
            series(name, curve(k, COUNT, 9_000_000 if k == 0 else 1_000_000), start_s=START_S)
            for k, name in enumerate(names)
        ],
        Origin(source="meters", author="operator"),
    )
    agree(house, "roof-to-all", dict.fromkeys(CONSUMERS, 0))
    house.engine.dispose()
    return folder


def opened(template: Path, folder: Path) -> House:
    return open_house(copy_ledger(template, folder))


def asked(house: House) -> Job:
    return service.submit(house, "match", PARAMS, party=PARK, account="anna", secret=SECRET)


def made(house: House) -> list[tuple[bytes, ...]]:
    """Entries of the run and its divisions, then all bodies: what must be the same."""
    entries = rows(
        house,
        "SELECT data FROM entries WHERE type IN ('match.run', 'lot.divide') ORDER BY entry_index",
    )
    bodies = rows(house, "SELECT hash, data FROM bodies ORDER BY hash")
    return [*entries, *bodies]


@pytest.fixture(scope="module")
def expected(template: Path, tmp_path_factory: pytest.TempPathFactory) -> list[tuple[bytes, ...]]:
    """As the command makes it, whose divisions are sealed whole."""
    house = opened(template, tmp_path_factory.mktemp("expected") / "data")
    report = run_matching(house.desk, PERIOD, draws=Draws(SECRET))
    assert len(report.divisions) == 2
    found = made(house)
    house.engine.dispose()
    return found


def begin_run(house: House, job: Job) -> Run:
    with writing(house.engine) as conn:
        assert store.claim(conn, job.id, "one", NOW_S, NOW_S - 1)
    return Run(house, job, kinds.KINDS["match"], "one", nudge=lambda _: None, stop=lambda: False)


def shards(house: House) -> list[tuple[int, bool]]:
    found = rows(house, "SELECT number, output IS NOT NULL FROM job_shards ORDER BY number")
    return [(number, bool(done)) for number, done in found]


class TestSameBytes:
    def test_alone(self, template: Path, tmp_path: Path, expected: list[tuple[bytes, ...]]) -> None:
        house = opened(template, tmp_path / "data")
        found = run(house, asked(house).id)
        assert found is not None
        assert found.state == DONE, found.error
        assert found.result is not None
        assert len(found.result["divisions"]) == 2
        assert made(house) == expected
        assert shards(house) == []
        house.audit(no_progress)
        house.engine.dispose()

    def test_with_help(
        self, template: Path, tmp_path: Path, expected: list[tuple[bytes, ...]]
    ) -> None:
        house, other = opened(template, tmp_path / "data"), open_house(tmp_path / "data")
        helpers: list[threading.Thread] = []

        def nudge(id_: str) -> None:
            helpers.append(threading.Thread(target=run, args=(other, id_)))
            helpers[-1].start()

        found = run(house, asked(house).id, nudge=nudge)
        for helper in helpers:
            helper.join()
        assert found is not None
        assert found.state == DONE, found.error
        assert helpers
        assert made(house) == expected
        house.engine.dispose()
        other.engine.dispose()

    def test_another_secret_makes_other_bytes_of_the_same_energy(
        self, template: Path, tmp_path: Path, expected: list[tuple[bytes, ...]]
    ) -> None:
        house = opened(template, tmp_path / "data")
        run_matching(house.desk, PERIOD, draws=Draws(bytes(32)))
        assert not set(made(house)[:3]) & set(expected[:3])
        house.engine.dispose()


class TestPieces:
    def test_what_a_lost_worker_did_is_not_done_again(
        self,
        template: Path,
        tmp_path: Path,
        expected: list[tuple[bytes, ...]],
        monkeypatch: pytest.MonkeyPatch,
    ) -> None:
        house = opened(template, tmp_path / "data")
        job = asked(house)
        first = begin_run(house, job)
        prepared = prepare_run(house.desk, PERIOD, draws=Draws(first.secret), readings=False)
        inputs = [
            one.data for one in pieces_of(prepared.numbered(house.log.origin), prepared.as_of)
        ]
        with writing(house.engine) as conn:
            store.save_shards(conn, job.id, inputs)
            # Begun by the worker that was lost, and by a helper that was lost with it.
            for number in (0, 1):
                assert store.take_shard(conn, job.id, number, "lost") == inputs[number]
        for number in (0, 2):
            with reading(house.engine) as conn:
                output = seal_piece(conn, house.log, inputs[number])
            with writing(house.engine) as conn:
                store.save_output(conn, job.id, number, inputs[number], output)
        assert shards(house) == [(k, k in (0, 2)) for k in range(4)]
        monkeypatch.setattr(matching, "_PATIENCE_S", 0.1)
        done: list[bytes] = []

        def counted(conn: object, log: object, data: bytes) -> bytes:
            done.append(data)
            return seal_piece(conn, log, data)  # type: ignore[arg-type]

        monkeypatch.setattr(matching, "seal_piece", counted)
        found = run(house, job.id)
        assert found is not None
        assert (found.state, found.attempts) == (DONE, 2), found.error
        assert sorted(done) == sorted(inputs[k] for k in (1, 3))
        assert made(house) == expected
        house.engine.dispose()

    def test_of_another_log_size_all_is_done_again(self, template: Path, tmp_path: Path) -> None:
        house = opened(template, tmp_path / "data")
        job = asked(house)
        begin_run(house, job)
        with writing(house.engine) as conn:
            store.save_shards(conn, job.id, [b"of another size"])
        found = run(house, job.id)
        assert found is not None
        assert found.state == DONE, found.error
        house.engine.dispose()

    def test_a_result_that_is_not_what_was_computed(self, template: Path, tmp_path: Path) -> None:
        house = opened(template, tmp_path / "data")
        prepared = prepare_run(house.desk, PERIOD, draws=Draws(SECRET), readings=False)
        numbered = prepared.numbered(house.log.origin)
        parts = list(pieces_of(numbered, prepared.as_of))
        with reading(house.engine) as conn:
            outputs = [seal_piece(conn, house.log, one.data) for one in parts]
        assert len(join_pieces(numbered, parts, outputs)) == 2
        for change in (
            [outputs[1], outputs[0], *outputs[2:]],
            [outputs[0][:-1] + bytes([outputs[0][-1] ^ 1]), *outputs[1:]],
            [outputs[0][:-32], *outputs[1:]],
        ):
            with pytest.raises(Corrupt, match="is not what was computed"):
                join_pieces(numbered, parts, change)
        house.engine.dispose()

    def test_a_piece_is_its_bytes(self, template: Path, tmp_path: Path) -> None:
        house = opened(template, tmp_path / "data")
        prepared = prepare_run(house.desk, PERIOD, draws=Draws(SECRET), readings=False)
        for one in pieces_of(prepared.numbered(house.log.origin), prepared.as_of):
            again = Piece.parse(one.data, origin=house.log.origin)
            assert again.data == one.data
            assert (again.as_of, again.first, again.place, again.points) == (
                one.as_of,
                one.first,
                one.place,
                one.points,
            )
        with pytest.raises(InvalidInput, match="does not unpack"):
            Piece.parse(b"garbage", origin=house.log.origin)
        house.engine.dispose()


def test_a_log_that_changed_meanwhile_is_matched_anew(
    template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A correction comes between the evaluation and the append, once."""
    house = opened(template, tmp_path / "data")
    corrected: list[int] = []
    joined = join_pieces

    def late(*given: object) -> object:
        if not corrected:
            first = series("saw", [123], start_s=START_S)
            origin = Origin(source="meters", author="operator", reason="read twice")
            corrected.extend(one.index for one in take_in(house.desk, [first], origin).receipts)
        return joined(*given)  # type: ignore[arg-type]

    monkeypatch.setattr(matching, "join_pieces", late)
    found = run(house, asked(house).id)
    assert found is not None
    assert found.state == DONE, found.error
    assert found.result is not None
    assert found.result["as_of"] > corrected[0]
    assert rows(house, "SELECT COUNT(*) FROM entries WHERE type = 'match.run'") == [(1,)]
    house.engine.dispose()


def test_a_refusal_is_the_job_s_error(template: Path, tmp_path: Path) -> None:
    house = opened(template, tmp_path / "data")
    odd = PARAMS | {"to": format_instant(PERIOD.end_s + 1)}
    job = service.submit(house, "match", odd, party=PARK, account="anna")
    found = run(house, job.id)
    assert found is not None
    assert found.state == FAILED
    assert "no whole number of quarter-hours" in found.error
    house.engine.dispose()


def test_helping_stops_when_told(template: Path, tmp_path: Path) -> None:
    house = opened(template, tmp_path / "data")
    job = asked(house)
    begin_run(house, job)
    with writing(house.engine) as conn:
        store.save_shards(conn, job.id, [b"not to be opened"])
    assert not matching.help_with(house, job.id, Helping(nudge=lambda _: None, stop=lambda: True))
    assert job_of(house, job.id).state == "running"
    house.engine.dispose()
