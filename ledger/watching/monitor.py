"""The monitor: an outsider who follows one log, visit by visit, and raises alarms.

A visit reads the checkpoint, compares it with all that was seen before, fetches the new entries,
computes their root and tiles, judges each entry by the public rules, and looks at the clock. What
was seen signed is on disk before anything is made of it, and an alarm before what it follows from
is taken in: whoever is killed in between finds it again.
"""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from greenledger_verify.failure import VerificationError
from greenledger_verify.note import VerifierKey, open_note, parse_note
from greenledger_verify.tiles import TileName
from ledger import files
from ledger.errors import Corrupt, Unavailable
from ledger.units import format_instant
from ledger.watching.alarms import Alarm, Alarms
from ledger.watching.auditor import Auditor
from ledger.watching.conflict import Conflict, by_entries, by_tiles, of_one_size
from ledger.watching.mirror import Mirror, Pulled
from ledger.watching.notes import Cosigned, NotSigned, Seen, cosignatures, open_seen
from ledger.watching.published import (
    CHECKPOINT_BYTES_MAX,
    PublishedLog,
    open_note_file,
)
from ledger.watching.rotation import keys_below
from ledger.watching.tiles import Tiles
from ledger.watching.tree import Tree

MAX_AGE_S: Final = 86_400
# A log without end must not keep a monitor from saying so; what was read is kept.
VISIT_S_MAX: Final = 3600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """What is watched for. `keys` of the log, `witnesses` whose cosignatures count, `quorum` of
    them; `compare`: where others keep checkpoints of this log (addresses or files)."""

    keys: Sequence[VerifierKey]
    witnesses: Sequence[VerifierKey] = ()
    quorum: int = 0
    max_age_s: int = MAX_AGE_S
    silent_s: int = 0
    compare: Sequence[str] = ()

    @property
    def origin(self) -> str:
        return self.keys[0].name


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """What a visit found. `size` entries are verified under `root`, `judged` of them keep the
    rules; `fresh_s`: when the log was last known to be current (0: never)."""

    origin: str
    size: int
    root: bytes
    judged: int
    fresh_s: int
    cosigned: Sequence[Cosigned]
    alarms: Sequence[Alarm]
    began: Sequence[Alarm]
    ended: Sequence[Alarm]

    def shown(self) -> dict[str, object]:
        return {
            "log": self.origin,
            "size": self.size,
            "root": self.root.hex(),
            "judged": self.judged,
            "fresh": format_instant(self.fresh_s) if self.fresh_s else "",
            "witnesses": [
                {"name": one.name, "time": format_instant(one.time_s)} for one in self.cosigned
            ],
            "alarms": [
                {
                    "kind": one.kind,
                    "what": one.what,
                    "message": one.message,
                    "since": format_instant(one.since_s),
                }
                for one in self.alarms
            ],
        }


