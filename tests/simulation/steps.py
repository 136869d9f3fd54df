"""What happens in the park, each as a step with its weight. Who does wrong is refused, and told."""

from __future__ import annotations

import tempfile
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

from greenledger_verify.logdir import verify_log
from greenledger_verify.report import Report
from greenledger_verify.trust import trust_of
from ledger.claims import service as claims
from ledger.db import reading
from ledger.errors import LedgerError
from ledger.house import House
from ledger.log.service import Submission
from ledger.matching.service import run_matching
from ledger.parties import log_key_desk
from ledger.parties.desk import custodial_key
from ledger.registry import acting
from ledger.units import Period
from tests.claims.claimed import forged, made
from tests.divided import EDGE_S, correct, span, take
from tests.ledgers import QUARTER_S, no_progress, operator_key, party_statement, rows, signed
from tests.simulation.auditor import require
from tests.simulation.park import CONSUMERS, POINTS, Park
from tests.units import green, pick

Step = Callable[[Park], object]
# A claim or a match that has nothing to work on, or waits for a flag.
_NOTHING: Final = ("no lot of", "claimed before", "greenledger claim flag", "no reading")


def _some(park: Park) -> tuple[str, int, list[int]]:
    """A point, and readings of its next quarter-hours."""
    point = park.chance.choice(list(POINTS))
    count = min(park.chance.randrange(1, 5), park.quarter - park.read_up_to[point])
    return point, park.read_up_to[point], [park.chance.randrange(1000) for _ in range(count)]


def _remember(park: Park, point: str, start: int, values: list[int]) -> None:
    for at, wh in enumerate(values, start):
        park.auditor.read(point, EDGE_S + at * QUARTER_S, wh)
    park.read_up_to[point] = start + len(values)


def read(park: Park) -> None:
    point, start, values = _some(park)
    if values:
        take(park.house, point, values, start=start)
        _remember(park, point, start, values)


def read_and_crash(park: Park) -> None:
    point, start, values = _some(park)
    if values and park.crash(lambda house: take(house, point, values, start=start), "readings"):
        _remember(park, point, start, values)


def read_at_once(park: Park) -> None:
    """Four threads, a point each; what one is told, nobody takes back."""
    todo = {}
    for point in POINTS:
        if park.read_up_to[point] < park.quarter:
            todo[point] = park.read_up_to[point], [park.chance.randrange(1000)]
    _all_at_once([_taking(park.house, point, *todo[point]) for point in todo])
    for point, (start, values) in todo.items():
        _remember(park, point, start, values)


def _taking(house: House, point: str, start: int, values: list[int]) -> Callable[[], object]:
    return lambda: take(house, point, values, start=start)


def _all_at_once(acts: list[Callable[[], object]]) -> list[Exception]:
    """Each on a thread of its own; returns what was refused."""
    refused: list[Exception] = []
    broken: list[BaseException] = []

    def run(act: Callable[[], object]) -> None:
        try:
            act()
        except LedgerError as error:
            refused.append(error)
        except BaseException as error:
            broken.append(error)

    threads = [threading.Thread(target=run, args=(act,)) for act in acts]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    require(not broken, f"a thread broke: {broken}")
    return refused


def read_the_same_again(park: Park) -> None:
    """Identical repeats are counted and dropped; others are refused without a reason."""
    point = park.chance.choice(list(POINTS))
    start_s = EDGE_S - 4 * QUARTER_S
    wh = park.auditor.metered[point, start_s]
    require(not take(park.house, point, [wh], start=-4).receipts, "a repeat was stored")
    park.refused(lambda house: take(house, point, [wh + 1], start=-4), "is in force, the new value")


def read_the_future(park: Park) -> None:
    point = park.chance.choice(list(POINTS))
    ahead = park.quarter + 200
    park.refused(lambda house: take(house, point, [1], start=ahead), "future", "later than")


def corrected(park: Park, *, crash: bool = False) -> None:
    point = park.chance.choice(list(POINTS))
    at = park.chance.randrange(-4, park.read_up_to[point])
    wh = park.chance.randrange(1200)
    if park.auditor.metered[point, EDGE_S + at * QUARTER_S] == wh:
        return
    if not crash:
        correct(park.house, point, at, wh)
    elif not park.crash(lambda house: correct(house, point, at, wh), "readings.correction"):
        return
    park.auditor.read(point, EDGE_S + at * QUARTER_S, wh)


