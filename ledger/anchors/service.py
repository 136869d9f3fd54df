"""One round: whoever is due is asked about the latest checkpoint, all at once.

No transaction is open while anybody is waited for. What fails is noted with its reason, and asked
again later: after a minute, then twice as long each time, up to six hours. An anchor that does not
answer stops neither the others nor the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Engine

from ledger import remote
from ledger.anchors import alarm, cosigning, store, tokens
from ledger.anchors.config import Anchors, Authority, Witness
from ledger.db import reading, writing
from ledger.errors import LedgerError
from ledger.log import merkle, publish
from ledger.log import store as log_store
from ledger.log.cosigned import AUTHORITY, WITNESS
from ledger.log.notes import parse_note

RETRY_FIRST_S: Final = 60
RETRY_LAST_S: Final = 6 * 3600
_AT_ONCE: Final = 8
_ERROR_MAX: Final = 500
Said = tokens.Stamp | cosigning.Cosignature | cosigning.Alarm


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What came of asking one anchor. `said`: `token`, `cosignature`, `ahead`, `conflict` or
    `failed`, then with `error`."""

    kind: store.Kind
    name: str
    said: str
    error: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Round:
    """What came of a round about the checkpoint of `size`. Who was not due is not in it."""

    size: int
    outcomes: tuple[Outcome, ...]

    def to_json(self) -> dict[str, Any]:
        return {
            "size": self.size,
            "asked": [
                {"kind": one.kind, "name": one.name, "said": one.said, "error": one.error}
                for one in self.outcomes
            ],
        }


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """The log whose anchors are asked. `clock_s` gives Unix seconds."""

    engine: Engine
    log: log_store.LogFacts
    anchors: Anchors
    clock_s: Callable[[], int]
    within_s: float = remote.POST_S


def hold_round(asking: Asking, *, renew_after_s: int, patient: bool = True) -> Round:
    """Ask all that are due. A witness cosigns again what it cosigned `renew_after_s` ago, so that
    others see that the log is alive. `patient`: those that failed lately are left alone.

    Raises NotFound before the first checkpoint.
    """
    now_s = asking.clock_s()
    with reading(asking.engine) as conn:
        size = publish.latest_checkpoint(conn, asking.log)[0].size
        note = publish.note_at(conn, asking.log, size)
        assert note is not None
        due = [
            one
            for one in asking.anchors.everybody
            if _is_due(conn, asking.log.log_id, one, size, now_s, renew_after_s, patient=patient)
        ]
    outcomes: list[Outcome] = []
    with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="anchor") as pool:
        asked = {pool.submit(_ask, asking, one, note, size): one for one in due}
        outcomes.extend(
            _note_down(asking, asked[future], size, future.result())
            for future in as_completed(asked)
        )
    return Round(size=size, outcomes=tuple(sorted(outcomes, key=lambda one: (one.kind, one.name))))


def identity(anchor: Witness | Authority) -> tuple[store.Kind, str]:
    """Its kind, and the name that it has in `anchor_states`."""
    if isinstance(anchor, Witness):
        return WITNESS, anchor.key.label
    return AUTHORITY, anchor.name


def _newest(conn: Connection, log_id: int, anchor: Witness | Authority) -> store.Received | None:
    if isinstance(anchor, Witness):
        return store.newest_of(conn, log_id, WITNESS, anchor.key.vkey)
    return store.newest_of(conn, log_id, AUTHORITY, anchor.name)


def _is_due(
    conn: Connection,
    log_id: int,
    anchor: Witness | Authority,
    size: int,
    now_s: int,
    renew_after_s: int,
    *,
    patient: bool,
) -> bool:
    state = store.state_of(conn, log_id, *identity(anchor))
    if state.alarm:
        return not patient or now_s >= state.next_try_s
    if patient and state.failures and now_s < state.next_try_s:
        return False
    newest = _newest(conn, log_id, anchor)
    if newest is None or newest.size != size:
        return True
    return isinstance(anchor, Witness) and now_s - newest.at_s >= renew_after_s


def _ask(asking: Asking, anchor: Witness | Authority, note: bytes, size: int) -> Said | str:
    """What it said, or why there is nothing; in a thread of its own."""
    try:
        now_s = asking.clock_s()
        if isinstance(anchor, Authority):
            return tokens.ask(anchor, parse_note(note).text, now_s, within_s=asking.within_s)
        return cosigning.ask(
            anchor, _question(asking, anchor, note, size), now_s, within_s=asking.within_s
        )
    except LedgerError as error:
        return str(error)
    except Exception as error:  # whatever a stranger's answer does, it is its failure
        return f"its answer was not understood: {type(error).__name__}"


