"""What the demo's summary says of emissions: an enterprise, the park, a product, a pack."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from rich.console import Console
from rich.padding import Padding
from rich.text import Text

from ledger.demo.printing import (
    INDENT,
    bullet,
    energy,
    paragraph,
    percent,
    plain_table,
    verdict,
)
from ledger.demo.texts import Texts

Summary = Mapping[str, Any]
_PPM = 1_000_000


def show_figures(console: Console, texts: Texts, summary: Summary) -> None:
    say, found = texts.say, summary["figures"]
    console.print(_regimes_table(texts, found))
    paragraph(console, say("figures.one", count=len(found["regimes"])))
    park, product = found["park"], found["product"]
    bullet(
        console,
        say(
            "figures.park",
            intensity=f"{park['intensity']['ppm'] / _PPM:.4f}",
            intensity_regime=park["intensity"]["regime"],
            share=percent(park["share"]["ppm"], _PPM),
            share_regime=park["share"]["regime"],
        ),
    )
    answers = {name.replace("-", "_"): count for name, count in found["scorecard"].items()}
    bullet(console, say("figures.scorecard", **answers))
    bullet(
        console,
        say(
            "figures.product",
            unit=product["unit"],
            name=product["name"][texts.language],
            kg=product["kg_co2e"],
            claimed=energy(product["claimed_wh"]),
        ),
    )
    _show_pack(console, texts, summary)


def _regimes_table(texts: Texts, found: Summary) -> Padding:
    say = texts.say
    table = plain_table()
    table.add_column(say("col.regime", enterprise=found["enterprise"]), no_wrap=True)
    table.add_column(say("col.tonnes"), justify="right", no_wrap=True)
    for name in ("of", "covers", "status"):
        table.add_column(say(f"col.{name}"), no_wrap=True)
    for one in found["regimes"]:
        table.add_row(
            one["regime"],
            Text(f"{one['mass_g'] / 1e6:,.3f}", style="bold"),
            one["unit"],
            one["coverage"] or "–",
            say(f"status.{one['status']}"),
        )
    return Padding(table, (0, 0, 0, INDENT), expand=False)


def _show_pack(console: Console, texts: Texts, summary: Summary) -> None:
    say, path = texts.say, summary["figures"]["pack"]
    if not path:
        bullet(console, say("figures.no_pack"))
        return
    (check,) = [one for one in summary["checks"] if one["subject"] == "pack"]
    good = check["as_expected"]
    said = (
        say("figures.pack", path=path, steps=check["steps"])
        if good
        else say("check.wrong", why=check["why"])
    )
    verdict(console, said, good=good)
