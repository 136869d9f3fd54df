"""Packs taken apart and put together again by hand, wrong on purpose."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

Files = list[tuple[str, bytes]]


def files_of(path: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(path) as archive:
        return {name: archive.read(name) for name in archive.namelist()}


def put_together(path: Path, files: Files) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(info, data)
    return path


def broken(path: Path, change: Callable[[dict[str, bytes]], object]) -> Path:
    """The pack with its files changed by `change`."""
    files = files_of(path)
    change(files)
    return put_together(path, list(files.items()))


def manifest(files: dict[str, bytes]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(files["manifest.json"])
    return found


def with_manifest(files: dict[str, bytes], said: dict[str, Any]) -> None:
    text = json.dumps(said, ensure_ascii=False, separators=(",", ":"))
    files["manifest.json"] = text.encode() + b"\n"
