"""Broken evidence: what certificates and credits say is wrong. See ``break_evidence``."""

from tests.verifier import forge_unit_attacks as attacks
from tests.verifier.break_lots import SIGNATURES, Case
from tests.verifier.forge import FARM
from tests.verifier.forge_attacks import flip
from tests.verifier.forge_certified import simple
from tests.verifier.forge_evidence import Evidence
from tests.verifier.forge_park import SHOP
from tests.verifier.forge_unit_attacks import believed, cut, handed, staged
from tests.verifier.forge_units import unit_class

CHAINS = "Each retirement goes back to the import"
RULES = "The certificates and credits are as"


def after_leaf(change: bytes, by: bytes) -> Evidence:
    """The leaf of the first entry on units, changed as it lies in the file."""
    evidence = simple().evidence()
    leaf = evidence.part("units")["leaves"][0]
    raw = bytes.fromhex(leaf["bytes"])
    assert change in raw
    leaf["bytes"] = raw.replace(change, by).hex()
    return evidence


def flipped_nonce() -> Evidence:
    evidence = simple().evidence()
    leaf = evidence.part("units")["leaves"][0]
    leaf["bytes"] = flip(bytes.fromhex(leaf["bytes"]), 0).hex()
    return evidence


def swapped_parts() -> Evidence:
    evidence = simple().evidence()
    evidence.parts[1], evidence.parts[2] = evidence.parts[2], evidence.parts[1]
    return evidence


def without_body(number: int) -> Evidence:
    evidence = simple().evidence()
    evidence.head["bodies"].pop(number)
    return evidence


