"""An invented capture plant's quarter: what its scales would have shown, hour by hour, in g."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np

from ledger.demo.park import SEED, Int64
from ledger.units import HOUR_S, Period, parse_instant

# The last quarter of the year in park time.
QUARTER: Final = Period(
    start_s=parse_instant("2025-09-30T16:00:00Z"), end_s=parse_instant("2025-12-31T16:00:00Z")
)
HOURS: Final = QUARTER.length_s // HOUR_S
_OUTAGE_H: Final = range(1_130, 1_178)
_ZONE_S: Final = 8 * HOUR_S


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Capture:
    """int64[2208] each, g: at the stack, into the pipe, into the ground."""

    captured_g: Int64
    pipeline_g: Int64
    injected_g: Int64


def make_capture(seed: int = SEED) -> Capture:
    """The same seed gives the same masses, in whole kg as the scales show them."""
    # Numbers of its own: the park's are the same with and without this plant.
    rng = np.random.default_rng([seed, 12])
    captured_kg = np.rint(1_180 + 90 * rng.standard_normal(HOURS)).astype(np.int64)
    captured_kg[list(_OUTAGE_H)] = 0
    pipeline_kg = captured_kg - captured_kg * 2 // 1_000
    injected_kg = pipeline_kg - pipeline_kg * 5 // 10_000
    return Capture(
        captured_g=captured_kg * 1_000,
        pipeline_g=pipeline_kg * 1_000,
        injected_g=injected_kg * 1_000,
    )


def write_capture(label: str, path: Path) -> None:
    found = make_capture()
    local_s = np.arange(QUARTER.start_s, QUARTER.end_s, HOUR_S) + _ZONE_S
    stamps = np.datetime_as_string(local_s.astype("datetime64[s]"), unit="m").tolist()
    masses = zip(
        *(
            (one // 1_000).tolist()
            for one in (found.captured_g, found.pipeline_g, found.injected_g)
        ),
        strict=True,
    )
    rows = [
        f"{stamp.replace('T', ' ')},{','.join(map(str, row))}"
        for stamp, row in zip(stamps, masses, strict=True)
    ]
    text = "\n".join([f'"{label}"', "time,captured_kg,pipeline_kg,injected_kg", *rows])
    path.write_text(text + "\n", encoding="utf-8")
