"""Parks with certificates and credits (docs/formats.md §3.6, §4.7, §9): what attacks on chains
begin with, and one good claim that has come a long way.
"""

from typing import Any

from tests.verifier.forge import FARM, OPERATOR, Log
from tests.verifier.forge_attacks import Small
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_lots import Value
from tests.verifier.forge_park import MILL
from tests.verifier.forge_units import CREDIT, FROM, GEC, TO, Desk, Held, name_id

BATCH = "W-2602/0"


def pool(name: str = "pool", first: int = 1, end: int = 11, owner: str = "farm") -> Held:
    return Held(name, "", "tradable", 0, first, end, owner)


def certificate(name: str, units: int, wh: int, **changes: Any) -> Value:
    """What a manifest says of a retirement."""
    return {
        "retirement": name_id(name),
        "scheme": "gec",
        "class": "tradable",
        "from": FROM,
        "to": TO,
        "units": units,
        "wh": wh,
    } | changes


def credit(name: str, units: int, **changes: Any) -> Value:
    own = {"retirement": name_id(name), "scheme": "ccer", "units": units, "unit_size": 1_000_000}
    return own | changes


class Certified:
    """A small park, divided, with the two schemes."""

    def __init__(
        self, gec: Value | None = None, ccer: Value | None = None, log: Log | None = None
    ) -> None:
        self.made = Small(log=log).read()
        self.made.divide()
        self.log = self.made.park.log
        self.desk = self.made.park.desk = Desk(self.log)
        self.log.tick(900)
        self.desk.scheme("gec", GEC, **(gec or {}))
        self.desk.scheme("ccer", CREDIT, **(ccer or {}))

    def claim(self, *items: Value, **more: Any) -> "Certified":
        """Certificates have ``wh``, credits do not."""
        members: Value = {
            "retires": sorted(one["retirement"] for one in items),
            "certificates": [one for one in items if "wh" in one],
            "credits_": [one for one in items if "wh" not in one],
        }
        self.made.claim(**members | more)
        return self

    def evidence(self, level: str = "total", **more: Any) -> Evidence:
        return self.made.evidence(level, **more)


def simple(
    *,
    gec: Value | None = None,
    issue: Value | None = None,
    split: Value | None = None,
    transfer: Value | None = None,
    retire: Value | None = None,
    item: Value | None = None,
    claim: Value | None = None,
) -> Certified:
    """Ten certificates of the farm's: split, three go to the mill, which retires two of them and
    claims so. Each argument changes one stage.
    """
    park = Certified(gec)
    desk = park.desk
    desk.issue("gec", BATCH, [pool()], **(issue or {}))
    desk.split(FARM, "pool", 4, "three", "others", **(split or {}))
    park.log.tick(900)
    desk.transfer(FARM, "three", "mills", "mill", **(transfer or {}))
    park.log.tick(900)
    retired: Value = {"signer": MILL, "of": "mills", "units": 2, "rest": "left"} | (retire or {})
    desk.retire(name="R1", **retired)
    return park.claim(certificate("R1", 2, 1500) | (item or {}), **(claim or {}))


def credited(
    *,
    issue: Value | None = None,
    retire: Value | None = None,
    item: Value | None = None,
    **ccer: Any,
) -> Certified:
    """Five credits of the mill's, two of them retired."""
    park = Certified(ccer=ccer)
    five = Held("five", "", "general", 0, 0, 5, "mill")
    park.desk.issue("ccer", "C-1/0", [five], **(issue or {}))
    more: Value = {"terms": {"purpose": "neutrality"}} | (retire or {})
    park.desk.retire(MILL, "five", 2, "K1", "three", **more)
    return park.claim(credit("K1", 2) | (item or {}))


def certified() -> Certified:
    """All at once: certificates that were split, reserved, handed over, locked, frozen, released
    and merged before two were retired, and one of a second revision; one that is one energy with
    the claim's lots; two credits; and then a claim that replaces the first and retires one more.
    """
    park = Certified()
    desk, log = park.desk, park.log
    lots = [park.made.park.lots["sun-mill"].id.hex()]
    desk.issue("gec", BATCH, [pool("pool", 1, 7), pool("more", 7, 11)])
    desk.issue("gec", "W-2602/1", [pool("second", 11, 15, "mill")])
    metered = {"eligible_wh": 1000}
    bound = Held("stamped", "", "bound", 0, 0, 1, "farm")
    desk.issue("gec", "S-2602/0", [bound], lots=lots, leaf_changes=metered)
    desk.issue("ccer", "C-1/0", [Held("five", "", "general", 0, 0, 5, "farm")])
    log.tick(900)
    desk.split(FARM, "pool", 4, "a", "b")
    desk.same("reserve", FARM, "a", "a-reserved")
    desk.split(FARM, "a-reserved", 2, "a-1", "a-2")
    desk.transfer(FARM, "a-2", "a-mill", "mill")
    desk.transfer(FARM, "b", "b-mill", "mill")
    desk.same("lock", MILL, "b-mill", "b-locked")
    desk.same("freeze", OPERATOR, "b-locked", "b-frozen")
    desk.same("release", OPERATOR, "b-frozen", "b-free")
    whole = desk.whole("a-mill", "ab", end=7)
    desk.move("merge", MILL, ["a-mill", "b-free"], [whole], {"note": ""})
    desk.settle("stamped", "mills-stamp", "mill")
    desk.transfer(FARM, "five", "credits", "mill")
    log.tick(900)
    desk.retire(MILL, "ab", 2, "R1", "ab-left")
    desk.retire(MILL, "second", 1, "R2", "second-left")
    desk.retire(MILL, "mills-stamp", 1, "R3")
    desk.retire(MILL, "credits", 2, "K1", "credits-left", terms={"purpose": "neutrality"})
    park.claim(
        certificate("R1", 2, 2000),
        certificate("R2", 1, 700),
        certificate("R3", 1, 0, **{"class": "bound"}),
        credit("K1", 2),
    )
    log.tick(900)
    desk.retire(MILL, "ab-left", 1, "R4", "ab-rest")
    first = park.made.park.claims["mill"]
    park.made.park.claim(
        "again",
        MILL,
        [],
        inherited=first.lots,
        replaces=first.name,
        retires=[name_id("R4")],
        taken_over=first.retires,
        certificates=[
            certificate("R1", 2, 2000),
            certificate("R2", 1, 700),
            certificate("R3", 1, 0, **{"class": "bound"}),
            certificate("R4", 1, 1000),
        ],
        credits_=[credit("K1", 2)],
    )
    return park


def only_certificates() -> Certified:
    """A claim without any lot."""
    park = Certified()
    park.desk.issue("gec", BATCH, [pool(owner="mill")])
    park.desk.retire(MILL, "pool", 4, "R1", "left")
    items = [certificate("R1", 4, 4000)]
    park.made.park.claim("mill", MILL, [], retires=[name_id("R1")], certificates=items, by_class={})
    return park