def _period(park: Park) -> Any:
    end = max(1, min(park.read_up_to.values()))
    return span(*park.chance.choice([(-4, 0), (0, end), (-4, end)]))


def match(park: Park) -> None:
    period = _period(park)
    park.allowed(lambda house: run_matching(house.desk, period), *_NOTHING)


def match_and_crash(park: Park) -> None:
    period = _period(park)
    park.crash(lambda house: run_matching(house.desk, period), "match.run")


def claim(park: Park) -> None:
    point, period = park.chance.choice(list(CONSUMERS)), _period(park)
    park.allowed(lambda house: claims.make(house.desk, [point], period), *_NOTHING)


def claim_and_crash(park: Park) -> None:
    point, period = park.chance.choice(list(CONSUMERS)), _period(park)
    park.crash(lambda house: claims.make(house.desk, [point], period), "claim.make")


def claim_at_once(park: Park) -> None:
    """Two threads want the same energy: one has it at most."""
    point, period = park.chance.choice(list(CONSUMERS)), _period(park)
    desk = park.house.desk
    refused = _all_at_once([lambda: claims.make(desk, [point], period)] * 2)
    require(len(refused) >= 1, "two claims of the same lots")
    park.tally["refusals"] += len(refused)


def spend_again(park: Park) -> None:
    """Another program signs a claim of what a claim has spent, with the owner's key."""
    found = rows(park.house, "SELECT claim, author, start_s, end_s FROM claims ORDER BY 1")
    if not found:
        return
    claim, author, start_s, end_s = park.chance.choice(found)
    submission = forged(
        park.house,
        made(park.house)[bytes(claim)].cells,
        points=[point for point, owner in CONSUMERS.items() if owner == author],
        author=author,
        period=Period(start_s=start_s, end_s=end_s),
        consumption_wh=10**6,
    )
    park.refused(lambda house: house.desk.writer.append(submission), "spent", "claim flag")


def withdraw(park: Park) -> None:
    sql = "SELECT claim FROM claims WHERE claim NOT IN (SELECT claim FROM claim_ends) ORDER BY 1"
    found = rows(park.house, sql)
    if found:
        one = bytes(park.chance.choice(found)[0])
        claims.withdraw(park.house.desk, one, "taken back")
        park.refused(lambda house: claims.withdraw(house.desk, one, "again"), "withdrawn")


def flag(park: Park) -> None:
    claims.flag(park.house.desk)


# Units


def _range_of(park: Park, owner: str) -> tuple[int, int] | None:
    """Some units that one holds, next to each other."""
    mine = sorted(number for number, who in park.auditor.owner.items() if who == owner)
    if not mine:
        return None
    first = park.chance.choice(mine)
    end = first + 1
    while end in park.auditor.owner and park.auditor.owner[end] == owner and end < first + 9:
        end += 1
    return first, end


def transfer(park: Park, *, crash: bool = False) -> None:
    owner, to = park.chance.sample(["farm", "mill", "shop"], 2)
    found = _range_of(park, owner)
    if found is None:
        return
    first, end = found

    def act(house: House) -> object:
        return acting.transfer(house.desk, owner, to, pick(f"S:{first}-{end}"))

    if crash:
        if not park.crash(act, "unit.move"):
            return
    else:
        act(park.house)
    park.auditor.owner |= dict.fromkeys(range(first, end), to)
    park.refused(act, "holds no unit", "none of them are held here by who acts")


def retire(park: Park) -> None:
    owner = park.chance.choice(["farm", "mill", "shop"])
    found = _range_of(park, owner)
    if found is None:
        return
    first, end = found

    def act(house: House) -> object:
        return acting.retire(house.desk, owner, pick(f"S:{first}-{end}"), green(owner))

    act(park.house)
    for number in range(first, end):
        del park.auditor.owner[number]
    park.refused(act, "holds no unit", "none of them are held here by who acts")


# The log and its keys


