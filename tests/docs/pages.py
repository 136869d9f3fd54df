"""What the tests of documents read: pages, their code words, their tables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
DOCS = ROOT / "docs"


def read(name: str) -> str:
    """A page of docs/ by its name."""
    return (DOCS / name).read_text(encoding="utf-8")


def prose(markdown: str) -> str:
    """The page without fenced and indented blocks."""
    unfenced = re.sub(r"^```.*?^```$", "", markdown, flags=re.MULTILINE | re.DOTALL)
    return "\n".join(line for line in unfenced.splitlines() if not line.startswith("    "))


def code_words(markdown: str) -> list[str]:
    """What stands in backticks, in the order of the page."""
    return re.findall(r"`([^`\n]+)`", markdown)


def section(markdown: str, heading: str) -> str:
    """The text under the heading that begins with `heading`, up to the next one of its rank."""
    found = re.search(rf"^(#+) {re.escape(heading)}.*$", markdown, flags=re.MULTILINE)
    assert found, f"no heading {heading!r}"
    rank = len(found[1])
    following = re.compile(rf"^#{{1,{rank}}} ", flags=re.MULTILINE).search(markdown, found.end())
    return markdown[found.end() : following.start() if following else None]


def tables(markdown: str) -> list[list[list[str]]]:
    """Each table as rows of cells; its head is the first row, the rule below it is left out."""
    found: list[list[list[str]]] = []
    inside = False
    for line in markdown.splitlines():
        if not line.startswith("|"):
            inside = False
            continue
        if not inside:
            found.append([])
            inside = True
        if not re.fullmatch(r"\|[ :|-]+\|", line):
            found[-1].append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def read_root(name: str) -> str:
    """A page beside docs/."""
    return (ROOT / name).read_text(encoding="utf-8")
