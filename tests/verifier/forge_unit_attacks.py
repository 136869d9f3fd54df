"""Attacks on certificates and credits in evidence, for ``break_units``: a park with one wrong thing
each. The forger is operator and claimant together, as in ``forge_attacks``.
"""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

from tests.verifier.forge import FARM, Key, Log, sha256
from tests.verifier.forge_certified import (
    BATCH,
    Certified,
    certificate,
    credit,
    pool,
    simple,
)
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import Value, b64
from tests.verifier.forge_park import MILL, SHOP
from tests.verifier.forge_units import GEC, Held, name_id, unit_class, units_part

Stage = Callable[[Certified], object]


def staged(
    *stages: Stage, retire: Value | None = None, item: Value | None = None, gec: Any = None
) -> Certified:
    """Ten certificates of the farm's, then ``stages``, which leave the holding ``mills``; the mill
    retires two of its units and claims so.
    """
    park = Certified(gec)
    park.desk.issue("gec", BATCH, [pool()])
    for stage in stages:
        stage(park)
    more: Value = {"signer": MILL, "of": "mills", "units": 2, "rest": "left"} | (retire or {})
    park.desk.retire(name="R1", **more)
    return park.claim(certificate("R1", 2, 1500) | (item or {}))


def handed(of: str = "pool", name: str = "mills", signer: Key = FARM, **changes: Any) -> Stage:
    """A transfer to the mill of all of a holding; ``changes`` are of what is begun."""

    def stage(park: Certified) -> None:
        moves = park.desk.held[of].moves + 1
        to = park.desk.whole(of, name, **{"owner": "mill", "moves": moves} | changes)
        terms = {"document": "", "note": ""}
        park.desk.move("transfer", signer, [of], [to], terms)

    return stage


def cut(*ranges: tuple[str, int, int], **changes: Any) -> Stage:
    """A split of the pool into ranges by name; ``changes`` are of all of them."""

    def stage(park: Certified) -> None:
        begins = [park.desk.begin("pool", *one, **changes) for one in ranges]
        park.desk.move("split", FARM, ["pool"], begins, {"note": ""})

    return stage


def believed(of: str, **changes: Any) -> Stage:
    """From here on the forger says that the holding is another one than was begun."""

    def stage(park: Certified) -> None:
        park.desk.held[of] = replace(park.desk.held[of], **changes)

    return stage


def waited(days: int) -> Stage:
    return lambda park: park.log.tick(86_400 * days)


def act(kind: str, signer: Key, of: str, name: str) -> Stage:
    return lambda park: park.desk.same(kind, signer, of, name)


def made_after() -> Evidence:
    """The claim names a retirement that comes later."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    park.claim(certificate("R1", 2, 1500))
    park.desk.retire(MILL, "pool", 2, "R1", "left")
    return park.evidence()


def retired_twice() -> Evidence:
    """Two retirements of one holding, both in the claim."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    for name in ("R1", "R2"):
        park.desk.retire(MILL, "pool", 2, name, f"left {name}")
    return park.claim(certificate("R1", 2, 1500), certificate("R2", 2, 1500)).evidence()


def in_two_claims() -> Evidence:
    """A claim that replaces another one lists a retirement that it takes over anyway."""
    park = simple()
    first = park.made.park.claims["mill"]
    park.made.park.claim(
        "again",
        MILL,
        [],
        inherited=first.lots,
        replaces=first.name,
        retires=first.retires,
        certificates=[certificate("R1", 2, 1500)],
    )
    return park.evidence(claim="again", chain=[first.entry])


