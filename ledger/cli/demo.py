"""greenledger demo: a synthetic park's year through the whole house, verified.

A finished demo is shown from its summary alone. So that this takes no time, nothing that computes
is imported before there is something to compute.
"""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from ledger.demo.folder import PATHS, Folder
from ledger.demo.texts import LANGUAGES, Language, Texts, default_language
from ledger.errors import InvalidInput


def add_to(app: typer.Typer) -> None:
    app.command("demo")(demo)


def demo(
    directory: Annotated[
        Path, typer.Option("--dir", help="The demo's folder: new, empty or of an earlier demo.")
    ] = Path("greenledger-demo"),
    fresh: Annotated[bool, typer.Option("--fresh", help="Make a finished demo again.")] = False,
    lang: Annotated[str, typer.Option(help="zh or en (default: as LANG says).")] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="One JSON object as the last line.")
    ] = False,
) -> None:
    """Generate a park's year, run the whole path, verify it, and say what came out."""
    texts = Texts(_language(lang))
    folder = Folder(path=directory.absolute())
    state = folder.state()
    summary = folder.summary() if state == "finished" and not fresh else None
    _never_fail_to_print()
    if summary is not None:
        _note(texts, "again.finished")
    else:
        if state == "interrupted":
            _note(texts, "again.interrupted")
        summary = _work(folder, texts)
    if as_json:
        paths = {name: str(folder.path / summary[name]) for name in PATHS}
        sys.stdout.write(json.dumps({**summary, **paths}, ensure_ascii=False) + "\n")
        sys.stdout.flush()
    else:
        from rich.console import Console

        from ledger.demo.show import show

        show(Console(highlight=False), texts, summary, folder.path)
    if not summary["verified"]:
        raise typer.Exit(1)


def _work(folder: Folder, texts: Texts) -> dict[str, Any]:
    try:
        from rich.console import Console

        from ledger.demo.progress import Steps
        from ledger.demo.run import STEP_COUNT, run_demo

        return run_demo(folder, Steps(Console(stderr=True), STEP_COUNT), texts.say)
    except KeyboardInterrupt:
        _note(texts, "stopped")
        raise typer.Exit(130) from None


def _note(texts: Texts, key: str) -> None:
    sys.stderr.write(f"greenledger demo: {texts.say(key)}\n")


def _language(lang: str) -> Language:
    if not lang:
        return default_language()
    for known in LANGUAGES:
        if known == lang:
            return known
    raise InvalidInput(f"--lang {lang!r}: it is one of {', '.join(LANGUAGES)}")


def _never_fail_to_print() -> None:
    """A terminal that lacks a character shows its code instead."""
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
