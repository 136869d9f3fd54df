"""Offsets and stored CO2: on lines of their own, under every regime. Pure.

Nothing here reaches a total. A regime only says what of it may meet an obligation, and how much.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.accounting.facts import CREDIT, Ccus, Offset
from ledger.accounting.regime import CAPPED, NONE, PPM, OffsetRule

_SAID: Final[Mapping[str, Mapping[str, str]]] = {
    "none": {
        "zh": "本制度没有抵消项；下列注销不影响任何数字",
        "en": "this regime has no term for offsets; these retirements change no figure",
    },
    "line": {
        "zh": "单独列示，不从排放中扣减",
        "en": "shown apart, subtracted from nothing",
    },
    "capped": {
        "zh": "可用于履约的部分有上限；不从排放中扣减",
        "en": "a capped part may meet the obligation; subtracted from nothing",
    },
}


def offsets_json(rule: OffsetRule, offsets: Sequence[Offset], total_g: int) -> dict[str, Any]:
    """What was retired, and what of it a capped rule lets meet an obligation (g)."""
    return {
        "mode": rule.mode,
        "title": dict(_SAID[rule.mode]),
        "retired_g": sum(one.g for one in offsets),
        "usable_g": usable_g(rule, offsets, total_g) if rule.mode == CAPPED else "",
        "rule": ""
        if rule.mode == NONE
        else {
            "schemes": list(rule.schemes),
            "purpose": rule.purpose,
            "cap_ppm": rule.cap_ppm,
            "local_scheme": rule.local_scheme,
            "local_ppm": rule.local_ppm,
            "source": rule.source,
            "status": rule.status,
        },
        "lines": [
            {
                "id": one.retirement,
                "scheme": one.scheme,
                "kind": one.kind,
                "units": one.units,
                "g": one.g,
                "purpose": one.purpose,
                "claim": one.claim,
                "region": one.region,
            }
            for one in sorted(offsets, key=lambda one: (one.scheme, one.retirement))
        ],
    }


def usable_g(rule: OffsetRule, offsets: Sequence[Offset], total_g: int) -> int:
    """At most the cap's share of the total; of what is used, at least the local share is local."""
    eligible = [
        one
        for one in offsets
        if one.kind == CREDIT
        and one.scheme in rule.schemes
        and (not rule.purpose or one.purpose == rule.purpose)
    ]
    usable = min(sum(one.g for one in eligible), max(total_g, 0) * rule.cap_ppm // PPM)
    if rule.local_ppm:
        local_g = sum(one.g for one in eligible if one.scheme == rule.local_scheme)
        usable = min(usable, local_g * PPM // rule.local_ppm)
    return usable


def ccus_json(one: Ccus) -> dict[str, Any]:
    """Gross and net beside each other; avoided at source is no removal."""
    return {
        "id": one.record,
        "project": one.project,
        "treatment": one.treatment,
        "stored_g": one.stored_g,
        "emissions_g": one.emissions_g,
        "net_g": one.net_g,
        "avoided_g": one.avoided_g,
        "removed_g": one.removed_g,
        "reversed_g": one.reversed_g,
    }
