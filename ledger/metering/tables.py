"""The effective series as Parquet, one row for each interval, for SQL and notebooks."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from ledger.db import reading
from ledger.errors import InvalidInput
from ledger.metering import store
from ledger.metering.effective import Effective, effective
from ledger.metering.service import find_points, points_by_name
from ledger.parties.desk import Desk

SCHEMA = pa.schema(
    [
        ("point", pa.dictionary(pa.int32(), pa.string())),
        ("start", pa.timestamp("s", tz="UTC")),
        ("length_s", pa.int32()),
        ("value", pa.int64()),
        ("unit", pa.dictionary(pa.int32(), pa.string())),
        ("quality", pa.uint16()),
        ("entry", pa.int64()),
    ]
)


def export_parquet(
    desk: Desk, path: Path, *, names: Sequence[str] = (), as_of: int | None = None
) -> int:
    """Write the effective readings of the named points (all by default); returns the rows."""
    if path.exists():
        raise InvalidInput(f"{path} exists; give a new file")
    rows = 0
    with reading(desk.engine) as conn, pq.ParquetWriter(path, SCHEMA) as writer:
        chosen = (
            find_points(conn, desk.log.log_id, names)
            if names
            else [found for _, found in sorted(points_by_name(conn, desk.log.log_id).items())]
        )
        for found in chosen:
            span = store.span_of(conn, desk.log.log_id, found.point, as_of)
            if span is None:
                continue
            start_s, end_s = span
            for item in effective(
                conn, desk.log.log_id, found.point, start_s=start_s, end_s=end_s, as_of=as_of
            ):
                writer.write_table(_table(item, found.master.name, found.master.unit))
                rows += len(item.series)
    return rows


def _table(item: Effective, name: str, unit: str) -> pa.Table:
    series = item.series
    same = np.zeros(len(series), dtype=np.int32)
    columns = [
        pa.DictionaryArray.from_arrays(same, [name]),
        pa.array(series.start_s, pa.timestamp("s", tz="UTC")),
        pa.array(np.full(len(series), series.length_s, dtype=np.int32)),
        pa.array(series.value),
        pa.DictionaryArray.from_arrays(same, [unit]),
        pa.array(series.quality),
        pa.array(item.entry_index),
    ]
    return pa.Table.from_arrays(columns, schema=SCHEMA)
