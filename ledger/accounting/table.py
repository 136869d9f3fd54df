"""One physical period under several regimes, in one table of text, for people. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import Final

from ledger.accounting.account import Account
from ledger.accounting.regime import EMISSIONS

_COLUMNS: Final = ("electricity", "fuel", "conversion", "process", "heat", "refrigerant")
_HEADINGS: Final = (
    ("制度", "regime"),
    ("电力 t", "electricity"),
    ("燃料 t", "fuel"),
    ("转换 t", "conversion"),
    ("过程 t", "process"),
    ("热力 t", "heat"),
    ("制冷剂 t", "refrigerants"),
    ("其他 t", "other"),
    ("合计 t", "total"),
    ("单位", "in"),
    ("占比 %", "share"),
    ("抵消 t（单列）", "offsets, apart"),
    ("状态", "status"),
)


def table(accounts: Sequence[Account]) -> str:
    """Tonnes of each term by regime; beneath it each regime's title, coverage, source and notes."""
    rows = [_row(one) for one in accounts]
    head = [[zh for zh, _ in _HEADINGS], [en for _, en in _HEADINGS]]
    widths = [max(_width(row[place]) for row in (*head, *rows)) for place in range(len(_HEADINGS))]
    lines = [_laid_out(row, widths) for row in (*head, ["-" * width for width in widths], *rows)]
    return "\n".join([*lines, "", *(text for one in accounts for text in _beneath(one))]) + "\n"


def _row(one: Account) -> list[str]:
    rule = one.regime
    share = _percent(one.share["ppm"]) if one.share else "–"
    if rule.figure != EMISSIONS:
        blank = ["–"] * (len(_COLUMNS) + 3)
        return [rule.name, *blank, share, millions(one.offsets["retired_g"]), rule.status]
    has = {*rule.terms, *(["electricity"] if rule.electricity else [])}
    return [
        rule.name,
        *(millions(one.of(name)) if name in has else "–" for name in _COLUMNS),
        millions(one.total.mass_g - one.of(*_COLUMNS)),
        millions(one.total.mass_g),
        "CO2e" if rule.gwp else ", ".join(rule.gases),
        share,
        millions(one.offsets["retired_g"]),
        rule.status,
    ]


def _percent(ppm: int | str) -> str:
    return "–" if isinstance(ppm, str) else f"{ppm // 10_000}.{ppm % 10_000 // 100:02}"


def _beneath(one: Account) -> list[str]:
    rule = one.regime
    found = [f"{rule.name}: {rule.title['zh']} | {rule.title['en']}", f"    {rule.source}"]
    if one.total.coverage:
        found.append(f"    {one.total.label}")
    found += [f"    {note['zh']} | {note['en']}" for note in rule.notes]
    found += [
        f"    {line.title['en']}: {note['zh']} | {note['en']}"
        for line in one.lines
        for note in line.notes
    ]
    for use in one.uses:
        if use.get("substituted"):
            wanted = use["substituted"]["wanted"]
            found.append(
                f"    {use['item']} {use['region']} {use['year']} stands in for"
                f" {wanted['region']} {wanted['year']}: {use['substituted']['reason']}"
            )
    if one.share:
        definition = one.share["definition"]
        found.append(f"    {one.share['set']}: {definition['zh']} | {definition['en']}")
        found += [
            f"    {test['title']['zh']} | {test['title']['en']}: {test['verdict']}"
            for test in one.share["tests"]
        ]
    if one.pending_wh:
        found.append(
            f"    {millions(one.pending_wh)} MWh: 待官方核销 | pending official cancellation"
        )
    return found


def millions(base: int) -> str:
    """`1,234.5`: g in t, or Wh in MWh, with all digits."""
    whole, rest = divmod(abs(base), 1_000_000)
    decimals = f".{rest:06}".rstrip("0") if rest else ""
    return f"{'-' * (base < 0)}{whole:,}{decimals}"


def _width(text: str) -> int:
    """Columns on a terminal: Chinese characters take two."""
    return sum(2 if unicodedata.east_asian_width(one) in "WF" else 1 for one in text)


def _laid_out(row: Sequence[str], widths: Sequence[int]) -> str:
    first, last = 0, len(row) - 1
    cells = [
        text + " " * (width - _width(text))
        if place in (first, last)
        else " " * (width - _width(text)) + text
        for place, (text, width) in enumerate(zip(row, widths, strict=True))
    ]
    return "  ".join(cells).rstrip()
