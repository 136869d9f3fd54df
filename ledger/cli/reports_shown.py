"""Reports of accounting, drawn for people from what they say: the same for a draft and for what was
published. Nothing is computed here; the exact numbers stand in --json."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.cli.output import Output, counted, dates, energy
from ledger.units import parse_instant

Json = Mapping[str, Any]
KINDS: Final[Mapping[str, str]] = {
    "inventory": "温室气体清单 inventory",
    "balance": "园区平衡 park balance",
}
RULES: Final[Mapping[str, str]] = {
    "stated": "the reading's own estimate",
    "parent": "parent meter less siblings",
    "billed": "billed energy",
    "trailing": "highest of 28 days before",
    "run": "highest of the period",
}
# So many regimes are shown line by line, unless that is asked for.
LINES_UP_TO: Final = 2
_T: Final = 1_000_000
_VERDICTS: Final = {"pass": "passes", "fail": "FAILS", "not applicable": "not applicable"}


def show(
    out: Output, content: Json, zone: str, *, names: Mapping[str, str], lines: bool = False
) -> None:
    """A report of kind inventory or balance. `names`: {id of a point: what people call it}."""
    result = content["result"]
    figures: Sequence[Json] = result["regimes"]
    when = dates(parse_instant(result["from"]), parse_instant(result["to"]), zone)
    whose = f"{result['name']} ({result['subject']})"
    out.say(f"{KINDS[content['kind']]}: {whose}, {when}, at log size {content['as_of']}")
    out.say()
    _summary(out, figures)
    if lines or len(figures) <= LINES_UP_TO:
        for one in figures:
            _lines(out, one)
    _indicators(out, figures)
    for one in figures:
        _beneath(out, one)
    for one in result["missing"]:
        out.say(f"{one['id']}: NOT computed: {one['why']}")
    _energy(out, figures, names)
    _quality(out, result)


def both(title: Mapping[str, str]) -> str:
    return f"{title['zh']} {title['en']}"


def _head(title: Mapping[str, str]) -> str:
    """A narrow one: each word on a line of its own."""
    return "\n".join([title["zh"], *title["en"].split()])


def tonnes(g: int | str) -> str:
    return "–" if g == "" else f"{int(g) / _T:,.3f}"


def percent(ppm: int | str) -> str:
    return "–" if ppm == "" else f"{int(ppm) / 10_000:.4f} %"


def _summary(out: Output, figures: Sequence[Json]) -> None:
    emissions = [one for one in figures if one["figure"] == "emissions"]
    titles = {each["id"]: each["title"] for one in emissions for each in one["categories"]}
    out.table(
        "吨 t",
        [
            "制度 regime",
            *(f">{_head(title)}" for title in titles.values()),
            ">合计\ntotal",
            "of",
            ">抵消\noffsets,\napart",
            "status",
        ],
        [
            [
                one["id"],
                *(_category(one, name) for name in titles),
                tonnes(one["total"]["mass_g"]),
                one["total"]["unit"],
                tonnes(one["offsets"].get("retired_g", 0)),
                one["status"],
            ]
            for one in emissions
        ],
    )


def _category(one: Json, name: str) -> str:
    found = [each["mass_g"] for each in one["categories"] if each["id"] == name]
    return tonnes(found[0]) if found else "–"


def _lines(out: Output, one: Json) -> None:
    rows = [*one["lines"], *one["apart"]]
    if not rows:
        return
    out.table(
        f"{one['id']}: {both(one['title'])}",
        ["what", ">quantity", "factor", ">t", "covers", "in total", "official"],
        [
            [
                both(line["title"]),
                _quantity(line),
                _factor(line["factor"]),
                _masses(line),
                ", ".join(line["coverage"]) or "–",
                "yes" if line["counts"] == "total" else "apart",
                _official(line),
            ]
            for line in rows
        ],
    )


def _quantity(line: Json) -> str:
    if line["unit"] == "Wh":
        return energy(int(line["quantity"])) if "." not in line["quantity"] else line["quantity"]
    return f"{line['quantity']} {line['unit']}"


def _factor(use: Any) -> str:
    """`0.8325 kg/kWh (CN 2022, official)`."""
    if not use:
        return "0"
    if "gases" in use:
        return "; ".join(f"{one['gas']} {_factor(one)}" for one in use["gases"])
    if "set" not in use:
        return f"{use['value']} {use['unit']} (own: {use['source']})"
    value = use["value"] or "by the hour"
    place = " ".join(str(part) for part in (use["region"], use["year"]) if part)
    stand_in = ", SUBSTITUTED" if use["substituted"] else ""
    return f"{value} {use['unit']} ({', '.join(x for x in (place, use['status']) if x)}{stand_in})"


def _masses(line: Json) -> str:
    if line["co2e_g"] != "":
        return f"{tonnes(line['co2e_g'])} CO2e"
    return ", ".join(f"{tonnes(g)} {gas}" for gas, g in line["gases_g"].items()) or "0"


def _official(line: Json) -> str:
    if not line["pending_wh"]:
        return "–" if line["unit"] != "Wh" else "final or none needed"
    return f"{energy(line['pending_wh'])} pending official cancellation"


def _indicators(out: Output, figures: Sequence[Json]) -> None:
    rows = [
        [
            one["id"],
            found["id"],
            _value(found),
            "; ".join(_test(test) for test in found.get("tests", ())) or "–",
        ]
        for one, found in _figures_with(figures)
    ]
    if rows:
        out.table("指标 indicators", ["regime", "figure", ">is", "test"], rows)
    said = {
        both(found["definition"]): found["id"].partition("/")[0]
        for _, found in _figures_with(figures)
    }
    for definition, name in said.items():
        out.say(f"{name} = {definition}")
    if said:
        out.say()


def _figures_with(figures: Sequence[Json]) -> list[tuple[Json, Json]]:
    """(regime's figure, indicator) of those that are defined."""
    return [(one, found) for one in figures for found in one["indicators"] if "definition" in found]


def _value(found: Json) -> str:
    if found.get("unit") == "tCO2/tce":
        return "–" if found["ppm"] == "" else f"{found['ppm'] / 1_000_000:.6f} tCO2/tce"
    return percent(found["ppm"])


def _test(test: Json) -> str:
    """`≥ 0.8: FAILS (secondary)`."""
    size = ""
    if test["size_from"] or test["size_to"]:
        size = f" for {test['size_from'] or '0'} to {test['size_to'] or '∞'} tce"
    limit = "≥" if test["limit"] == "least" else "≤"
    return f"{limit} {test['value']}{size}: {_VERDICTS[test['verdict']]} ({test['status']})"


def _beneath(out: Output, one: Json) -> None:
    out.say(
        f"{one['id']}: {both(one['title'])}. {one['status'].capitalize()}, put by {one['author']}:"
        f" {one['source']}"
    )
    if one["total"]["label"]:
        out.say(f"    covers {one['total']['label']}")
    for use in one["factors"]:
        if use.get("substituted"):
            wanted = use["substituted"]["wanted"]
            out.say(
                f"    {use['item']} {use['region']} {use['year']} stands in for"
                f" {wanted['region'] or 'anywhere'} {wanted['year']}:"
                f" {use['substituted']['reason']}"
            )
    for note in one["notes"]:
        out.say(f"    {both(note)}")
    for left in one["left_out"]:
        out.say(
            f"    {left['id']} has no term here: {counted(len(left['records']), 'record')} left out"
        )
    for each in one.get("differences", ()):
        out.say(
            f"    {each['from']} gave {each['out'] or 'nothing'}, {each['to']} got"
            f" {each['in'] or 'nothing'} {each['unit']} of {each['item']}: the two don't agree"
        )
    pending = sum(line["pending_wh"] for line in one["lines"])
    if pending:
        out.say(f"    {energy(pending)}: 待官方核销 pending official cancellation")


def _energy(out: Output, figures: Sequence[Json], names: Mapping[str, str]) -> None:
    """The park's electricity, which is the same under each regime."""
    found: Json = next((one["energy"] for one in figures if one.get("energy")), {})
    if not found:
        return
    rows = [
        ["用电 consumption", energy(found["consumption_wh"])],
        ["下网 grid import", _known(found["grid_import_wh"])],
        ["上网 grid export", _known(found["grid_export_wh"])],
        ["计费 billed", _known(found["billed_wh"])],
        ["计费减计量 billed less metered", _known(found["billed_less_metered_wh"])],
        ["充电 charged", energy(found["charged_wh"])],
        ["放电 discharged", energy(found["discharged_wh"])],
        ["储能损耗 storage losses", energy(found["storage_loss_wh"])],
        *(
            [f"线损变损 losses under {names.get(one['id'], one['id'])}", energy(one["loss_wh"])]
            for one in found["losses"]
        ),
    ]
    out.table("电力 electricity of the park", ["what", ">is"], rows)
    if found["generation"]:
        out.table(
            "发电 generation",
            ["plant", "technology", ">generated", ">self", ">direct", ">charged", ">to the grid"],
            [
                [
                    names.get(one["id"], one["id"]),
                    one["technology"] or "–",
                    *(energy(one[f"{name}_wh"]) for name in _FLOWS),
                ]
                for one in found["generation"]
            ],
        )


_FLOWS: Final = ("generated", "self", "direct", "charged", "export")


def _known(wh: int | str) -> str:
    return "not metered" if wh == "" else energy(int(wh))


def _quality(out: Output, result: Json) -> None:
    """What is unfinished, estimated, spread, cut or pending: said beside every figure."""
    if parse_instant(result["log_time"]) < parse_instant(result["to"]):
        out.say(
            f"期间未结束 The period is not over: the log's time is {result['log_time']}; what comes"
            " later is estimated like any gap"
        )
    for one in result["quality"]:
        for each in one["estimated"]:
            out.say(
                f"{one['id']}: {energy(each['wh'])} estimated, by {RULES[each['rule']]}; estimates"
                " stay in the consumption"
            )
        if one["profiled_wh"]:
            out.say(
                f"{one['id']}: {energy(one['profiled_wh'])} of the consumption were spread from"
                " longer intervals: figures by the hour rest on that"
            )
        waiting = [claim for claim in one["claims"] if claim["status"] != "final"]
        if waiting:
            out.say(
                f"{one['id']}: {len(waiting)} of {counted(len(one['claims']), 'claim')}"
                " 待官方核销 pending official cancellation"
            )
        for claim in one["claims"]:
            if claim["flag"] == "short":
                out.say(
                    f"{one['id']}: claim {claim['id'][:12]} is short: it says more than the meters"
                    " do now"
                )
    for cut in result["cuts"]:
        much = f"{energy(cut['wh'])} of " if cut["wh"] else ""
        out.say(f"Not counted: {much}{cut['what']} {cut['id'][:12]}: {cut['why']}")


def show_changes(out: Output, changes: Json) -> None:
    """What differs from the version before, and which entries made it so."""
    out.table(
        "Changes",
        ["what", ">before", ">after"],
        [[one["path"], _short(one["before"]), _short(one["after"])] for one in changes["lines"]],
    )
    out.table(
        "Because of",
        [">entry", "type", "", "reason"],
        [
            [str(one["entry"]), one["type"], one["how"], one["reason"] or "–"]
            for one in changes["because"]
        ],
    )


def _short(value: Any) -> str:
    text = f"{value:,}" if isinstance(value, int) else str(value)
    return text if len(text) <= 60 else f"{text[:57]}…"
