"""Those who could find an attack: the ledger as it opens, its audit, and who knows only what was
published: the verifier, one with a checkpoint that was seen before, the monitor, the witness.
"""

from __future__ import annotations

import dataclasses
import shutil
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

from greenledger_verify.failure import VerificationError
from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import Trust, trust_of
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.log import merkle, store
from ledger.remote import open_source
from ledger.watching.monitor import Monitor, Wanted
from ledger.watching.notes import read_log_keys
from ledger.watching.published import PublishedLog
from ledger.watching.witness import Witness
from ledger.watching.witness_state import WitnessState
from tests.ledgers import NOW_S, no_progress, open_house
from tests.servers.witness_process import make_witness
from tests.watching.operator import request

# In the order in which they are asked.
NAMES = ("open", "audit", "restore", "verifier", "pinned verifier", "monitor", "witness")
# Of an attack that is to be seen, not of time that passes.
_LATER_S = NOW_S + 600


@dataclass(frozen=True, kw_only=True)
class World:
    """A ledger, what it has published, and watchers who have seen that. All in one folder, to be
    copied: `data`, `published`, `early` (the ledger as it was before), `monitor`, `witness`."""

    folder: Path
    vkey: str
    pin: tuple[int, bytes]

    def moved(self, folder: Path) -> World:
        """A copy, to be attacked."""
        shutil.copytree(self.folder, folder, symlinks=True)
        return dataclasses.replace(self, folder=folder)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def published(self) -> Path:
        return self.folder / "published"

    def publish(self) -> None:
        """What the ledger as it stands shows to everybody."""
        house = open_house(self.data)
        shutil.rmtree(self.published)
        house.export_tiles(self.published, no_progress)
        house.engine.dispose()

    # The ledger's own watchers: what they say; nothing, where they find nothing.

    def opened(self) -> str:
        try:
            open_house(self.data).engine.dispose()
        except LedgerError as error:
            return str(error)
        return ""

    def audited(self) -> str:
        try:
            house = open_house(self.data)
        except LedgerError:
            return ""  # nobody gets so far
        try:
            house.audit(no_progress)
        except LedgerError as error:
            return str(error)
        finally:
            house.engine.dispose()
        return ""

    # Outsiders

    def verified(self, *, pinned: bool = False) -> str:
        try:
            verify_log(self.published, self._trust(pinned=pinned), Report())
        except VerificationError as error:
            return str(error)
        return ""

    def _trust(self, *, pinned: bool) -> Trust:
        if not pinned:
            return trust_of([self.vkey])
        size, root = self.pin
        origin = self.vkey.partition("+")[0]
        said = (
            f'[[log]]\norigin = "{origin}"\nvkey = "{self.vkey}"\nsize = {size}\n'
            f'root = "{root.hex()}"\n'
        )
        return trust_of([], said.encode())

    def monitored(self, *compare: Path) -> str:
        """A visit: the alarms that it raises."""
        wanted = Wanted(keys=read_log_keys([self.vkey]), compare=[str(one) for one in compare])
        with closing(PublishedLog(open_source(str(self.published)))) as log:
            visit = Monitor(self.folder / "monitor", log, wanted).visit(_LATER_S)
        return "; ".join(f"{one.kind}: {one.message}" for one in visit.alarms)

    def witnessed(self) -> str:
        """Why what is published is not cosigned."""
        state = WitnessState(self.folder / "witness")
        (known,) = state.logs()
        known.save_known(dataclasses.replace(known.known, url=str(self.published)))
        old = known.cosigned.size
        note = (self.published / "checkpoint").read_bytes()
        leaves = self._leaves()
        path: list[bytes] = []
        if 0 < old <= len(leaves):
            levels = merkle.levels(leaves)
            path = merkle.consistency_path(old, len(leaves), lambda n, at: levels[n][at])
        answer = Witness(state, clock_s=lambda: _LATER_S).add_checkpoint(request(old, path, note))
        return "" if answer.status == 200 else f"{answer.status}: {answer.body.strip()}"

    def _leaves(self) -> list[bytes]:
        with closing(PublishedLog(open_source(str(self.published)))) as log:
            size = int((self.published / "checkpoint").read_text().split("\n")[1])
            found: list[bytes] = []
            for number in range(-(-size // 256)):
                found += log.bundle(number, min(256, size - 256 * number))
        return merkle.leaf_hashes(found)

    def outsiders(self, *compare: Path) -> dict[str, str]:
        """What each of them says; those who say nothing are left out."""
        said = {
            "verifier": self.verified(),
            "pinned verifier": self.verified(pinned=True),
            "monitor": self.monitored(*compare),
            "witness": self.witnessed(),
        }
        return {name: text for name, text in said.items() if text}

    def found(self, *compare: Path) -> dict[str, str]:
        """What everybody says. A ledger that does not open publishes nothing, and neither does one
        that can't sign."""
        said = {"open": self.opened(), "audit": self.audited()}
        if not said["open"]:
            try:
                self.publish()
            except LedgerError as error:
                said["open"] = str(error)
            else:
                said |= self.outsiders(*compare)
        return {name: text for name, text in said.items() if text}


def prepare(house: House, folder: Path) -> World:
    """Watchers who have seen the whole of `house`, whose data directory is `folder`/data."""
    vkey = house.log.log_key.vkey
    house.export_tiles(folder / "published", no_progress)
    with reading(house.engine) as conn:
        size = store.load_head(conn, 1).size
        leaves = [merkle.leaf_hash(data) for _, data in store.entry_range(conn, 1, 0, size)]
    world = World(folder=folder, vkey=vkey, pin=(size, merkle.root(leaves)))
    make_witness(folder / "witness", [vkey], url=str(folder / "published"), audit=True)
    said = world.outsiders()
    assert said.keys() <= {"pinned verifier"}, f"the honest log is believed: {said}"
    return world


def names(said: dict[str, str]) -> Sequence[str]:
    return [name for name in NAMES if name in said]