def second_revision(first: int, end: int) -> Certified:
    """Certificates of a second revision of the code."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool()])
    park.desk.issue("gec", "W-2602/1", [pool("mills", first, end, "mill")])
    park.desk.retire(MILL, "mills", 2, "R1", "left")
    return park.claim(certificate("R1", 2, 1500))


def without_revision() -> Evidence:
    park = second_revision(11, 15)
    del park.desk.issued["gec/W-2602/0"]
    return park.evidence()


def without_issue_leaf() -> Evidence:
    """The entry of the first revision is there, but none of its leaves."""
    park = second_revision(11, 15)
    evidence = park.evidence()
    evidence.parts.remove(evidence.part("units", 0))
    return evidence


def without_retirement() -> Evidence:
    park = simple()
    park.desk.retired.clear()
    return park.evidence()


def without_beginning() -> Evidence:
    park = simple()
    del park.desk.begun_in[name_id("three")]
    return park.evidence()


def opened(number: int, places: Iterable[int] | None, add: int | None = None) -> Evidence:
    """The part of the ``number``-th entry on units opens other leaves."""
    park = simple()
    evidence = park.evidence()
    part = evidence.part("units", number)
    made = park.desk.entries[part["entry"]]
    own = {leaf["index"] for leaf in part["leaves"]}
    chosen = own if places is None else set(places)
    evidence.parts[1 + number] = units_part(made, chosen if add is None else chosen | {add})
    return evidence


def unasked_part() -> Evidence:
    """Leaves of an issue that has nothing to do with the claim."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    other = park.desk.issue("gec", "X-1/0", [pool("others", 0, 3)])
    park.desk.retire(MILL, "pool", 2, "R1", "left")
    park.claim(certificate("R1", 2, 1500))
    evidence = park.evidence(chain=[other])
    evidence.parts.insert(2, units_part(park.desk.entries[other], [0]))
    return evidence


def registered_again(
    *, tell: bool, open_it: bool = False, log: Log | None = None, **scheme: Any
) -> Evidence:
    """The scheme is registered anew before the retirement. The file opens the older registration,
    but ``open_it`` says so; ``tell``: it holds the entry of the newer one all the same.
    """
    park = Certified(log=log)
    desk = park.desk
    desk.issue("gec", BATCH, [pool(owner="mill")])
    newer = desk.scheme("gec", GEC, **scheme)
    desk.retire(MILL, "pool", 2, "R1", "left")
    if not open_it:
        desk.schemes["gec"].pop()
    return park.claim(certificate("R1", 2, 1500)).evidence(chain=[newer] if tell else [])


def scheme_nobody_asks_for() -> Evidence:
    park = simple()
    entry, body = park.desk.schemes["ccer"][0]
    evidence = park.evidence(chain=[entry])
    evidence.head["bodies"].append({"hash": sha256(body).hex(), "base64": b64(body)})
    return evidence


def bound(wh: int, lot: str = "sun-mill", *, gec: Any = None, **issue: Any) -> Certified:
    """One certificate of energy that is metered here, in the claim with its lots."""
    park = Certified(gec)
    lots = [park.made.park.lots[lot].id.hex()]
    own = Held("stamped", "", "bound", 0, 0, 1, "farm")
    more: Value = {"lots": lots, "leaf_changes": {"eligible_wh": 1000}} | issue
    park.desk.issue("gec", "S-2602/0", [own], **more)
    park.desk.settle("stamped", "mills", "mill")
    park.desk.retire(MILL, "mills", 1, "R1")
    return park.claim(certificate("R1", 1, wh, **{"class": "bound"}))


def two_classes() -> Evidence:
    """The bound certificate is issued together with a tradable one."""
    park = Certified()
    lots = [park.made.park.lots["sun-mill"].id.hex()]
    own = [Held("mills", "", "bound", 0, 0, 1, "mill"), pool("other", 1, 2)]
    park.desk.issue("gec", "S-2602/0", own, lots=lots, leaf_changes={"eligible_wh": 2000})
    park.desk.retire(MILL, "mills", 1, "R1")
    return park.claim(certificate("R1", 1, 0, **{"class": "bound"})).evidence()


def credits_of_energy() -> Evidence:
    """Credits spend the lots of their energy, but are no Wh."""
    park = Certified(ccer={"classes": [unit_class("general", lots="spent", lot_classes=[2])]})
    lot = park.made.park.lots["sun-shop"].id.hex()
    park.desk.issue(
        "ccer",
        "C-1/0",
        [Held("five", "", "general", 0, 0, 5, "mill")],
        lots=[lot],
        wraps=[],
        spends=[lot],
        leaf_changes={"eligible_wh": 500},
    )
    park.desk.retire(MILL, "five", 2, "K1", "three", terms={"purpose": "neutrality"})
    return park.claim(credit("K1", 2)).evidence()


