"""What readings of a point may be, whoever asks: the log, and a gateway before it signs. Pure."""

from __future__ import annotations

from typing import Final

import numpy as np

from ledger.errors import Refused
from ledger.metering.batches import Block
from ledger.metering.points import Point
from ledger.units import HOUR_S, format_instant

# 30 GW. Sums of a run stay in the integers of JSON (2^53), or no run could be written any more.
WH_PER_S_MAX: Final = 2**23


def check_readings(master: Point, block: Block, zone_s: int) -> None:
    """Length, grid and values of a block of the point. Raises Refused.

    `zone_s`: seconds that park time is ahead of UTC.
    """
    if master.interval_s and block.length_s != master.interval_s:
        raise Refused(
            f"point {master.name!r} is read every {master.interval_s} s, the block's intervals"
            f" have {block.length_s} s"
        )
    # Park time, as meters and files have it: in India hours begin at half past, by UTC.
    local_s = block.start_s + zone_s
    if master.interval_s and local_s % min(master.interval_s, HOUR_S):
        raise Refused(
            f"point {master.name!r}: an interval starts at {format_instant(block.start_s)}, off the"
            f" grid of {master.interval_s} s in park time"
        )
    if master.measure == "additive" and int(block.value.min()) < 0:
        place = int(np.argmax(block.value < 0))
        at = format_instant(block.start_s + place * block.length_s)
        raise Refused(
            f"point {master.name!r}: {int(block.value[place])} {master.unit} at {at}; an additive"
            " quantity is not negative (an import profile may clip it, with a flag)"
        )
    most_wh = block.length_s * WH_PER_S_MAX
    if master.unit == "Wh" and int(block.value.max()) > most_wh:
        place = int(np.argmax(block.value > most_wh))
        at = format_instant(block.start_s + place * block.length_s)
        raise Refused(
            f"point {master.name!r}: {int(block.value[place])} Wh in {block.length_s} s at {at} is"
            " more than any meter reads (30 GW): check its unit"
        )
