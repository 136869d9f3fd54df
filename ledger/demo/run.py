"""The demo's work, in the natural way of the data: reading → batch → log → checkpoint → matching →
claim → evidence and proof → independent verification.
"""

from __future__ import annotations

import json
import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from ledger import db, proving
from ledger.demo import accounts, certificates, figures, official, plan, reductions, refusals
from ledger.demo.checks import Check, require_verifier, verify
from ledger.demo.claiming import Claims, EvidenceFiles, claim_year, write_evidence
from ledger.demo.clock import StoryClock
from ledger.demo.files import profile_text, write_files
from ledger.demo.folder import Folder
from ledger.demo.park import PERIOD, SEED, Park, make_park
from ledger.demo.progress import Advance, Steps
from ledger.demo.summary import Facts, summarise
from ledger.files import write_private
from ledger.house import House
from ledger.log.audit import Audited
from ledger.log.notes import SigningKey, write_skey
from ledger.log.publish import prove_consistency
from ledger.log.service import Receipt
from ledger.matching import service as matching
from ledger.metering import service as metering
from ledger.metering.importers import read_profile
from ledger.metering.importing import ImportedFile, import_file
from ledger.parties.desk import Desk
from ledger.parties.entries import party_key_name
from ledger.parties.store import Key, find_keys
from ledger.settings import Settings
from ledger.units import parse_instant

STEP_COUNT: Final = 17
# A quarter of an hour that the proofs open: noon of a summer day in park time.
OPENED_AT: Final = "2025-07-15T04:00:00Z"
OPENED_READING: Final = "works-press"
OPENED_CONSUMER: Final = "data-centre"
_VALUE_BYTES: Final = slice(44, 52)
_FORGED: Final = ("forged", "forged-evidence")

Say = Callable[[str], str]


def run_demo(folder: Folder, steps: Steps, say: Say) -> dict[str, Any]:
    """All of it, into a folder that is new or was interrupted. Returns the summary.

    `say`: step's key → its title. Raises LedgerError; the folder then counts as interrupted.
    """
    require_verifier()
    began = time.perf_counter()
    park = make_park(SEED)
    with folder.working(park.label), steps.running():
        work = _Work(folder, steps, say, park)
        summary = work.run()
        summary["steps"] = steps.seconds
        summary["seconds"] = round(time.perf_counter() - began, 2)
        folder.finish(summary)
    return summary


@dataclass(frozen=True, slots=True, kw_only=True)
class Proofs:
    """Files under `proofs/`, and the size that the consistency proof begins with."""

    entry: str
    reading: str
    allocations: Sequence[str]
    consistency: str
    forged: str
    evidence: EvidenceFiles


