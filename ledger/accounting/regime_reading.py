"""Reading a regime: strictly, as JSON of a record or TOML of a person. Pure."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import Any, Final

from ledger import files
from ledger.accounting import facts
from ledger.accounting.regime import (
    ANY,
    CAPPED,
    CLASSES,
    EMISSIONS,
    FACTOR,
    FIGURES,
    FULL,
    HOUR,
    INTERVAL,
    LEVELS,
    LINE,
    NONE,
    OWN,
    PERIOD,
    PPM,
    RESIDUAL,
    SETS,
    SHARE,
    STATUSES,
    TECHNOLOGY,
    TEST_FIGURES,
    TOTAL,
    ZERO,
    ElectricityRule,
    FactorRule,
    OffsetRule,
    Regime,
    ShareRule,
    Term,
    Test,
)
from ledger.errors import InvalidInput, NotFound
from ledger.log import entry as e
from ledger.log.entry import Member
from ledger.units import parse_instant

SHIPPED: Final = Path(__file__).parent / "regimes"
_DECIMAL: Final = re.compile(r"(?:0|[1-9][0-9]{0,14})(?:\.[0-9]{1,9})?", re.ASCII)
_SLUG: Final = re.compile(r"[a-z0-9][a-z0-9-]{0,63}", re.ASCII)


def is_slug(value: Any) -> bool:
    return isinstance(value, str) and _SLUG.fullmatch(value) is not None


def _slug(expected: str) -> Member:
    return Member(expected=f"{expected}: 1–64 characters of a-z 0-9 -", check=is_slug)


def _sorted_of(check: e.Check) -> e.Check:
    return lambda value: (
        isinstance(value, list) and all(map(check, value)) and value == sorted(set(value))
    )


def _list_of(values: Iterable[str], expected: str) -> Member:
    allowed = frozenset(values)
    return Member(
        expected=expected,
        check=lambda value: (
            isinstance(value, list)
            and all(isinstance(one, str) and one in allowed for one in value)
            and len(set(value)) == len(value)
        ),
    )


_TITLE: Final[Mapping[str, Member]] = {"zh": e.NAME, "en": e.NAME}
_OBJECT: Final = Member(expected="an object", check=lambda value: isinstance(value, dict))
_ARRAY: Final = Member(expected="an array", check=lambda value: isinstance(value, list))
_STATUS: Final = e.one_of(*STATUSES)
_DECIMAL_TEXT: Final = Member(
    expected='a decimal in text, such as "0.2"',
    check=lambda value: isinstance(value, str) and _DECIMAL.fullmatch(value) is not None,
)
_DECIMAL_OR_NONE: Final = Member(
    expected='a decimal in text, such as "0.2", or ""',
    check=lambda value: value == "" or _DECIMAL_TEXT.check(value),
)
_PPM: Final = Member(
    expected=f"millionths, 0 to {PPM}", check=lambda value: e.COUNT.check(value) and value <= PPM
)
_GASES: Final = Member(
    expected="a sorted array of gases",
    check=_sorted_of(
        lambda one: (
            isinstance(one, str) and re.fullmatch(r"[A-Z][A-Za-z0-9-]{0,19}", one) is not None
        )
    ),
)
_REGIME: Final[Mapping[str, Member]] = {
    "title": _OBJECT,
    "source": e.REASON,
    "status": _STATUS,
    "figure": e.one_of(*FIGURES),
    "gases": _GASES,
    "gwp": Member(
        expected='an assessment such as "AR6", or ""',
        check=lambda value: (
            isinstance(value, str) and re.fullmatch(r"[A-Z0-9]{0,10}", value) is not None
        ),
    ),
    "sets": _OBJECT,
    "electricity": _OBJECT,
    "terms": _ARRAY,
    "offsets": _OBJECT,
    "share": _OBJECT,
    "tests": _ARRAY,
    "notes": _ARRAY,
}
_FACTOR: Final[Mapping[str, Member]] = {
    "item": _slug("an item"),
    "level": e.one_of(*LEVELS),
    "year": Member(
        expected="a year, or 0: that of the period",
        check=lambda value: e.COUNT.check(value) and (value == 0 or 1990 <= value <= 2100),
    ),
    "standard": e.REASON_OR_NONE,
}
_ELECTRICITY: Final[Mapping[str, Member]] = {
    "scope": e.COUNT,
    "resolution": e.one_of(PERIOD, HOUR),
    "matched": e.one_of(ANY, INTERVAL),
    "classes": _OBJECT,
    "zero_set": e.one_of("", *SETS),
    "other": Member(expected="a factor, or none", check=lambda value: isinstance(value, str)),
    "technologies": _OBJECT,
    "factors": _OBJECT,
    "export_zero_set": e.one_of("", *SETS),
    "export_factor": Member(
        expected="a factor, or none", check=lambda value: isinstance(value, str)
    ),
}
_TERM: Final[Mapping[str, Member]] = {
    "category": e.one_of(*facts.CATEGORIES),
    "scope": Member(expected="0 to 3", check=lambda value: e.COUNT.check(value) and value <= 3),
    "counts": e.one_of(TOTAL, LINE),
    "directions": _list_of(facts.DIRECTIONS, "an array of in, out"),
    "oxidation": e.one_of(FACTOR, FULL),
    "standard": e.REASON_OR_NONE,
}
_OFFSETS: Final[Mapping[str, Member]] = {
    "mode": e.one_of(NONE, LINE, CAPPED),
    "schemes": Member(
        expected="a sorted array of schemes", check=_sorted_of(lambda one: is_slug(one))
    ),
    "purpose": Member(
        expected="a purpose, or none", check=lambda value: value == "" or is_slug(value)
    ),
    "cap_ppm": _PPM,
    "local_scheme": Member(
        expected="a scheme, or none", check=lambda value: value == "" or is_slug(value)
    ),
    "local_ppm": _PPM,
    "source": e.REASON_OR_NONE,
    "status": _STATUS,
}
_SHARE: Final[Mapping[str, Member]] = {
    "set": e.one_of(*SETS),
    "classes": _list_of(facts.SUPPLY_CLASSES, "an array of supply classes"),
    "definition": _OBJECT,
}
_TEST: Final[Mapping[str, Member]] = {
    "figure": e.one_of(*TEST_FIGURES),
    "limit": e.one_of("least", "most"),
    "value": _DECIMAL_TEXT,
    "size_from": _DECIMAL_OR_NONE,
    "size_to": _DECIMAL_OR_NONE,
    "from": e.INSTANT_OR_NONE,
    "to": e.INSTANT_OR_NONE,
    "title": _OBJECT,
    "source": e.REASON,
    "status": _STATUS,
}


def from_json(name: str, value: Mapping[str, Any]) -> Regime:
    """Raises InvalidInput with the place of what is missing, unknown or wrong."""
    if not is_slug(name):
        raise InvalidInput(f"regime {name!r}: a name is 1–64 characters of a-z 0-9 -")
    e.check_members(value, _REGIME)
    _at("title", lambda: e.check_members(value["title"], _TITLE))
    sets = _at("sets", lambda: _sets(value["sets"]))
    terms = [
        _at(f"terms[{place}]", partial(_term, one)) for place, one in enumerate(value["terms"])
    ]
    if len({one.category for one in terms}) != len(terms):
        raise InvalidInput("terms: a category stands there once")
    for place, note in enumerate(value["notes"]):
        _at(f"notes[{place}]", partial(_check_title, note))
    found = Regime(
        name=name,
        title=value["title"],
        source=value["source"],
        status=value["status"],
        figure=value["figure"],
        gases=tuple(value["gases"]),
        gwp=value["gwp"],
        sets=sets,
        electricity=(
            _at("electricity", lambda: _electricity(value["electricity"]))
            if value["electricity"]
            else None
        ),
        terms={one.category: one for one in terms},
        offsets=_at("offsets", lambda: _offsets(value["offsets"])),
        share=_at("share", lambda: _share(value["share"])) if value["share"] else None,
        tests=tuple(
            _at(f"tests[{place}]", partial(_test, one)) for place, one in enumerate(value["tests"])
        ),
        notes=tuple(value["notes"]),
        content=value,
    )
    if found.figure == EMISSIONS and not found.gases:
        raise InvalidInput("gases is empty: emissions are of some gas")
    if found.figure == SHARE and found.share is None:
        raise InvalidInput("figure is share: share says of what, and by which classes")
    return found


def _at(where: str, read: Callable[[], Any]) -> Any:
    try:
        return read()
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}") from error


def _object(value: Any) -> Mapping[str, Any]:
    if not isinstance(value, dict):
        raise InvalidInput("it is no object")
    return value


def _sets(value: Mapping[str, Any]) -> Mapping[str, frozenset[str]]:
    technologies = Member(expected="a sorted array of technologies", check=_sorted_of(is_slug))
    e.check_members(value, dict.fromkeys(SETS, technologies))
    found = {name: frozenset(value[name]) for name in SETS}
    if not found["renewable"] <= found["non-fossil"] <= found["clean"]:
        raise InvalidInput("what is renewable is non-fossil, and what is non-fossil is clean")
    if found["non-fossil"] & found["fossil"]:
        both = ", ".join(sorted(found["non-fossil"] & found["fossil"]))
        raise InvalidInput(f"{both} can't be fossil and non-fossil")
    return found


def _electricity(value: Mapping[str, Any]) -> ElectricityRule:
    e.check_members(value, _ELECTRICITY)
    factors = {
        name: _at(f"factors.{name}", partial(_factor, one))
        for name, one in value["factors"].items()
    }
    rules = value["classes"]
    if set(rules) != set(CLASSES):
        raise InvalidInput(f"classes names each of {', '.join(CLASSES)}, and nothing else")
    own = {ZERO, TECHNOLOGY, OWN}
    named = {f"classes.{name}": rule for name, rule in rules.items() if rule not in own}
    named |= {f"technologies.{name}": rule for name, rule in value["technologies"].items()}
    named |= {name: value[name] for name in ("other", "export_factor") if value[name]}
    for where, name in named.items():
        if name not in factors:
            raise InvalidInput(
                f"{where} is {name!r}: neither {', '.join(sorted(own))} nor one of the factors"
                f" {', '.join(sorted(factors))}"
            )
    if rules[RESIDUAL] in (TECHNOLOGY, OWN):
        raise InvalidInput("classes.residual is zero or a factor: nobody knows its technology")
    return ElectricityRule(**{**value, "factors": factors})


def _factor(value: Any) -> FactorRule:
    e.check_members(_object(value), _FACTOR)
    return FactorRule(**value)


def _check_title(value: Any) -> None:
    e.check_members(_object(value), _TITLE)


def _term(value: Any) -> Term:
    e.check_members(_object(value), _TERM)
    return Term(**{**value, "directions": tuple(value["directions"])})


def _offsets(value: Mapping[str, Any]) -> OffsetRule:
    e.check_members(value, _OFFSETS)
    return OffsetRule(**{**value, "schemes": tuple(value["schemes"])})


def _share(value: Mapping[str, Any]) -> ShareRule:
    e.check_members(value, _SHARE)
    e.check_members(value["definition"], _TITLE)
    return ShareRule(
        set=value["set"], classes=tuple(value["classes"]), definition=value["definition"]
    )


def _test(value: Any) -> Test:
    e.check_members(_object(value), _TEST)
    e.check_members(value["title"], _TITLE)
    members = {name: one for name, one in value.items() if name not in ("from", "to")}
    from_s, to_s = (parse_instant(value[at]) if value[at] else None for at in ("from", "to"))
    return Test(from_s=from_s, to_s=to_s, **members)


def parse_toml(name: str, text: str, where: str) -> Regime:
    """The rules of a regime as a person writes them. Raises InvalidInput."""
    return _at(where, lambda: from_json(name, files.parse_toml(text, where)))  # type: ignore[no-any-return]


def shipped_regimes() -> list[str]:
    return sorted(file.stem for file in SHIPPED.glob("*.toml"))


def shipped(name: str) -> Regime:
    """The rules that came with the program. Raises NotFound."""
    if name not in shipped_regimes():
        known = ", ".join(shipped_regimes())
        raise NotFound(f"no regime {name!r} comes with the program; known are {known}")
    file = SHIPPED / f"{name}.toml"
    return parse_toml(name, file.read_text(encoding="utf-8"), file.name)
