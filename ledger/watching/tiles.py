"""Published tiles, compared with those that follow from the entries."""

from __future__ import annotations

from collections.abc import Sequence

from greenledger_verify.tiles import TileName
from ledger.errors import Corrupt
from ledger.watching.published import Missing, PublishedLog


class Tiles:
    """Takes tiles as they should be; `wrong`: paths of those that are not, and why."""

    def __init__(self, log: PublishedLog) -> None:
        self._log = log
        self.wrong: dict[str, str] = {}

    def __call__(self, name: TileName, hashes: Sequence[bytes]) -> None:
        assert name.level is not None
        self.wrong.pop(name.path, None)
        try:
            given = self._log.tile(name.level, name.number, name.width)
        except (Missing, Corrupt) as error:
            self.wrong[name.path] = str(error)
            return
        for place, (one, computed) in enumerate(zip(given, hashes, strict=True)):
            if one != computed:
                self.wrong[name.path] = (
                    f"{self._log.name}/{name.path}: hash {place} does not follow from the entries"
                )
                return