class _Work:
    def __init__(self, folder: Folder, steps: Steps, say: Say, park: Park) -> None:
        self._folder = folder
        self._steps = steps
        self._say = say
        self._park = park
        self._clock = StoryClock()

    def run(self) -> dict[str, Any]:
        with self._step("files"):
            write_files(self._park, self._folder.files, self._folder.profiles)
        with self._step("init"):
            house = _begin(self._folder, self._clock)
        with self._step("parties"):
            keys = _register_members(house, self._folder.keys)
        with self._step("points"):
            _register_points(house, self._park)
        with self._step("import") as advance:
            imported = self._import(house.desk, keys, advance)
        with self._step("checkpoint"):
            old_size = _size_of(house.checkpoint())
        with self._step("match"):
            for agreement in plan.agreements():
                matching.register_contract(house.desk, agreement)
            report = matching.run_matching(house.desk, PERIOD)
        with self._step("certificates") as advance:
            held = certificates.bring_in(
                house.desk, self._folder.path, keys, self._park.label, advance
            )
        with self._step("credits"):
            reduced = reductions.bring_in(house.desk, keys)
        with self._step("claim") as advance:
            refused = refusals.before_claims(house.desk, keys)
            used = refusals.keep_one(house.desk)
            claims = claim_year(house.desk, self._park, keys, advance)
        with self._step("official"):
            tried = refusals.after_claims(house.desk, used, self._clock)
            compared = official.compare_accounts(house.desk, self._folder.path, self._park.label)
            disclosed = accounts.disclose_one(house.desk, claims.bought)
        with self._step("figures"):
            computed = figures.bring_in(house, self._folder.path, claims.bought)
        with self._step("publish") as advance:
            # Exporting signs a checkpoint of the present size first.
            house.export_tiles(self._folder.tiles, advance)
        with self._step("prove"):
            proofs = self._prove(house, report.receipt, old_size, claims)
        with self._step("verify") as advance:
            checks = self._verify(proofs, computed.pack, advance)
        with self._step("audit") as advance:
            audited = house.audit(advance)
        with self._step("summary"):
            facts = Facts(
                house=house,
                park=self._park,
                imported=imported,
                report=report,
                checks=checks,
                claims=claims,
                evidence=proofs.evidence,
                instruments=accounts.Instruments(
                    held=held,
                    reductions=reduced,
                    refusals=[reduced.self_verified, *refused, *tried.refusals],
                    tried=tried,
                    compared=compared,
                    disclosed=disclosed,
                ),
                figures=computed,
                audited=_audited_json(audited),
                checkpoint=f"{self._folder.tiles.name}/checkpoint",
                tiles=self._folder.tiles.name,
                trust=self._folder.trust.name,
            )
            return summarise(facts)

    def _step(self, key: str) -> Any:
        return self._steps.step(key, self._say(f"step.{key}"))

    def _import(
        self, desk: Desk, keys: Mapping[str, SigningKey], advance: Advance
    ) -> list[tuple[plan.Handover, ImportedFile]]:
        """Each file through its profile, signed by who hands it in."""
        found = []
        handovers = plan.handovers()
        for number, one in enumerate(handovers):
            advance(number, len(handovers))
            text = profile_text(one.file.profile)
            imported = import_file(
                desk,
                self._folder.files / one.file.path,
                read_profile(text, where=one.file.profile),
                profile_text=text,
                source=one.source,
                author=one.author,
                reason=one.reason,
                key=keys.get(one.author),
            )
            found.append((one, imported))
        return found

    def _prove(self, house: House, run: Receipt, old_size: int, claims: Claims) -> Proofs:
        folder = self._folder.proofs
        folder.mkdir()
        at_s = parse_instant(OPENED_AT)
        reading = proving.open_point_reading(house.desk, OPENED_READING, at_s)
        lanes = proving.open_allocations(house.desk, run.index, OPENED_CONSUMER, at_s)
        with db.reading(house.engine) as conn:
            consistency = prove_consistency(conn, house.log, old_size)
        names = [
            f"allocation-{number}.json" if number > 1 else "allocation.json"
            for number in range(1, len(lanes) + 1)
        ]
        (folder / "entry.tlog-proof").write_bytes(proving.prove_entry(house.desk, run.index))
        (folder / "reading.json").write_bytes(proving.encode(reading))
        (folder / "reading-forged.json").write_bytes(proving.encode(_forged(reading)))
        for name, lane in zip(names, lanes, strict=True):
            (folder / name).write_bytes(proving.encode(lane))
        # One line: the verifier takes such files as lists.
        (folder / "consistency.json").write_text(json.dumps(consistency) + "\n")
        self._folder.trust.write_text(_trust(house))
        return Proofs(
            entry="proofs/entry.tlog-proof",
            reading="proofs/reading.json",
            allocations=[f"proofs/{name}" for name in names],
            consistency="proofs/consistency.json",
            forged="proofs/reading-forged.json",
            evidence=write_evidence(house.desk, claims, folder),
        )

    def _verify(self, proofs: Proofs, pack: str, advance: Advance) -> list[Check]:
        trust = ("--trust", self._folder.trust.name)
        tiles, evidence = self._folder.tiles.name, proofs.evidence
        log = ("--log", tiles)
        wanted: list[tuple[str, str, tuple[str, ...]]] = [
            ("log", tiles, ("log", tiles, *trust)),
            ("entry", proofs.entry, ("proof", proofs.entry, *trust)),
            ("reading", proofs.reading, ("proof", proofs.reading, *trust)),
            *(("allocation", path, ("proof", path, *trust)) for path in proofs.allocations),
            ("consistency", proofs.consistency, ("consistency", "--batch", proofs.consistency)),
            ("forged", proofs.forged, ("proof", proofs.forged, *trust)),
            ("evidence", evidence.full, ("evidence", evidence.full, *log, *trust)),
            (
                "sampled",
                evidence.sampled,
                ("evidence", evidence.sampled, *log, *trust, "--seed", evidence.seed),
            ),
            ("bought", evidence.bought, ("evidence", evidence.bought, *log, *trust)),
            *([("pack", pack, ("pack", pack, *log, *trust))] if pack else []),
            (
                "forged-evidence",
                evidence.forged,
                ("evidence", evidence.forged, *log, *trust),
            ),
        ]
        checks = []
        for number, (subject, path, arguments) in enumerate(wanted):
            advance(number, len(wanted))
            checks.append(
                verify(
                    subject,
                    arguments,
                    path=path,
                    folder=self._folder.path,
                    expected=subject not in _FORGED,
                )
            )
        return checks