class Monitor:
    """One log, one state directory, one process at a time."""

    def __init__(self, folder: Path, log: PublishedLog, wanted: Wanted) -> None:
        self._folder = folder
        self._log = log
        self._wanted = wanted
        self._mirror = Mirror(folder, wanted.origin)
        self._auditor = Auditor(wanted.origin)

    def visit(self, now_s: int) -> Visit:
        """Raises Unavailable while another monitor works on the directory; Corrupt for a damaged
        one. What is wrong with the log is no error but an alarm."""
        with self._mirror.locked(wait=False):
            alarms = Alarms(self._folder, now_s)
            for path in sorted(self._folder.glob("conflict-*.json")):
                self._fork(alarms, path)
            self._read_on()
            shown = self._look(alarms, now_s)
            for where in self._wanted.compare:
                self._compare_with(where, alarms, now_s)
            alarms.save(also=alarms.before.values())
            if shown is not None:
                self._pull(shown, alarms)
            self._read_on()
            return self._judge(alarms, now_s)

    # What is shown, against what was seen

    @property
    def _keys(self) -> Collection[VerifierKey]:
        """Pinned ones, and those that the log's own entries registered; ended ones no more."""
        found = {key.vkey: key for key in (*self._wanted.keys, *self._auditor.log_keys)}
        return [key for vkey, key in found.items() if vkey not in self._auditor.ended]

    def _look(self, alarms: Alarms, now_s: int) -> Seen | None:
        try:
            seen = self._open(self._log.checkpoint(), now_s)
        except Unavailable as error:
            alarms.add("unreachable", self._log.name, str(error))
            alarms.keep("signature", "tile")
            return None
        except Corrupt as error:
            alarms.add("signature", "checkpoint", f"{self._log.name}: {error}")
            alarms.keep("tile")
            return None
        largest = self._mirror.state.seen
        if largest and seen.size < largest.size:
            alarms.add(
                "rollback",
                str(seen.size),
                f"the log shows {seen.size} entries, after it showed {largest.size}",
            )
        self._place(seen, alarms)
        return seen

    def _open(self, raw: bytes, now_s: int) -> Seen:
        """Raises Corrupt or Unavailable."""
        try:
            return open_seen(raw, self._keys, now_s)
        except NotSigned as error:
            keys = keys_below(raw, self._keys, self._mirror, self._log)
            if not keys:
                raise
            try:
                return open_seen(raw, keys, now_s)
            except Corrupt:
                self._mirror.discard()
                raise error from None

    def _compare_with(self, where: str, alarms: Alarms, now_s: int) -> None:
        try:
            seen = open_seen(open_note_file(where), self._keys, now_s, shown=False)
        except Unavailable as error:
            alarms.add("unreachable", where, str(error))
        except Corrupt as error:
            alarms.add("signature", where, f"{where}: {error}")
        else:
            self._place(seen, alarms)

    def _place(self, seen: Seen, alarms: Alarms) -> None:
        """Remember a signed checkpoint, unless it is verified already, or convicts the log."""
        state = self._mirror.state
        known = [*state.waiting, *([state.verified] if state.verified else [])]
        for one in known:
            if one.size == seen.size and one.root != seen.root:
                self._convict(of_one_size(one, seen), alarms)
                return
        if state.verified is None or seen.size > state.size:
            self._mirror.remember(seen)
        elif seen.size == state.size:
            self._mirror.renew(seen)
        elif seen.size and self._mirror.root_at(seen.size) != seen.root:
            hashes = self._mirror.leaf_hashes()
            self._convict(by_entries(hashes, seen, state.verified), alarms)

    def _convict(self, conflict: Conflict, alarms: Alarms) -> None:
        """Both signed notes are kept, on disk before anything else is done."""
        conflict.check()
        path = self._folder / f"conflict-{conflict.old.size}.json"
        if not path.exists():
            files.replace(path, conflict.encode())
        self._fork(alarms, path)

    def _fork(self, alarms: Alarms, path: Path) -> None:
        alarms.add(
            "fork",
            path.name,
            f"the log signed two histories that contradict each other; the evidence is in {path}",
        )

    # New entries

    def _pull(self, shown: Seen, alarms: Alarms) -> None:
        """Confirm what waits, as far as the log shows so many entries."""
        waiting = self._mirror.state.waiting
        targets = [one for one in waiting if one.size <= shown.size]
        alarms.keep("tile", only={_root_of(one) for one in waiting if one.size > shown.size})
        tiles = Tiles(self._log)
        pulled = None
        convicted: list[Seen] = []
        try:
            self._look_again(alarms, tiles)
            if targets:
                end_s = time.monotonic() + VISIT_S_MAX
                pulled = self._mirror.pull(
                    self._log, targets, on_tile=tiles, time_left=lambda: time.monotonic() < end_s
                )
                convicted = self._settle(pulled, alarms)
        except Corrupt as error:
            alarms.add("tile", "entries", str(error))
            self._mirror.discard()
        except Unavailable as error:
            alarms.add("unreachable", self._log.name, str(error))
            alarms.keep("tile")
        for path, message in tiles.wrong.items():
            alarms.add("tile", path, message)
        if pulled is None:
            return
        alarms.save(also=alarms.before.values())
        self._mirror.commit(pulled)
        if pulled.unresolved:
            self._mirror.discard()
            self._mirror.forget(convicted)

    def _settle(self, pulled: Pulled, alarms: Alarms) -> list[Seen]:
        """Say what is wrong with checkpoints whose root is not that of the entries. Returns those
        of the unresolved ones that convict the log."""
        for one in pulled.refuted:
            hashes = self._mirror.leaf_hashes()
            self._convict(by_entries(hashes, one, pulled.confirmed[-1]), alarms)
        old = pulled.confirmed[-1] if pulled.confirmed else self._mirror.state.verified
        convicted = []
        for one in pulled.unresolved:
            why = "nothing was verified before that it could contradict"
            if old is not None:
                try:
                    self._convict(by_tiles(self._log, old, one), alarms)
                except (Corrupt, Unavailable) as error:
                    why = str(error)
                else:
                    convicted.append(one)
                    continue
            alarms.add(
                "tile",
                _root_of(one),
                f"the published entries do not give the root that the log signed for {one.size}"
                f" entries ({why})",
            )
        return convicted

    def _look_again(self, alarms: Alarms, tiles: Tiles) -> None:
        """At tiles that were wrong before. A partial one that has grown since is compared anew."""
        wrong = {
            what for kind, what in alarms.before if kind == "tile" and what.startswith("tile/")
        }
        if not wrong:
            return

        def compare(name: TileName, hashes: Sequence[bytes]) -> None:
            if name.path in wrong:
                tiles(name, hashes)

        tree = Tree()
        for entry in self._mirror.entries():
            tree.append(entry, compare)
        tree.right_edge(compare)

    # Rules and the clock

    def _read_on(self) -> None:
        """Judge what the mirror verified and the auditor has not seen yet."""
        self._auditor.take(self._mirror.entries(self._auditor.at))

    def _judge(self, alarms: Alarms, now_s: int) -> Visit:
        state, auditor = self._mirror.state, self._auditor
        if auditor.violation:
            found = auditor.violation
            alarms.add(found.kind, f"entry {found.index}", str(found))
        cosigned: list[Cosigned] = []
        fresh_s = 0
        if state.verified:
            if auditor.size == state.size:
                self._check_signer(state.verified, alarms)
            cosigned = cosignatures(parse_note(state.verified.note), self._wanted.witnesses, now_s)
            # The tick is the operator's word, so a log can't be newer than when it was first seen.
            ticked_s = min(auditor.tick_s, state.verified.seen_s)
            fresh_s = max([ticked_s, *(one.time_s for one in cosigned)])
            self._check_clock(fresh_s, now_s, alarms)
            self._check_quorum(cosigned, alarms)
            self._hand_out(state.verified.note)
        alarms.save()
        before = alarms.before
        found_keys = {one.key for one in alarms.found}
        return Visit(
            origin=state.origin,
            size=state.size,
            root=state.root,
            judged=auditor.size,
            fresh_s=fresh_s,
            cosigned=cosigned,
            alarms=alarms.found,
            began=[one for one in alarms.found if one.key not in before],
            ended=[one for key, one in before.items() if key not in found_keys],
        )

    def _hand_out(self, note: bytes) -> None:
        """The file `checkpoint`, for others to compare with."""
        path = self._folder / "checkpoint"
        if files.read_regular(path, CHECKPOINT_BYTES_MAX) != note:
            files.replace(path, note)

    def _check_signer(self, verified: Seen, alarms: Alarms) -> None:
        """The key that signed is one that the log's own entries say is in force."""
        try:
            open_note(parse_note(verified.note), self._auditor.log_keys)
        except VerificationError as error:
            alarms.add(
                "signature",
                "log key",
                f"by the log's own entries another key signs checkpoints: {error}",
            )

    def _check_clock(self, fresh_s: int, now_s: int, alarms: Alarms) -> None:
        if now_s - fresh_s > self._wanted.max_age_s:
            alarms.add(
                "stale",
                "checkpoint",
                f"nothing shows that the log is newer than {format_instant(fresh_s)}",
            )
        for one in self._mirror.state.waiting:
            if now_s - one.seen_s > self._wanted.max_age_s:
                alarms.add(
                    "stale",
                    f"{one.size} entries",
                    f"{one.size} entries were signed before {format_instant(one.seen_s)}; the log"
                    f" shows {self._mirror.state.size} that hold",
                )
        if not self._wanted.silent_s:
            return
        for (author, source), last_s in sorted(self._auditor.last_batch_s.items()):
            if now_s - last_s > self._wanted.silent_s:
                alarms.add(
                    "gap",
                    f"source {author}/{source}",
                    f"no batch of the source {source} of {author} since {format_instant(last_s)}",
                )

    def _check_quorum(self, cosigned: Sequence[Cosigned], alarms: Alarms) -> None:
        if len(cosigned) < self._wanted.quorum:
            alarms.add(
                "witnesses",
                "checkpoint",
                f"{len(cosigned)} of your witnesses cosigned the checkpoint;"
                f" {self._wanted.quorum} are wanted",
            )


def _root_of(seen: Seen) -> str:
    return f"root of {seen.size}"
