"""Scorecards for people, in Chinese, in English, or both."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final

from ledger.cli.output import Output, park_date, park_time
from ledger.errors import InvalidInput
from ledger.scorecard.answers import ANSWERS, CLOSED, GAP, MET, NONE, NOT_MET, PARTLY
from ledger.scorecard.standard import OBLIGATIONS, Standard
from ledger.units import parse_instant

LANGUAGES: Final = ("zh", "en", "both")
_MARKS: Final = {MET: "✓", PARTLY: "◐", NOT_MET: "✗", GAP: "○", NONE: "–"}
_WORDS: Final[Mapping[str, Mapping[str, str]]] = {
    MET: {"zh": "符合", "en": "met"},
    PARTLY: {"zh": "部分", "en": "partly"},
    NOT_MET: {"zh": "不符合", "en": "not met"},
    GAP: {"zh": "缺口", "en": "gap"},
    NONE: {"zh": "不适用", "en": "not applicable"},
    "all": {"zh": "全部", "en": "all"},
    "shall": {"zh": "应", "en": "shall"},
    "should": {"zh": "宜", "en": "should"},
    "may": {"zh": "可", "en": "may"},
    "computed": {"zh": "计算", "en": "computed"},
    "evidence": {"zh": "证据", "en": "evidence"},
    "expired": {"zh": "已失效", "en": "expired"},
    "not-yet": {"zh": "未生效", "en": "not valid yet"},
    "verifier": {"zh": "第三方", "en": "verifier"},
    "title": {"zh": "条款", "en": "clause"},
    "answer": {"zh": "结果", "en": "answer"},
    "value": {"zh": "数值", "en": "value"},
    "asked": {"zh": "要求", "en": "asked"},
    "by": {"zh": "依据", "en": "by"},
    "closes": {"zh": "如何补齐", "en": "what would close it"},
}


def require_language(language: str) -> None:
    """Raises InvalidInput."""
    if language not in LANGUAGES:
        raise InvalidInput(f"--language is {language!r}; it is one of {', '.join(LANGUAGES)}")


def said(texts: Mapping[str, str], language: str, between: str = " ") -> str:
    if language != "both":
        return texts[language]
    return between.join(dict.fromkeys((texts["zh"], texts["en"])))


def _word(name: str, language: str) -> str:
    return said(_WORDS[name], language)


def show(out: Output, content: Mapping[str, Any], zone: str, language: str) -> None:
    result = content["result"]
    _head(out, content, zone, language)
    out.table(
        "",
        ["", *(f">{_MARKS[one]} {_word(one, language)}" for one in ANSWERS), ">Σ"],
        [
            [_word(row["id"], language), *(str(row[one]) for one in ANSWERS), str(row["clauses"])]
            for row in result["summary"]
            if row["clauses"]
        ],
    )
    titles = {one["id"]: one["title"] for one in result["sections"]}
    for section, clauses in _by_section(result["clauses"]):
        title = said(titles[section], language) if section in titles else ""
        out.table(
            f"{section} {title}".strip(),
            ["", *(_word(one, language) for one in ("title", "answer", "value", "asked", "by"))],
            [_row(one, language, zone) for one in clauses],
        )
    _foot(out, result, language)


def _head(out: Output, content: Mapping[str, Any], zone: str, language: str) -> None:
    result = content["result"]
    standard = result["standard"]
    out.say(said(standard["title"], language, between=" · "))
    out.say(f"{standard['source']} — {standard['status']}")
    if standard["entry"] == "":
        out.say("As it came with the program; the log has no such standard yet.")
    regimes = ", ".join(f"{one['id']}: {one['regime']}" for one in result["regimes"])
    out.say(
        f"{result['name']}, {result['period']}; judged at"
        f" {park_time(parse_instant(result['judged_at']), zone)} ({zone}), log size"
        f" {content['as_of']}; direct supply from region"
        f" {result['direct_region'] or 'none given'}; regimes {regimes}"
    )
    out.say()


def _by_section(
    clauses: Sequence[Mapping[str, Any]],
) -> Iterable[tuple[str, list[Mapping[str, Any]]]]:
    found: dict[str, list[Mapping[str, Any]]] = {}
    for one in clauses:
        found.setdefault(one["section"], []).append(one)
    return found.items()


def _row(one: Mapping[str, Any], language: str, zone: str) -> list[str]:
    return [
        f"{_MARKS[one['answer']]} {one['id']}",
        f"{said(one['title'], language, between=chr(10))}",
        _word(one["answer"], language),
        _amount(one["value"], one["unit"]),
        _threshold(one["threshold"], one["obligation"], language),
        _by(one, language, zone),
    ]


def _amount(value: str, unit: str) -> str:
    return f"{value} {unit}" if value else ""


def _threshold(threshold: Any, obligation: str, language: str) -> str:
    word = _word(obligation, language)
    if not threshold:
        return word
    return f"{word} {threshold['op']} {threshold['value']} {threshold['unit']}"


def _by(one: Mapping[str, Any], language: str, zone: str) -> str:
    """How it was answered; of documents who signed, and until when they are valid."""
    lines = [_word(one["by"], language)] if one["by"] else []
    for found in one["evidence"]:
        state = "" if found["state"] == "valid" else f", {_word(found['state'], language)}"
        ends = found["valid_until"]
        until = f" → {park_date(parse_instant(ends), zone)}" if ends else ""
        role = f" ({_word('verifier', language)})" if found["independent"] else ""
        lines.append(f"{found['signed_by']}{role}{until}{state}")
    return "\n".join(lines)


def _foot(out: Output, result: Mapping[str, Any], language: str) -> None:
    for one in result["clauses"]:
        if one["answer"] != GAP and one["definition"]:
            regime = f" [{one['regime']}]" if one["regime"] else ""
            out.say(f"{one['id']}{regime}: {said(one['definition'], language, between=' | ')}")
    for one in result["unanswerable"]:
        out.say(f"Document {one['id']} is about clause {one['clause']}, which the standard lacks.")
    out.say()
    for note in result["notes"]:
        out.say(f"* {note['clause']} {said(note, language, between=' | ')}".replace("  ", " "))
    out.say()


def show_gaps(
    out: Output, content: Mapping[str, Any], zone: str, language: str
) -> list[dict[str, Any]]:
    """What is open, by obligation; returns it for --json."""
    _head(out, content, zone, language)
    found = [one for one in content["result"]["clauses"] if one["answer"] not in CLOSED]
    for obligation in OBLIGATIONS:
        some = [one for one in found if one["obligation"] == obligation]
        if some:
            out.table(
                f"{_word(obligation, language)}: {len(some)}",
                ["", *(_word(name, language) for name in ("title", "answer", "closes"))],
                [_gap_row(one, language) for one in some],
            )
    return [
        {
            name: one[name]
            for name in ("id", "title", "obligation", "answer", "value", "unit", "why", "closes")
        }
        for one in found
    ]


def _gap_row(one: Mapping[str, Any], language: str) -> list[str]:
    reached = _amount(one["value"], one["unit"])
    closes = said(one["closes"], language, between="\n")
    why = said(one["why"], language, between="\n") if one["why"] else ""
    return [
        f"{_MARKS[one['answer']]} {one['id']}",
        said(one["title"], language, between="\n"),
        f"{_word(one['answer'], language)} {reached}".strip(),
        f"{closes}\n({why})" if why else closes,
    ]


def show_standards(out: Output, found: Sequence[tuple[str, Standard, int | None]]) -> None:
    out.table(
        "Standards",
        ["name", "title", "source", "status", ">lines", "in the log"],
        [
            [
                name,
                said(one.title.to_json(), "both", between="\n"),
                one.source,
                one.status,
                str(len(one.clauses)),
                "no: it came with the program" if entry is None else f"entry {entry}",
            ]
            for name, one, entry in found
        ],
    )
