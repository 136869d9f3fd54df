"""What people see: both languages, in 80 columns."""

import re
import string

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ledger.demo.texts import LANGUAGES, TEXTS, Language, Texts, default_language
from ledger.demo.wrapping import wrap
from tests.demo.running import Demo, start


@pytest.mark.parametrize("key", TEXTS)
def test_both_languages_say_the_same_things(key: str) -> None:
    english, chinese = TEXTS[key]
    assert fields(english) == fields(chinese)
    assert not re.search(r"[\u2e80-\uffff]", english)


def fields(text: str) -> list[str]:
    return sorted(name for _, name, _, _ in string.Formatter().parse(text) if name)


def test_language_of_the_locale(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    assert default_language() == "en"
    monkeypatch.setenv("LANG", "zh_CN.UTF-8")
    assert default_language() == "zh"
    monkeypatch.setenv("LC_ALL", "C")
    assert default_language() == "en"


def test_unknown_language_is_told(demo: Demo) -> None:
    done = start("--dir", str(demo.folder), "--lang", "fr")
    assert done.returncode == 2
    assert "one of en, zh" in done.stderr


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_summary_fits_and_says_what_matters(demo: Demo, language: Language) -> None:
    done = start("--dir", str(demo.folder), "--lang", language)
    assert done.returncode == 0
    say = Texts(language).say
    shown = "".join(done.stdout.split())
    for key in (
        "energy",
        "shares",
        "quality",
        "claims",
        "units",
        "evidence",
        "next",
        "verified.yes",
        "evidence.open",
    ):
        assert "".join(say(key).split()) in shown, key
    assert "".join(say("label", seed=demo.answer["seed"]).split()) in shown
    matched = demo.answer["matched_wh"]["quarter_hour"] * 100 / demo.answer["consumption_wh"]
    assert f"{matched:.1f} %" in done.stdout
    assert "…" not in done.stdout.partition(say("next"))[0]
    size = f"{demo.answer['log_size']:,}"
    assert "".join(say("claims.single_use", size=size).split()) in shown
    assert demo.answer["seed_of_samples"] in shown
    assert "".join(demo.answer["claimed_again"]["why"].split()) in shown
    for one in demo.answer["units"]["refusals"]:
        what = say(f"refused.{one['key']}")
        assert "".join(say("refused", what=what).split()) in shown, one["key"]
    assert "".join(demo.answer["checks"][-1]["failed"][language][1].split()) in shown
    # Commands, keys and paths stay on one line, to be copied.
    told, _, commands = done.stdout.partition(say("next"))
    long = [line for line in told.splitlines() if cell_len(line) > 80]
    assert all(str(demo.folder) in line or demo.answer["vkey"] in line for line in long)
    assert commands.count("greenledger") >= 8


@given(
    st.text(alphabet="ab 12,.绿电，。（） %", max_size=200),
    st.integers(min_value=12, max_value=40),
)
def test_wrapping_loses_nothing(text: str, width: int) -> None:
    lines = wrap(text, width)
    assert "".join("".join(lines).split()) == "".join(text.split())
    for line in lines:
        assert line == line.strip()
        # One piece without a place to break may stand out.
        assert cell_len(line) <= width or len(re.findall(r"[ 绿电]", line)) <= 1


def test_wrapping_of_chinese() -> None:
    text = "按年匹配，园区绿电比例为 96.6 %；按 15 分钟匹配，仅为 66.5 %。"
    assert wrap(text, 30) == [
        "按年匹配，园区绿电比例为",
        "96.6 %；按 15 分钟匹配，仅为",
        "66.5 %。",
    ]