def send_again(park: Park) -> None:
    """The same bytes get the same receipt; the same id with others is refused."""
    index = park.chance.randrange(1, len(park.auditor.leaves))
    ((data,),) = rows(park.house, "SELECT data FROM entries WHERE entry_index = ?", index)
    if park.auditor.statements[index]["type"] not in ("party.register", "key.register"):
        return
    receipt = park.house.desk.writer.append(Submission(data=bytes(data)))
    require(receipt.repeated and receipt.index == index, "a repeat became another entry")
    used = party_statement("ghost", id=park.auditor.statements[index]["id"])
    other = Submission(data=signed(used, operator_key(park.house)))
    park.refused(lambda house: house.desk.writer.append(other), "has used id")


def rotate_key(park: Park) -> None:
    """The old key signs nothing any more."""
    party = park.chance.choice(["operator", *sorted(set(POINTS.values()))])
    with reading(park.house.engine) as conn:
        old = custodial_key(conn, park.house.desk.keystore, park.house.log, party)
    park.house.desk.rotate_key(party)
    if party == "operator":
        stale = signed(party_statement("ghost", id=park.chance.randbytes(16).hex()), old)
        late = Submission(data=stale)
        park.refused(lambda house: house.desk.writer.append(late), "no registered key", "ended")


def rotate_log_key(park: Park) -> None:
    """A second key of the log comes, and the first goes, if it is not the only one."""
    desk = park.house.desk
    keys = log_key_desk.keys_in_force(desk)
    if len(keys) == 1:
        log_key_desk.create(desk)
        return
    log_key_desk.end(desk, park.chance.choice(keys), "rotation")


def checkpoint(park: Park) -> None:
    park.auditor.hand_out(park.house.checkpoint())
    park.tally["checkpoints"] += 1


def checkpoint_and_crash(park: Park) -> None:
    park.crash(lambda house: house.checkpoint(), "")
    checkpoint(park)


def clock(park: Park) -> None:
    """It goes on, stands still, leaps, or is set back."""
    park.clock.now_s += park.chance.choice([60, 900, 3600, 7200, -300, -86_400])


def reopen(park: Park) -> None:
    park.reopen()


def audit(park: Park) -> None:
    park.house.audit(no_progress)
    park.auditor.log_again(park.house)
    park.tally["audits"] += 1


def verify(park: Park) -> None:
    """The stand-alone verifier reads what is published."""
    with tempfile.TemporaryDirectory() as folder:
        park.house.export_tiles(Path(folder) / "log", no_progress)
        key = log_key_desk.signing_key(park.house.desk)
        verify_log(Path(folder) / "log", trust_of([key.vkey]), Report())
    park.tally["verified"] += 1


STEPS: Final[dict[str, tuple[Step, int]]] = {
    "read": (read, 8),
    "read and crash": (read_and_crash, 4),
    "read at once": (read_at_once, 3),
    "read the same again": (read_the_same_again, 2),
    "read the future": (read_the_future, 1),
    "correct": (corrected, 4),
    "correct and crash": (lambda park: corrected(park, crash=True), 2),
    "match": (match, 4),
    "match and crash": (match_and_crash, 2),
    "claim": (claim, 4),
    "claim and crash": (claim_and_crash, 2),
    "claim at once": (claim_at_once, 2),
    "spend again": (spend_again, 3),
    "withdraw": (withdraw, 1),
    "flag": (flag, 2),
    "transfer": (transfer, 3),
    "transfer and crash": (lambda park: transfer(park, crash=True), 2),
    "retire": (retire, 2),
    "send again": (send_again, 2),
    "rotate a key": (rotate_key, 2),
    "rotate the log's key": (rotate_log_key, 2),
    "checkpoint": (checkpoint, 4),
    "checkpoint and crash": (checkpoint_and_crash, 3),
    "clock": (clock, 5),
    "reopen": (reopen, 2),
    "audit": (audit, 1),
    "verify": (verify, 1),
}


def run(park: Park, count: int, on_step: Callable[[Park], object] = lambda _: None) -> None:
    """`count` steps, then an audit and the verifier. Raises AssertionError with seed and step."""
    names, weights = list(STEPS), [weight for _, weight in STEPS.values()]
    for _ in range(count):
        (name,) = park.chance.choices(names, weights)
        park.step(name, STEPS[name][0])
        on_step(park)
    for last in ("audit", "verify"):
        park.step(last, STEPS[last][0])
