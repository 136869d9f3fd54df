"""The lines of an answer about certificates and credits: each on a line of its own, credits lessen
nothing.
"""

from collections.abc import Iterable, Sequence

from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.report import Line
from greenledger_verify.retirements import Retirement
from greenledger_verify.text import Text, say

_ASSERTED = say(
    "asserted only, the operator's word: that the official registry issued these units, and what "
    "stands behind them"
)


def certificates_line(verified: VerifiedEvidence) -> Line:
    """Units and Wh by scheme; what is one energy with lots of the claim counts 0 Wh."""
    made = verified.retirements.certificates
    wh = sum(one.wh for one in made)
    bound = sum(one.units for one in made if one.bound)
    texts = [
        say(
            "{units} units of {scheme} ({name}): {wh} Wh",
            units=f"{sum(one.units for one in group):,}",
            scheme=group[0].retired.scheme,
            name=group[0].scheme["name"],
            wh=f"{sum(one.wh for one in group):,}",
        )
        for group in _by_scheme(made)
    ]
    if bound:
        texts.append(
            say(
                "{units} units are one energy with lots of the claim, and add no Wh",
                units=f"{bound:,}",
            )
        )
    values: dict[str, object] = {"wh": wh, "bound_units": bound}
    texts += _common(verified, made)
    return Line(
        name=say("certificates"),
        texts=tuple(texts or [say("the claim has no certificate")]),
        values=values | _values(verified, made),
    )


def credits_line(verified: VerifiedEvidence) -> Line:
    """Units and grams by scheme."""
    made = verified.retirements.credits
    texts = [
        say(
            "{units} units of {scheme} ({name}): {grams} g",
            units=f"{sum(one.units for one in group):,}",
            scheme=group[0].retired.scheme,
            name=group[0].scheme["name"],
            grams=f"{sum(one.units * one.unit_size for one in group):,}",
        )
        for group in _by_scheme(made)
    ]
    if made:
        texts.append(say("they lessen nothing: no Wh of the claim, and no residual"))
    texts += _common(verified, made)
    values: dict[str, object] = {
        "grams": sum(one.units * one.unit_size for one in made),
        "lessen_wh": 0,
    }
    return Line(
        name=say("credits"),
        texts=tuple(texts or [say("the claim has no credit")]),
        values=values | _values(verified, made),
    )


def _by_scheme(made: Iterable[Retirement]) -> list[list[Retirement]]:
    groups: dict[str, list[Retirement]] = {}
    for one in made:
        groups.setdefault(one.retired.scheme, []).append(one)
    return [groups[scheme] for scheme in sorted(groups)]


def _imports(verified: VerifiedEvidence, made: Iterable[Retirement]) -> list[int]:
    """The entries that issued the units."""
    batches = verified.retirements.chains.batches
    return sorted({batches[batch.name][0] for one in made for batch in one.retired.batches})


def _common(verified: VerifiedEvidence, made: Sequence[Retirement]) -> list[Text]:
    if not made:
        return []
    followed = say(
        "{count} retirements followed back, number by number, to the imports in entries {entries}",
        count=len(made),
        entries=_imports(verified, made),
    )
    rules = [
        say(
            "the rules of {scheme} are {status}, from: {source}",
            scheme=group[0].retired.scheme,
            status=_STATUS[group[0].scheme["status"]],
            source=group[0].scheme["source"] or "–",
        )
        for group in _by_scheme(made)
    ]
    return [followed, _ASSERTED, *rules]


_STATUS = {
    "official": say("official"),
    "secondary": say("secondary"),
    "unverified": say("unverified"),
}


def _values(verified: VerifiedEvidence, made: Sequence[Retirement]) -> dict[str, object]:
    return {
        "units": sum(one.units for one in made),
        "chains": len(made),
        "imports": _imports(verified, made),
        "retirements": [
            {
                "retirement": one.retired.retirement,
                "entry": one.retired.index,
                "scheme": one.retired.scheme,
                "units": one.units,
                "wh": one.wh,
                "bound": one.bound,
                "purpose": one.retired.terms["purpose"],
            }
            for one in made
        ],
        "asserted_only": ["issued_by_registry", "lots_behind_batch"] if made else [],
    }