def complied(*obligations: int) -> Evidence:
    """Two credits each for one obligation, which is told as so many units."""
    park = Certified()
    names = [f"K{number}" for number in range(len(obligations))]
    for name, obligation in zip(names, obligations, strict=True):
        held = Held(name, "", "general", 0, 0, 2, "mill")
        park.desk.issue("ccer", f"C-{name}/0", [held])
        terms = {
            "purpose": "ets-compliance",
            "from": "2025-12-31T16:00:00Z",
            "to": "2026-12-31T16:00:00Z",
            "obligation": obligation,
        }
        park.desk.retire(MILL, name, 2, name, terms=terms)
    return park.claim(*(credit(name, 2) for name in names)).evidence()


def settled(**terms: int) -> Certified:
    classes = [unit_class("tradable", moved_by="settle")]
    return staged(
        lambda park: park.desk.settle("pool", "mills", "mill", terms=terms),
        gec={"classes": classes},
    )


def of_two_schemes() -> Evidence:
    """One act retires certificates and credits."""
    park = Certified()
    desk = park.desk
    desk.issue("gec", BATCH, [pool(owner="mill", end=3)])
    desk.issue("ccer", "C-1/0", [Held("five", "", "general", 0, 0, 5, "mill")])
    terms: Value = {
        "beneficiary": "mill",
        "purpose": "voluntary",
        "from": "2026-01-31T16:00:00Z",
        "to": "2026-02-28T16:00:00Z",
        "units": 7,
        "obligation": 0,
        "note": "",
    }
    gone = [desk.held["pool"].units(1, 3), desk.held["five"].units(0, 5)]
    desk.move("retire", MILL, ["pool", "five"], [], terms, gone=gone, retirement=name_id("R1"))
    return park.claim(certificate("R1", 7, 2000)).evidence()


def of_another_kind() -> Evidence:
    """Certificates pass as credits."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    park.desk.retire(MILL, "pool", 2, "R1", "left")
    return park.claim(credit("R1", 2, scheme="gec", unit_size=1000)).evidence()


def credit_as_certificate() -> Evidence:
    park = Certified()
    park.desk.issue("ccer", "C-1/0", [Held("five", "", "general", 0, 0, 5, "mill")])
    park.desk.retire(MILL, "five", 2, "K1", "three", terms={"purpose": "neutrality"})
    item = certificate("K1", 2, 2000, scheme="ccer", **{"class": "general"})
    return park.claim(item).evidence()


def recut() -> Evidence:
    """A lock that moves the border between two holdings."""

    def stage(park: Certified) -> None:
        begins = [park.desk.begin("pool", "mills", 1, 5), park.desk.begin("pool", "y", 5, 11)]
        begins = [replace(one, owner="mill", moves=1) for one in begins]
        park.desk.move("lock", MILL, ["a-mill", "b-mill"], begins, {"reason": "so"})

    def hand_both(park: Certified) -> None:
        for name in ("a", "b"):
            park.desk.transfer(FARM, name, f"{name}-mill", "mill")

    return staged(
        cut(("a", 1, 4), ("b", 4, 11)),
        hand_both,
        stage,
        retire={"units": 4},
        item={"units": 4},
    ).evidence()


def told_otherwise(park: Certified) -> None:
    """The act begins another holding than its entry."""
    to = replace(park.desk.held["pool"], name="mills", owner="mill", moves=1)
    told = [replace(to, name="other").value()]
    terms = {"document": "", "note": ""}
    park.desk.move("transfer", FARM, ["pool"], [to], terms, act={"begun": told})


def merged_by_transfer() -> Evidence:
    """Two holdings that changed hands once and not at all become one by a transfer."""

    def stage(park: Certified) -> None:
        desk = park.desk
        desk.transfer(FARM, "a", "a-shop", "shop")
        desk.transfer(SHOP, "a-shop", "a-farm", "farm")
        whole = desk.begin("pool", "mills", 1, 11, owner="mill", moves=1)
        desk.move("transfer", FARM, ["a-farm", "b"], [whole], {"document": "", "note": ""})

    return staged(cut(("a", 1, 4), ("b", 4, 11)), stage).evidence()
