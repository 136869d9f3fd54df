"""README's tour works when it is typed, and no page links to what is not there."""

from __future__ import annotations

import re
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.docs.pages import DOCS, ROOT, read_root, section

READMES = ["README.md", "README.zh-CN.md"]
PAGES = [
    *(ROOT / name for name in (*READMES, "CHANGELOG.md")),
    *sorted(DOCS.rglob("*.md")),
]


@pytest.mark.long
def test_the_tour(tmp_path: Path, commands: Path) -> None:
    """Both languages show the same commands (tests/house/test_readme.py), so one is typed."""
    text = section(read_root("README.md"), "Your own ledger")
    blocks = re.findall(r"^```sh\n(.*?)^```", text, flags=re.MULTILINE | re.DOTALL)
    assert len(blocks) == 12
    in_chinese = (
        'greenledger-verify evidence mill.evidence.json --log public --vkey "$VKEY" --lang zh'
    )
    script = "set -e\n" + "".join(blocks) + in_chinese
    # Certificates are valid for a time, the test for longer: the tour is of last year at the least.
    year = max(2026, datetime.now(UTC).year - 1)
    script = re.sub(r"\b2026\b", str(year), re.sub(r"\b2027\b", str(year + 1), script))
    # Where the reader's own things stand in the text: the environment, and a folder beside us.
    for word, place in (("$PWD/.venv/bin", commands), ("../my-park", tmp_path)):
        assert word in script
        script = script.replace(word, str(place))
    done = subprocess.run(
        ["sh"],
        input=script,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={"PATH": "/usr/bin:/bin", "LANG": "C.UTF-8", "HOME": str(tmp_path)},
    )
    assert done.returncode == 0, done.stdout + done.stderr
    # What the page says that one sees.
    for said in ("83.3333 %", "100.0000 %", "gave 10,000 Wh of the point roof to the point mill"):
        assert said in " ".join(text.split())
        assert said in done.stdout
    assert "All holds" in done.stdout
    assert "not twice" in done.stdout
    assert "a kWh is claimed once" in done.stderr
    assert "used once" in done.stdout
    assert "5 units of gec" in done.stdout
    figures = re.findall(r"^    (\S+ .* (?:secondary|unverified))$", text, flags=re.MULTILINE)
    assert len(figures) == 5
    assert set(figures) <= {line.strip() for line in done.stdout.splitlines()}
    assert "0.345614" in done.stdout
    assert "0.345614" in text

    answers = {page: lines_of_the_verifier(page) for page in READMES}
    assert [len(lines) for lines in answers.values()] == [5, 5]
    for lines in answers.values():
        assert set(lines) <= set(done.stdout.splitlines())


def lines_of_the_verifier(page: str) -> list[str]:
    """What a README shows of the answer about evidence."""
    return re.findall(r"^    (\S.*?(?:: |：).*)$", read_root(page), flags=re.MULTILINE)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\(([^)\s]+)\)", page.read_text(encoding="utf-8")):
        if not target.startswith("https://"):
            assert (page.parent / target.partition("#")[0]).exists(), target
