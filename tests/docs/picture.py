"""Remake docs/img/demo*.svg from a finished demo: `python -m tests.docs.picture FOLDER`.

A picture of what the demo really printed: the table of shares, the claims, and what is said below.
"""

from __future__ import annotations

import io
import re
import sys
from pathlib import Path

from rich.console import Console
from rich.rule import Rule
from rich.text import Text

from ledger.demo import printing, show, show_units
from ledger.demo.folder import Folder
from ledger.demo.texts import Texts
from tests.docs.pages import DOCS

COLUMNS = 80
NAMES = {"en": "demo.svg", "zh": "demo.zh-CN.svg"}
# rich's own format fetches a font from a server; a picture should not.
FORMAT = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" role="img">
<style>
.{unique_id}-matrix {{ font-family: ui-monospace, "DejaVu Sans Mono", Menlo, Consolas, \
"Noto Sans Mono CJK SC", monospace; font-size: {char_height}px; line-height: {line_height}px; }}
.{unique_id}-title {{ font-size: 18px; font-weight: bold; font-family: sans-serif; }}
{styles}
</style>
<defs>
<clipPath id="{unique_id}-clip-terminal">\
<rect x="0" y="0" width="{terminal_width}" height="{terminal_height}"/></clipPath>
{lines}
</defs>
{chrome}
<g transform="translate({terminal_x}, {terminal_y})" clip-path="url(#{unique_id}-clip-terminal)">
{backgrounds}
<g class="{unique_id}-matrix">
{matrix}
</g>
</g>
</svg>
"""


def picture(folder: Folder, language: str) -> str:
    summary = folder.summary()
    assert summary is not None, f"{folder.path} holds no finished demo"
    texts = Texts("zh" if language == "zh" else "en")
    console = Console(
        record=True, width=COLUMNS, file=io.StringIO(), force_terminal=True, highlight=False
    )
    console.print(Rule(texts.say("title", year=summary["year"]), style="green"))
    label = texts.say("label", seed=summary["seed"])
    console.print(Text(label, style="bold yellow"), justify="center")
    printing.heading(console, texts.say("shares"))
    console.print(show._shares_table(texts, summary))
    for line in show._share_lines(texts, summary):
        printing.paragraph(console, line)
    printing.heading(console, texts.say("claims"))
    show._show_claims(console, texts, summary)
    printing.heading(console, texts.say("units"))
    console.print(show_units._claims_table(texts, summary["claims"]))
    printing.paragraph(console, texts.say("units.bound"))
    svg = console.export_svg(title="./dev demo", code_format=FORMAT, unique_id="demo")
    return re.sub(r"[ \t]+$", "", svg, flags=re.MULTILINE)


def main() -> None:
    folder = Folder(path=Path(sys.argv[1]).absolute())
    for language, name in NAMES.items():
        (DOCS / "img" / name).write_text(picture(folder, language), encoding="utf-8")


if __name__ == "__main__":
    main()