CHAIN_CASES: dict[str, Case] = {
    # The same unit twice
    "units-overlap-in-a-split": Case(
        CHAINS,
        "the units 1-6 and 4-11 of the batch gec/W-2602/0 overlap",
        lambda: staged(cut(("mine", 1, 6), ("other", 4, 11)), handed("mine")).evidence(),
    ),
    "units-lost-in-a-split": Case(
        CHAINS,
        "it ends gec/W-2602/0 tradable 1-11, but what it begins and takes is",
        lambda: staged(cut(("mine", 1, 4), ("other", 5, 11)), handed("mine")).evidence(),
    ),
    "range-that-grew-by-a-transfer": Case(
        CHAINS,
        "it ends gec/W-2602/0 tradable 1-11, but what it begins and takes is gec/W-2602/0 tradable "
        "1-12",
        lambda: staged(handed(end=12)).evidence(),
    ),
    "range-that-grew-between-two-acts": Case(
        CHAINS,
        "it ends as gec/W-2602/0 tradable 1-13, moves 1, but entry 27 began it as gec/W-2602/0 "
        "tradable 1-11, moves 1",
        lambda: staged(handed(), believed("mills", end=13)).evidence(),
    ),
    "holding-of-another-batch": Case(
        CHAINS,
        "it ends as gec/X-1/0 tradable 1-11, moves 1, but entry 27 began it as gec/W-2602/0",
        lambda: staged(handed(), believed("mills", batch="gec/X-1/0")).evidence(),
    ),
    "holding-of-a-batch-that-was-not-issued": Case(
        CHAINS,
        "the leaf of the batch gec/X-1/0 is not opened in entry 26",
        lambda: staged(believed("pool", batch="gec/X-1/0"), handed()).evidence(),
    ),
    "holding-of-another-class": Case(
        CHAINS,
        "it ends as gec/W-2602/0 bound 1-11, moves 0, but entry 26 began it as",
        lambda: staged(believed("pool", unit_class="bound"), handed()).evidence(),
    ),
    "revisions-with-a-number-in-common": Case(
        CHAINS,
        "batch gec/W-2602/1: the units 1-11 and 10-15 of the batch W-2602 overlap",
        lambda: attacks.second_revision(10, 15).evidence(),
    ),
    "first-revision-is-missing": Case(
        CHAINS, "its revision 0 is not in the file", attacks.without_revision
    ),
    "first-revision-is-not-opened": Case(
        CHAINS, "no leaf of the units of entry 26 is opened", attacks.without_issue_leaf
    ),
    "holding-retired-twice": Case(
        SIGNATURES, "was ended before, by entry 27", attacks.retired_twice
    ),
    "retirement-in-two-claims": Case(
        SIGNATURES, "is in a claim already, of entry", attacks.in_two_claims
    ),
    "retirement-after-the-claim": Case(CHAINS, "it was made after the claim", attacks.made_after),
    "retirement-of-two-schemes": Case(
        CHAINS, "it retires units of several schemes: ccer, gec", attacks.of_two_schemes
    ),
    "lock-that-cuts-anew": Case(
        CHAINS, "each holding that it ends must begin anew, else unchanged", attacks.recut
    ),
    "retires-more-than-it-says": Case(
        CHAINS,
        "it retires 2 units, but says 1",
        lambda: staged(handed(), retire={"terms": {"units": 1}}).evidence(),
    ),
    "retires-nothing": Case(
        CHAINS,
        "units are gone by an act that takes some, and only by such: retire can't have 0",
        lambda: staged(
            handed(), retire={"gone": [], "act": {"begun": []}, "begins": []}
        ).evidence(),
    ),
    # Whose
    "transfer-by-another": Case(
        CHAINS,
        "it is owned by farm, but transfer is by shop",
        lambda: staged(handed(signer=SHOP)).evidence(),
    ),
    "retired-by-another": Case(
        CHAINS,
        "it is owned by mill, but retire is by farm",
        lambda: simple(retire={"signer": FARM}).evidence(),
    ),
    "split-that-hands-over": Case(
        CHAINS,
        "split leaves its owner farm, but it is of mill then",
        lambda: staged(cut(("mills", 1, 4), ("other", 4, 11), owner="mill")).evidence(),
    ),
    "transfer-that-does-not-count": Case(
        CHAINS,
        "it changed hands 0 times, but was 0 before transfer",
        lambda: staged(handed(moves=0)).evidence(),
    ),
    "transfer-that-counts-twice": Case(
        CHAINS,
        "it changed hands 2 times, but was 0 before transfer",
        lambda: staged(handed(moves=2)).evidence(),
    ),
    "moves-forgotten": Case(
        CHAINS,
        "it ends as gec/W-2602/0 tradable 1-11, moves 0",
        lambda: staged(handed(), believed("mills", moves=0)).evidence(),
    ),
    "moves-merged-by-a-transfer": Case(
        CHAINS, "it changed hands 1 times, but was 2 before transfer", attacks.merged_by_transfer
    ),
    "moved-too-often": Case(
        RULES,
        "units of the class tradable change hands 0 times at most, these have 1 times",
        lambda: simple(gec={"classes": [unit_class("tradable", moves_max=0)]}).evidence(),
    ),
    "moved-by-the-wrong-act": Case(
        RULES,
        "units of the class tradable change hands by settle, not by transfer",
        lambda: simple(gec={"classes": [unit_class("tradable", moved_by="settle")]}).evidence(),
    ),
    "settled-more-than-the-least": Case(
        CHAINS,
        "settled_wh is 3000, the least of the three is 1000",
        lambda: attacks.settled(settled_wh=3000).evidence(),
    ),
    # What is opened
    "retirement-is-missing": Case(
        CHAINS, "the entry that made it is not in the file", attacks.without_retirement
    ),
    "beginning-is-missing": Case(
        CHAINS, "the entry that began it is not in the file", attacks.without_beginning
    ),
    "owner-is-not-opened": Case(
        CHAINS,
        "the owner of the holding",
        lambda: attacks.opened(1, [0]),
    ),
    "act-is-not-opened": Case(
        CHAINS, "the act of entry 27 is not opened", lambda: attacks.opened(1, [1, 2])
    ),
    "owner-that-nobody-asks-for": Case(
        CHAINS,
        "of the units of entry 27 is opened, but nothing asks for it",
        lambda: attacks.opened(1, [0, 1, 2]),
    ),
    "paper-that-nobody-asks-for": Case(
        CHAINS,
        "leaf 2 of the units of entry 26 is opened, but nothing asks for it",
        lambda: attacks.opened(0, None, 2),
    ),
    "units-that-nobody-asks-for": Case(
        CHAINS, "is opened, but nothing asks for it", attacks.unasked_part
    ),
    "units-in-wrong-order": Case(CHAINS, "the units are not in order, each once", swapped_parts),
    "owner-changed-in-the-file": Case(
        CHAINS,
        "units of entry 26: the leaves and their shared path lead to the root",
        lambda: after_leaf(b'"end":11', b'"end":12'),
    ),
    "nonce-changed-in-the-file": Case(
        CHAINS, "units of entry 26: the leaves and their shared path lead to", flipped_nonce
    ),
    "act-that-differs-from-its-entry": Case(
        CHAINS,
        "begins of the entry are",
        lambda: staged(attacks.told_otherwise).evidence(),
    ),
    "scheme-is-not-opened": Case(
        RULES,
        "the registration of the scheme gec in force at entry 26 is not opened",
        lambda: without_body(1),
    ),
    "scheme-that-was-not-in-force": Case(
        RULES,
        "the scheme gec was registered anew by entry 27, before entry 28: the file opens entry 24",
        lambda: attacks.registered_again(tell=True),
    ),
    "scheme-that-nobody-asks-for": Case(
        RULES,
        "the scheme of entry 25 is opened, but nothing asks for it",
        attacks.scheme_nobody_asks_for,
    ),
}
