"""Asking for jobs, doing them, and what holds whoever dies when. On both databases."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Connection, update

from ledger.access import requests
from ledger.access import service as access
from ledger.approvals.store import Draft, Person, save_draft
from ledger.db import reading, writing
from ledger.errors import NotFound, Refused, Throttled
from ledger.house import House
from ledger.jobs import kinds, schedule, service, store
from ledger.jobs.model import (
    CANCELLED,
    DONE,
    FAILED,
    RUNNING,
    STATES,
    Cancelled,
    Job,
    Lost,
)
from ledger.jobs.running import run
from ledger.jobs.schema import jobs
from ledger.jobs.work import Run
from ledger.metering import importing
from tests.jobs.conftest import ask, job_of
from tests.ledgers import NOW_S, Clock, rows

pytestmark = pytest.mark.both_databases

PROFILE = Path(importing.__file__).parent / "profiles" / "simple-15min.toml"
IMPORT = {
    "profile": PROFILE.read_text(),
    "file_name": "a.csv",
    "source": "a",
    "author": "operator",
}
HALF_STATES: tuple[dict[str, Any], ...] = (
    {"state": "lost"},
    {"state": DONE, "ended_at_s": 1},
    {"state": FAILED, "ended_at_s": 1},
    {"state": CANCELLED},
    {"state": RUNNING},
    {"result": "{}"},
    {"error": "why"},
    {"worker": "me"},
    {"ended_at_s": 1},
)


def entries(house: House) -> int:
    found = rows(house, "SELECT COUNT(*) FROM entries")
    return int(found[0][0])


def taken(house: House, job: Job, now_s: int = NOW_S) -> Run:
    """A worker that has the job; its lease runs out at once."""
    worker = f"worker-{len(rows(house, 'SELECT id FROM jobs'))}-{now_s}"
    with writing(house.engine) as conn:
        assert store.claim(conn, job.id, worker, now_s, now_s - 1)
    return Run(
        house, job, kinds.KINDS[job.kind], worker, nudge=lambda _id: None, stop=lambda: False
    )


def draft(at_s: int) -> Draft:
    """Waits for a minute."""
    return Draft(
        draft=at_s.to_bytes(16),
        party="mill",
        kind="claim.make",
        summary={},
        state="prepared",
        preparer=Person(officer=b"\0" * 16),
        prepared_at_s=at_s,
        expires_at_s=at_s + 60,
    )


class TestAsking:
    def test_a_key_stands_for_one_request(self, begun: House) -> None:
        first = ask(begun, "audit", key="monday")
        assert ask(begun, "audit", key="monday") == first
        assert ask(begun, "audit", key="tuesday").id != first.id
        assert ask(begun, "audit").id != ask(begun, "audit").id
        with pytest.raises(Refused, match="'monday' stands for another request"):
            ask(begun, "checkpoint", key="monday")
        other = service.submit(begun, "audit", {}, party="", account="ben", key="monday")
        assert other.id != first.id

    def test_a_key_stands_for_one_file(self, begun: House) -> None:
        """Also when the job has ended, and its file is gone."""

        def asked(data: bytes) -> Job:
            return ask(begun, "import", IMPORT, key="monday", files={"file": data})

        first = asked(b"time,kWh\n")
        assert asked(b"time,kWh\n") == first
        run(begun, first.id)
        assert asked(b"time,kWh\n").id == first.id
        with pytest.raises(Refused, match="'monday' stands for another request"):
            asked(b"time,kWh,more\n")

    def test_who_sees_which(self, begun: House) -> None:
        mine = service.submit(begun, "audit", {}, party="mill", account="anna")
        theirs = service.submit(begun, "audit", {}, party="farm", account="ben")
        with reading(begun.engine) as conn:
            assert service.load(conn, mine.id, {"mill"}) == mine
            with pytest.raises(NotFound):
                service.load(conn, theirs.id, {"mill"})
            assert service.list_of(conn, {"mill"}) == [mine]
            assert service.list_of(conn, set()) == []

    def test_pages(self, begun: House) -> None:
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)
        made = []
        for number in range(5):
            clock.now_s += number % 2
            made.append(ask(begun, "audit").id)
        with reading(begun.engine) as conn:
            seen = [service.list_of(conn, None, limit=2)]
            while seen[-1]:
                seen.append(service.list_of(conn, None, before=seen[-1][-1].id, limit=2))
            assert sorted(job.id for page in seen for job in page) == sorted(made)
            assert [len(page) for page in seen] == [2, 2, 1, 0]


class TestStates:
    def test_the_database_refuses_half_a_state(self, begun: House) -> None:
        job = ask(begun, "audit")
        for values in HALF_STATES:
            with (
                pytest.raises(Refused, match="the database refused it"),
                writing(begun.engine) as conn,
            ):
                conn.execute(update(jobs).where(jobs.c.id == job.id).values(values))

    def test_what_has_ended_stays(self, begun: House) -> None:
        job = ask(begun, "checkpoint")
        found = run(begun, job.id)
        assert found is not None
        assert found.state == DONE
        assert service.ask_cancel(begun, job.id) == found
        assert run(begun, job.id) is None
        with writing(begun.engine) as conn:
            for state in STATES:
                assert not store.end(conn, job.id, "", state, NOW_S)


class TestCancelling:
    def test_before_it_begins(self, begun: House) -> None:
        job = ask(begun, "audit")
        assert service.ask_cancel(begun, job.id).state == CANCELLED
        assert run(begun, job.id) is None

    def test_at_the_next_step(self, begun: House) -> None:
        job = ask(begun, "audit")
        one = taken(begun, job)
        one.progress(1, 2)
        assert service.ask_cancel(begun, job.id).state == RUNNING
        # Whoever takes it over sees it; so does, in time, who has it.
        found = run(begun, job.id)
        assert found is not None
        assert (found.state, found.error, found.result) == (CANCELLED, "", None)

    def test_nothing_half_written(self, begun: House) -> None:
        """Asked for just before the append: neither entry nor result is stored."""
        job = ask(begun, "expiry")
        one = taken(begun, job)
        before = entries(begun)
        service.ask_cancel(begun, job.id)
        with pytest.raises(Cancelled):
            one.finishing(lambda _conn, _receipts: {}).register_party("a", "A", ["enterprise"])
        assert entries(begun) == before
        with pytest.raises(Cancelled):
            one.save_file("evidence.json", [b"half a file"])
        assert rows(begun, "SELECT job FROM job_files") == []


class TestTakingOver:
    def test_the_work_of_two_gets_into_the_log_once(self, begun: House) -> None:
        """The first was slow, its lease ran out; then it wakes up."""
        job = ask(begun, "expiry")
        slow, quick = taken(begun, job), taken(begun, job, NOW_S + 1)
        before = entries(begun)
        with pytest.raises(Lost):
            slow.finishing(lambda _conn, _receipts: {}).register_party("a", "A", ["enterprise"])
        assert entries(begun) == before
        quick.finishing(lambda _conn, receipts: {"entry": receipts[0].index}).register_party(
            "b", "B", ["enterprise"]
        )
        found = job_of(begun, job.id)
        assert (found.state, found.result, found.attempts) == (DONE, {"entry": before + 1}, 2)
        with pytest.raises(Lost):
            quick.finishing(lambda _conn, _receipts: {}).register_party("c", "C", ["enterprise"])
        slow.end(FAILED, error="too late")
        assert job_of(begun, job.id) == found

    def test_not_while_the_lease_lasts(self, begun: House) -> None:
        job = ask(begun, "audit")
        with writing(begun.engine) as conn:
            assert store.claim(conn, job.id, "one", NOW_S, NOW_S + 60)
            assert not store.claim(conn, job.id, "two", NOW_S + 60, NOW_S + 120)
        assert run(begun, job.id) is None
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)
        clock.now_s += 61
        with reading(begun.engine) as conn:
            assert service.pending(conn, clock.now_s - 1) == []
            assert service.pending(conn, clock.now_s) == [job.id]
        found = run(begun, job.id)
        assert found is not None
        assert (found.state, found.attempts, found.started_at_s) == (DONE, 2, NOW_S)

    def test_not_for_ever(self, begun: House) -> None:
        job = ask(begun, "audit")
        for number in range(begun.settings.job_attempts_max):
            taken(begun, job, NOW_S - 100 + number)
        found = run(begun, job.id)
        assert found is not None
        assert found.state == FAILED
        assert "given up after 5 attempts" in found.error


class TestKinds:
    def test_a_job_that_fails_says_why(self, filled: House) -> None:
        job = ask(filled, "evidence", {"claim": "00" * 16, "level": "total"})
        found = run(filled, job.id)
        assert found is not None
        assert found.state == FAILED
        assert "claim" in found.error
        assert found.result is None

    def test_evidence_is_a_file_of_the_job(self, filled: House) -> None:
        claim = bytes(rows(filled, "SELECT claim FROM claims")[0][0]).hex()
        job = ask(filled, "evidence", {"claim": claim, "level": "full"})
        found = run(filled, job.id)
        assert found is not None
        assert found.state == DONE, found.error
        assert found.result is not None
        data = b"".join(service.output(filled, job.id, "evidence.json"))
        assert len(data) == found.result["bytes"]
        assert data.startswith(b'{"format":"greenledger-evidence/v1"')
        with pytest.raises(NotFound):
            list(service.output(filled, job.id, "other"))

    def test_only_what_came_of_a_job_and_is_whole(self, begun: House) -> None:
        job = ask(begun, "evidence", {"claim": "00" * 16, "level": "total"})
        taken(begun, job).save_file("evidence.json", [b"half of"])
        with pytest.raises(NotFound, match="is running, and has no file"):
            list(service.output(begun, job.id, "evidence.json"))
        given = ask(begun, "import", IMPORT, files={"file": b"private"})
        with pytest.raises(NotFound, match="has no file 'file'"):
            list(service.output(begun, given.id, "file"))

    def test_expiry_keeps_house(self, begun: House) -> None:
        """Sessions, drafts and requests that are over go with the day's expiry; others stay."""
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)

        def kept() -> list[tuple[Any, ...]]:
            counts = "SELECT (SELECT COUNT(*) FROM sessions), (SELECT COUNT(*) FROM requests)"
            return rows(begun, f"{counts}, state FROM drafts ORDER BY prepared_at_s")

        def request(conn: Connection, name: str) -> None:
            keyed = requests.Keyed(log_id=1, account="a", key=name, digest=b"\0" * 32)
            requests.save(conn, keyed, [], clock.now_s)

        with writing(begun.engine) as conn:
            account = access.create_account(conn, NOW_S, access.MACHINE, "lin")
            access.link_identity(conn, NOW_S, access.MACHINE, account, "https://id.test", "lin")
            request(conn, "old")
            for at_s in (NOW_S, NOW_S + 60):
                save_draft(conn, 1, draft(at_s), [])
        access.login_linked(begun.engine, NOW_S, "::1", "https://id.test", "lin")
        clock.now_s += 60
        run(begun, ask(begun, "expiry").id)
        assert kept() == [(1, 1, "expired"), (1, 1, "prepared")]
        clock.now_s += begun.settings.job_keep_s
        with writing(begun.engine) as conn:
            request(conn, "new")
        run(begun, ask(begun, "expiry").id)
        assert kept() == [(0, 1, "expired"), (0, 1, "expired")]

    def test_expiry_and_audit(self, filled: House) -> None:
        """Jobs are no part of the log: the audit neither misses them nor finds them too much."""
        clock = filled.desk.clock_s
        assert isinstance(clock, Clock)
        clock.now_s += 5 * 366 * 86_400
        found = run(filled, ask(filled, "expiry").id)
        assert found is not None
        assert found.state == DONE, found.error
        assert found.result is not None
        (index, *_) = found.result["entries"]
        assert rows(filled, f"SELECT type FROM entries WHERE entry_index = {index}") == [
            ("unit.move",)
        ]
        audited = run(filled, ask(filled, "audit").id)
        assert audited is not None
        assert audited.result is not None
        assert audited.result["entries"] == entries(filled)
        assert (audited.done, audited.total) == (entries(filled), entries(filled))

    def test_the_secret_goes_with_the_end(self, begun: House) -> None:
        assert run(begun, ask(begun, "checkpoint").id) is not None
        assert [bytes(row[0]) for row in rows(begun, "SELECT secret FROM jobs")] == [b""]


