"""What no committed file may say: where a package registry is, or where a machine keeps its files.

A lock that names a host works only where that host is reached, and a path of one machine is wrong
on all others. `./dev lint` runs this file; a test runs the same check on text that is wrong.
"""

import re
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

# In pieces, so that this file passes its own check.
_HOSTS = [
    "pypi" + ".org",
    "pythonhosted" + ".org",
    "debian" + ".org/debian",
    "deb.debian" + ".org",
    "security.debian" + ".org",
    "registry.npmjs" + ".org",
]
_TOP_FOLDERS = ["work", "root", "home", "Users", "opt/pypi", "opt/wheels"]

# The look-behind keeps to folders at the top of the file system: docs/work/ is another matter.
FORBIDDEN = re.compile(
    "|".join(
        [*(re.escape(host) for host in _HOSTS), rf"(?<![\w.~)}}\]-])/(?:{'|'.join(_TOP_FOLDERS)})/"]
    )
)

# Only where git does not answer (no git, or a copy without .git).
_NOT_OURS = {".git", ".venv", ".cache", "__pycache__", "build", "dist", "demo-data", "node_modules"}


def committed_files(root: Path = ROOT) -> list[Path]:
    """Files in git, or there after the next `git add`; without git, all but the known caches."""
    try:
        listing = subprocess.run(
            ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=root,
            capture_output=True,
            check=True,
        ).stdout.decode()
        candidates = [root / name for name in listing.split("\0") if name]
    except (OSError, subprocess.CalledProcessError):
        candidates = list(_walk(root))
    return sorted(path for path in candidates if path.is_file())


def _walk(folder: Path) -> Iterator[Path]:
    for path in folder.iterdir():
        if path.name in _NOT_OURS or path.name.endswith(("_cache", ".egg-info")):
            continue
        if path.is_dir():
            yield from _walk(path)
        else:
            yield path


def findings(paths: Iterable[Path]) -> Iterator[str]:
    """One `file:line: what` for each forbidden word in a text file."""
    for path in paths:
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue  # a picture or an archive
        for number, line in enumerate(text.splitlines(), start=1):
            for match in FORBIDDEN.finditer(line):
                yield f"{path}:{number}: names a registry or a machine's path: {match.group()!r}"


def main() -> int:
    found = list(findings(committed_files()))
    for finding in found:
        print(finding)
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