def _question(asking: Asking, witness: Witness, note: bytes, size: int) -> cosigning.Question:
    log_id = asking.log.log_id

    def path(old: int) -> Sequence[bytes]:
        with reading(asking.engine) as conn:
            return merkle.consistency_path(old, size, log_store.present_nodes(conn, log_id))

    def latest() -> int:
        with reading(asking.engine) as conn:
            return publish.latest_checkpoint(conn, asking.log)[0].size

    def root(at: int) -> str:
        with reading(asking.engine) as conn:
            return alarm.root_at(conn, asking.log, at)

    with reading(asking.engine) as conn:
        newest = _newest(conn, log_id, witness)
    had = newest.size if newest else 0
    return cosigning.Question(note=note, had=had, path=path, latest=latest, root=root)


def _note_down(asking: Asking, anchor: Witness | Authority, size: int, said: Said | str) -> Outcome:
    kind, name = identity(anchor)
    log_id, now_s = asking.log.log_id, asking.clock_s()
    with writing(asking.engine) as conn:
        if isinstance(said, tokens.Stamp | cosigning.Cosignature):
            store.save(conn, log_id, _received(anchor, size, said))
            store.change_state(
                conn,
                log_id,
                kind,
                name,
                last_success_s=now_s,
                failures=0,
                next_try_s=0,
                alarm="",
                alarm_size=0,
                alarm_root="",
            )
            what = "token" if kind == AUTHORITY else "cosignature"
            return Outcome(kind=kind, name=name, said=what)
        state = store.state_of(conn, log_id, kind, name)
        failed = {
            "last_failure_s": now_s,
            "failures": state.failures + 1,
            "next_try_s": now_s + wait_s(state.failures + 1),
        }
        if isinstance(said, cosigning.Alarm):
            error = _raise_alarm(conn, asking.log, state, said)
            store.change_state(conn, log_id, kind, name, last_error=error, **failed)
            return Outcome(kind=kind, name=name, said=said.kind, error=error)
        store.change_state(conn, log_id, kind, name, last_error=said[:_ERROR_MAX], **failed)
        return Outcome(kind=kind, name=name, said="failed", error=said[:_ERROR_MAX])


def _received(
    anchor: Witness | Authority, size: int, said: tokens.Stamp | cosigning.Cosignature
) -> store.Received:
    if isinstance(said, cosigning.Cosignature):
        assert isinstance(anchor, Witness)
        key = anchor.key
        return store.Received(
            size=size, kind=WITNESS, name=key.name, key=key.vkey, at_s=said.at_s, data=said.line
        )
    assert isinstance(anchor, Authority)
    return store.Received(
        size=size,
        kind=AUTHORITY,
        name=anchor.name,
        key=anchor.roots,
        at_s=said.at_s,
        data=said.data,
    )


def _raise_alarm(
    conn: Connection, log: log_store.LogFacts, state: store.State, said: cosigning.Alarm
) -> str:
    """The alarm is kept; one that stands is only raised further. Returns what it says."""
    if said.kind == alarm.CONFLICT:
        root = alarm.root_at(conn, log, said.size)
        error = f"it has another root than ours at size {said.size}{said.words}"
    else:
        root, error = "", f"it has cosigned {said.size} entries, which we have no checkpoint of"
    if said.size >= state.alarm_size:
        store.change_state(
            conn,
            log.log_id,
            state.kind,
            state.name,
            alarm=said.kind,
            alarm_size=said.size,
            alarm_root=root,
        )
    return error


def wait_s(failures: int) -> int:
    """How long an anchor is left alone after so many failures in a row."""
    return int(min(RETRY_FIRST_S * 2 ** min(failures - 1, 16), RETRY_LAST_S))


def earliest_retry_s(conn: Connection, log_id: int, anchors: Anchors) -> int | None:
    """When the first of those that failed is to be asked again; None where none failed."""
    listed = {identity(one) for one in anchors.everybody}
    waiting = [
        state.next_try_s
        for state in store.all_states(conn, log_id)
        if state.failures and (state.kind, state.name) in listed
    ]
    return min(waiting, default=None)