class TestSchedule:
    def test_two_clocks_ask_once(self, begun: House) -> None:
        asked = [job.kind for job in schedule.due(begun)]
        assert asked == ["expiry", "audit"]
        assert schedule.due(begun) == []
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)
        clock.now_s += 86_400
        assert [job.kind for job in schedule.due(begun)] == ["expiry"]

    def test_a_checkpoint_when_the_log_has_grown(self, begun: House) -> None:
        schedule.due(begun)
        begun.desk.register_party("a", "A", ["enterprise"])
        (job,) = schedule.due(begun)
        assert (job.kind, job.party, job.account) == ("checkpoint", "", "")
        assert schedule.due(begun) == []
        run(begun, job.id)
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)
        clock.now_s += 60
        assert schedule.due(begun) == []

    def test_none_where_the_settings_say_so(self, begun: House) -> None:
        never = {"checkpoint_every_s": 0, "expiry_every_s": 0, "audit_every_s": 0}
        quiet = replace(begun, settings=begun.settings.model_copy(update=never))
        begun.desk.register_party("a", "A", ["enterprise"])
        assert schedule.due(quiet) == []

    def test_old_jobs_are_forgotten_with_their_files(self, begun: House) -> None:
        job = ask(begun, "evidence", {"claim": "00" * 16, "level": "total"})
        one = taken(begun, job)
        one.save_file("evidence.json", [b"lines"])
        one.end(DONE, result={})
        waiting = ask(begun, "audit")
        clock = begun.desk.clock_s
        assert isinstance(clock, Clock)
        nudged: list[str] = []
        clock.now_s += begun.settings.job_keep_s
        schedule.sweep(begun, nudged.append)
        assert waiting.id in nudged
        assert b"".join(service.output(begun, job.id, "evidence.json")) == b"lines"
        clock.now_s += 1
        schedule.sweep(begun, nudged.append)
        assert job.id not in [row[0] for row in rows(begun, "SELECT id FROM jobs")]
        assert rows(begun, "SELECT job FROM job_files") == []


def test_one_account_asks_for_so_many_jobs_at_a_time(begun: House) -> None:
    first = [ask(begun, "audit", key=f"{number}") for number in range(service.OPEN_MAX)]
    with pytest.raises(Throttled, match="50 jobs of yours"):
        ask(begun, "audit")
    assert ask(begun, "audit", key="7").id == first[7].id
    service.submit(begun, "audit", {}, party="", account="ben")
    service.ask_cancel(begun, first[0].id)
    ask(begun, "audit")
