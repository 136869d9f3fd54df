"""Broken evidence: certificates and credits against the rules of their schemes and the claim. See
``break_evidence``.
"""

from tests.verifier import forge_unit_attacks as attacks
from tests.verifier.break_lots import BODIES, CLAIM, SIGNATURES, Case
from tests.verifier.break_units import CHAINS, RULES
from tests.verifier.forge import OPERATOR
from tests.verifier.forge_certified import certificate, credited, simple
from tests.verifier.forge_park import MILL
from tests.verifier.forge_unit_attacks import act, bound, handed, staged, waited
from tests.verifier.forge_units import unit_class

ETS = {
    "purpose": "ets-compliance",
    "from": "2025-12-31T16:00:00Z",
    "to": "2026-12-31T16:00:00Z",
}
WRAPPED = unit_class("tradable", lots="wrapped", lot_classes=[2])
SPENT = unit_class("bound", moved_by="settle", lots="spent", lot_classes=[2])
MARCH = "2026-03-31T16:00:00Z"

RULE_CASES: dict[str, Case] = {
    # In which state, and when
    "frozen-units-retired": Case(
        SIGNATURES,
        "is frozen; retire ends only what is active, reserved, locked",
        lambda: staged(handed(name="m"), act("freeze", OPERATOR, "m", "mills")).evidence(),
    ),
    "frozen-units-released-by-their-owner": Case(
        SIGNATURES,
        "is frozen: only the operator may release it",
        lambda: staged(
            handed(name="m"), act("freeze", OPERATOR, "m", "f"), act("release", MILL, "f", "mills")
        ).evidence(),
    ),
    "frozen-by-another": Case(
        SIGNATURES,
        "freeze is an act of the operator only",
        lambda: staged(handed(name="m"), act("freeze", MILL, "m", "mills")).evidence(),
    ),
    "part-of-what-is-locked-retired": Case(
        CHAINS,
        "that it was of is locked: such are used whole, or split first",
        lambda: staged(handed(name="m"), act("lock", MILL, "m", "mills")).evidence(),
    ),
    "expired-when-retired": Case(
        RULES,
        "entry 29: retire of units of the batch gec/W-2602/0, which expired at "
        "2028-01-31T16:00:00Z",
        lambda: staged(handed(), waited(690)).evidence(),
    ),
    "expired-when-handed-over": Case(
        RULES,
        "entry 28: transfer of units of the batch gec/W-2602/0, which expired at",
        lambda: staged(waited(690), handed()).evidence(),
    ),
    "expires-later-than-its-scheme-says": Case(
        RULES,
        "it expires 2030-01-31T16:00:00Z, but its scheme says 2028-01-31T16:00:00Z",
        lambda: simple(issue={"leaf_changes": {"expires": "2030-01-31T16:00:00Z"}}).evidence(),
    ),
    "never-expires": Case(
        RULES,
        "it expires –, but its scheme says 2028-01-31T16:00:00Z",
        lambda: simple(issue={"leaf_changes": {"expires": ""}}).evidence(),
    ),
    # What for
    "wrong-beneficiary": Case(
        RULES,
        "its beneficiary is shop, but the claim is by mill",
        lambda: simple(retire={"terms": {"beneficiary": "shop"}}).evidence(),
    ),
    "purpose-that-the-scheme-has-not": Case(
        RULES,
        "the scheme is not for neutrality, but for green-power, voluntary",
        lambda: simple(retire={"terms": {"purpose": "neutrality"}}).evidence(),
    ),
    "produced-in-another-year": Case(
        RULES,
        "was produced from 2025-11-30T16:00:00Z to 2025-12-31T16:00:00Z, but it is used at "
        "2026-01-31T16:00:00Z: the scheme asks for the same year",
        lambda: simple(
            gec={"vintages": [{"from": "2026-01-01T00:00:00Z", "policy": "same-year"}]},
            issue={
                "leaf_changes": {
                    "from": "2025-11-30T16:00:00Z",
                    "to": "2025-12-31T16:00:00Z",
                    "expires": "2027-11-30T16:00:00Z",
                }
            },
        ).evidence(),
    ),
    "more-of-an-obligation-than-its-cap": Case(
        RULES,
        "2 units are more than the 1 that may meet an obligation of 39",
        lambda: credited(retire={"terms": ETS | {"obligation": 39}}).evidence(),
    ),
    "more-of-an-obligation-together": Case(
        RULES,
        "4 units are more than the 3 that may meet an obligation of 60",
        lambda: attacks.complied(60, 60),
    ),
    "obligation-told-in-two-ways": Case(
        RULES,
        "the same obligation is 60, 80 units, by different retirements",
        lambda: attacks.complied(60, 80),
    ),
    "obligation-of-no-calendar-year": Case(
        RULES,
        "it is for ets-compliance from 2025-12-31T16:00:00Z to 2026-12-30T16:00:00Z, which is no",
        lambda: credited(
            retire={"terms": ETS | {"obligation": 40, "to": "2026-12-30T16:00:00Z"}}
        ).evidence(),
    ),
    "obligation-of-a-volunteer": Case(
        CHAINS,
        "an obligation stands only where the purpose is one of ets-compliance, local-compliance",
        lambda: simple(retire={"terms": {"obligation": 100}}).evidence(),
    ),
    "used-when-the-act-does-not-say": Case(
        RULES,
        "to of the manifest is 2026-02-20T16:00:00Z, but it is 2026-02-28T16:00:00Z",
        lambda: simple(item={"to": "2026-02-20T16:00:00Z"}).evidence(),
    ),
    "used-outside-of-the-claim": Case(
        BODIES,
        "outside of the period of the claim",
        lambda: simple(item={"to": MARCH}, retire={"terms": {"to": MARCH}}).evidence(),
    ),
    "units-told-wrongly": Case(
        RULES,
        "units of the manifest is 3, but it is 2",
        lambda: simple(item={"units": 3}).evidence(),
    ),
    "class-told-wrongly": Case(
        RULES,
        "class of the manifest is bound, but it is tradable",
        lambda: simple(item={"class": "bound"}).evidence(),
    ),
    "certificates-as-credits": Case(
        RULES,
        "the scheme gec is of the kind certificate: its units are none of the credits",
        attacks.of_another_kind,
    ),
    "credits-as-certificates": Case(
        RULES,
        "the scheme ccer is of the kind credit: its units are none of the certificates",
        attacks.credit_as_certificate,
    ),
    "credits-of-another-size": Case(
        RULES,
        "unit_size of the manifest is 5000000, but it is 1000000",
        lambda: credited(item={"unit_size": 5_000_000}).evidence(),
    ),
    # How much
    "more-wh-than-its-units": Case(
        RULES,
        "it counts 2001 Wh, but its units are worth 2000 Wh",
        lambda: simple(item={"wh": 2001}).evidence(),
    ),
    "wh-of-its-own-lots": Case(
        RULES,
        "it counts 1 Wh, but is one energy with lots of the claim",
        lambda: bound(1).evidence(),
    ),
    "wrapped-lots-that-the-claim-has-not": Case(
        RULES,
        "the batch gec/S-2602/0 is one energy with lots that the claim does not have",
        lambda: bound(0, lot="sun-shop").evidence(),
    ),
    "more-than-was-consumed": Case(
        BODIES,
        "residual_wh: -500 is not an integer from 0",
        lambda: simple(
            claim={"manifest": {"consumption_wh": 2000, "residual_wh": -500}}
        ).evidence(),
    ),
    "residual-without-certificates": Case(
        BODIES,
        "residual_wh is not consumption_wh less claimed_wh and certificate_wh",
        lambda: simple(claim={"manifest": {"residual_wh": 49_000}}).evidence(),
    ),
    "certificates-summed-wrongly": Case(
        BODIES,
        "the certificates do not sum to certificate_wh",
        lambda: simple(
            claim={"manifest": {"certificate_wh": 2500, "residual_wh": 46_500}}
        ).evidence(),
    ),
    "retirement-that-the-manifest-hides": Case(
        CLAIM,
        "the manifest names the retirements , but the claim has",
        lambda: simple(claim={"certificates": []}).evidence(),
    ),
    "retirement-that-the-claim-has-not": Case(
        CLAIM,
        "the manifest names the retirements",
        lambda: simple(
            claim={"certificates": [certificate("R1", 2, 1500), certificate("R9", 2, 1500)]}
        ).evidence(),
    ),
    "batch-of-more-wh-than-behind-it": Case(
        RULES,
        "its units are 1000 Wh and 0 Wh are left over, less than a unit, but behind it are 900 Wh",
        lambda: bound(0, leaf_changes={"eligible_wh": 900}).evidence(),
    ),
    "a-whole-unit-left-over": Case(
        RULES,
        "its units are 1000 Wh and 1000 Wh are left over, less than a unit, but behind it are 2000",
        lambda: bound(0, leaf_changes={"eligible_wh": 2000, "left_wh": 1000}).evidence(),
    ),
    "batch-with-lots-of-two-classes": Case(
        CHAINS,
        "the batch gec/S-2602/0 has lots, but is of several classes",
        attacks.two_classes,
    ),
    "credits-of-energy": Case(
        RULES,
        "its units are 0 Wh and 0 Wh are left over, less than a unit, but behind it are 500 Wh",
        attacks.credits_of_energy,
    ),
    "compliance-without-a-project": Case(
        RULES,
        "the batch ccer/C-1/0 has no project, as compliance asks for",
        lambda: credited(
            issue={"leaf_changes": {"project": ""}}, retire={"terms": ETS | {"obligation": 40}}
        ).evidence(),
    ),
    "used-from-within-a-quarter-hour": Case(
        RULES,
        "the period is empty, or not one of whole quarter-hours",
        lambda: simple(
            item={"from": "2026-01-31T16:00:01Z"},
            retire={"terms": {"from": "2026-01-31T16:00:01Z"}},
        ).evidence(),
    ),
    "record-of-a-certificate": Case(
        RULES,
        "its record is 00000000000000000000000000000000, but its scheme is of the kind certificate",
        lambda: simple(issue={"leaf_changes": {"record": "00" * 16}}).evidence(),
    ),
    "units-of-another-record": Case(
        RULES,
        "units of the record 0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a0a are the batch",
        lambda: credited(
            issue={"leaf_changes": {"record": "0a" * 16}}, kind="record", cap_ppm=0
        ).evidence(),
    ),
    "scheme-that-changed-its-kind": Case(
        RULES,
        "entry 27: unit_size of a scheme stays, but was 1000 and is 2000",
        lambda: attacks.registered_again(tell=True, open_it=True, unit_size=2000),
    ),
    "scheme-that-unwraps-its-lots": Case(
        RULES,
        "lots of tradable of a scheme stays, but was none and is wrapped",
        lambda: attacks.registered_again(
            tell=True,
            open_it=True,
            classes=[WRAPPED],
        ),
    ),
    "lot-behind-a-batch-that-nobody-wrapped": Case(
        CHAINS,
        "behind it is neither spent nor wrapped by the entry",
        lambda: bound(0, wraps=[]).evidence(),
    ),
    "lot-wrapped-that-had-to-be-spent": Case(
        RULES,
        "behind it is wrapped, but its class asks for spent",
        lambda: bound(
            0,
            gec={"classes": [SPENT]},
        ).evidence(),
    ),
    "class-that-the-scheme-has-not": Case(
        RULES,
        "tradable is not a class of the scheme: it has ordinary",
        lambda: simple(gec={"classes": [unit_class("ordinary")]}).evidence(),
    ),
    "batch-with-a-gap": Case(
        CHAINS,
        "the holdings of the batch gec/W-2602/0 leave a gap, or overlap, at 0",
        lambda: simple(issue={"leaf_changes": {"first": 0}}).evidence(),
    ),
    "batch-of-another-name": Case(
        CHAINS,
        "it is the batch gec/W-2602/7, not gec/W-2602/0",
        lambda: simple(issue={"leaf_changes": {"batch": "gec/W-2602/7"}}).evidence(),
    ),
}