def _begin(folder: Folder, clock: StoryClock) -> House:
    # Said in full: the demo must not touch a database or keys that the environment names.
    settings = Settings(dir=folder.ledger, database_url="", high_water_dir=None, kek=None)
    return House.init(
        settings, origin=plan.ORIGIN, name=plan.NAME, operator=plan.OPERATOR, clock_s=clock
    )


def _register_members(house: House, folder: Path) -> dict[str, SigningKey]:
    """Parties and keys. Returns those that parties hold themselves: no server keeps them."""
    own: dict[str, SigningKey] = {}
    for member in plan.MEMBERS:
        house.desk.register_party(member.party, member.name, member.roles)
        if member.key == "server":
            house.desk.create_key(member.party, device=member.device)
        elif member.key == "own":
            name = party_key_name(house.log.origin, member.party)
            key = SigningKey.from_seed(name, secrets.token_bytes(32))
            write_private(folder / f"{member.party}.key", (write_skey(key) + "\n").encode())
            house.desk.introduce_key(member.party, key, device=member.device)
            own[member.party] = key
    house.desk.endorse_key(_key_of(house, plan.GATEWAY), plan.VERIFIER, plan.ENDORSEMENT)
    return own


def _key_of(house: House, party: str) -> Key:
    with db.reading(house.engine) as conn:
        return find_keys(conn, house.log.log_id, party=party)[-1]


def _register_points(house: House, park: Park) -> None:
    ids: dict[str, str] = {}
    for site in plan.sites(park):
        parent = plan.PARENTS.get(site.name)
        receipt = metering.register_point(house.desk, site.to_point(ids[parent] if parent else ""))
        ids[site.name] = receipt.entry.statement["point"]
    for point in plan.scales():
        metering.register_point(house.desk, point)


def _trust(house: House) -> str:
    """The roots that a verifier of the demo trusts: the log's key, and who vouches for others."""
    endorser = _key_of(house, plan.VERIFIER).key.vkey
    return (
        "# In earnest these keys come from a source that you trust, not from the log itself.\n"
        f'[[log]]\norigin = "{house.log.origin}"\nvkey = "{house.verification_key.vkey}"\n'
        f'\n[[endorser]]\nparty = "{plan.VERIFIER}"\nvkey = "{endorser}"\n'
    )


def _size_of(note: bytes) -> int:
    """The size in a checkpoint note: its second line."""
    return int(note.split(b"\n")[1])


def _forged(opening: Mapping[str, Any]) -> dict[str, Any]:
    """The same opening with 1 kWh more in its leaf: what a forger would hand in."""
    leaf = bytearray.fromhex(opening["leaf"]["bytes"])
    wh = int.from_bytes(leaf[_VALUE_BYTES], "big", signed=True)
    leaf[_VALUE_BYTES] = (wh + 1000).to_bytes(8, "big", signed=True)
    return {**opening, "leaf": {**opening["leaf"], "bytes": leaf.hex()}}


def _audited_json(audited: Audited) -> dict[str, Any]:
    return {
        "ok": True,
        "entries": audited.entries,
        "bodies": audited.bodies,
        "checkpoints": audited.checkpoints,
        "rows": audited.rows,
        "root": audited.root.hex(),
    }
