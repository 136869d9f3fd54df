"""Readings as they come over HTTP: JSON, NDJSON, CSV, Parquet → Series, all columns at once.

One shape in four formats (docs/api.md): a reading has `point` (its name), `start` (an instant, UTC)
or `start_s` (Unix seconds), `value` (an integer in the point's base unit), and optionally
`length_s` (else the point's own) and `quality` (bits of docs/formats.md §3.3). JSON has it by
point, as arrays. No repair is made here: who has such data imports files with a profile.
"""

from __future__ import annotations

import io
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any, Final

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.csv
import pyarrow.json
import pyarrow.parquet
from numpy.typing import NDArray

from ledger.errors import InvalidInput
from ledger.metering.quality import ALL_FLAGS
from ledger.metering.series import Series
from ledger.metering.unpacking import check_parquet
from ledger.units import format_instant, parse_instant

JSON: Final = "application/json"
NDJSON: Final = "application/x-ndjson"
CSV: Final = "text/csv"
PARQUET: Final = "application/vnd.apache.parquet"
MEDIA: Final = (JSON, NDJSON, CSV, PARQUET)

_TYPES: Final = {
    "point": pa.string(),
    "start": pa.string(),
    "start_s": pa.int64(),
    "value": pa.int64(),
    "length_s": pa.int64(),
    "quality": pa.int64(),
}
_MEMBERS: Final = frozenset({"point", "start", "start_s", "values", "length_s", "quality"})
# From here on times are not what any ledger holds: the year 10000.
_END_S: Final = 253_402_300_800
_LENGTH_S_MAX: Final = 366 * 86_400

LengthsOf = Callable[[Collection[str]], Mapping[str, int]]


def read_payload(media: str, data: bytes, lengths_of: LengthsOf) -> list[Series]:
    """Series by point, each in the order of time. `lengths_of(points)`: seconds of the interval
    of each.

    Raises InvalidInput for what is no such table, and for a time given twice.
    """
    if media == JSON:
        return _from_json(data, lengths_of)
    reader = {NDJSON: _ndjson, CSV: _csv, PARQUET: _parquet}[media]
    try:
        table = reader(data)
        # Texts of NDJSON and names of columns may be no UTF-8; damaged pages come as such texts,
        # and as indexes beyond their dictionary.
        table.validate(full=True)
        table.column_names  # noqa: B018 - read for the error that it may raise
    except (pa.ArrowException, OSError, UnicodeDecodeError) as error:
        said = str(error).partition("\n")[0][:200]
        raise InvalidInput(f"the readings are no {media} that can be read: {said}") from error
    return _from_table(table, lengths_of)


def _from_json(data: bytes, lengths_of: LengthsOf) -> list[Series]:
    try:
        found = orjson.loads(data)
    except orjson.JSONDecodeError as error:
        raise InvalidInput(f"the readings are no JSON: {error}") from error
    if not isinstance(found, dict) or set(found) != {"readings"}:
        raise InvalidInput("the readings are an object with the one member 'readings'")
    if not isinstance(found["readings"], list):
        raise InvalidInput("readings is an array of objects, one for each run of intervals")
    runs = list(enumerate(found["readings"]))
    lengths_s = lengths_of({_name_of(number, one) for number, one in runs})
    return _joined(_run(number, one, lengths_s[one["point"]]) for number, one in runs)


def _name_of(number: int, one: Any) -> str:
    where = f"readings[{number}]"
    if not isinstance(one, dict):
        raise InvalidInput(f"{where} is no object")
    unknown = sorted(set(one) - _MEMBERS)
    if unknown or not {"point", "values"} <= set(one):
        raise InvalidInput(
            f"{where}: members are point, start or start_s, values, and optionally length_s and"
            f" quality{f'; unknown: {unknown}' if unknown else ''}"
        )
    if not isinstance(one["point"], str):
        raise InvalidInput(f"{where}: point is the name of a point")
    return one["point"]


def _run(number: int, one: Mapping[str, Any], standard_s: int) -> Series:
    """`{"point", "start", "values": […]}`: adjoining intervals of one point."""
    where = f"readings[{number}]"
    length_s = one.get("length_s", standard_s)
    start_s = _start_s(where, one)
    values = _integers(f"{where}.values", one["values"])
    quality = _integers(f"{where}.quality", one.get("quality") or [0] * len(values))
    if len(quality) != len(values):
        raise InvalidInput(f"{where}: {len(values)} values have {len(quality)} quality flags")
    if type(length_s) is not int or not 0 < length_s <= _LENGTH_S_MAX:
        raise InvalidInput(f"{where}: length_s is 1 to {_LENGTH_S_MAX} seconds")
    if start_s + length_s * len(values) > _END_S:
        raise InvalidInput(f"{where}: the readings end after the year 9999")
    return Series(
        point=one["point"],
        length_s=length_s,
        start_s=start_s + length_s * np.arange(len(values), dtype=np.int64),
        value=values,
        quality=_flags(where, quality),
    )


def _start_s(where: str, one: Mapping[str, Any]) -> int:
    start = one.get("start", one.get("start_s"))
    if ("start" in one) == ("start_s" in one):
        raise InvalidInput(f"{where}: one of start and start_s is given")
    if isinstance(start, str) and "start" in one:
        return parse_instant(start)
    if "start_s" in one and type(start) is int and 0 <= start < _END_S:
        return start
    raise InvalidInput(f"{where}: start is text 2026-01-01T00:00:00Z, start_s an integer of it")


def _integers(where: str, found: Any) -> NDArray[np.int64]:
    if not isinstance(found, list):
        raise InvalidInput(f"{where} is an array of integers")
    # numpy would take True for 1, and make floats of what does not fit.
    kinds = set(map(type, found))
    if kinds - {int}:
        wrong = sorted(kind.__name__ for kind in kinds - {int})
        raise InvalidInput(f"{where} has integers alone, in base units; found {', '.join(wrong)}")
    try:
        return np.array(found, dtype=np.int64)
    except OverflowError as error:
        raise InvalidInput(f"{where}: a number does not fit into 64 bits") from error


def _flags(where: str, quality: NDArray[np.int64]) -> NDArray[np.uint16]:
    if len(quality) and (int(quality.min()) < 0 or int(quality.max()) & ~ALL_FLAGS):
        raise InvalidInput(f"{where}: quality is a sum of the flags of docs/formats.md §3.3")
    return quality.astype(np.uint16)


def _ndjson(data: bytes) -> pa.Table:
    options = pyarrow.json.ParseOptions(
        explicit_schema=pa.schema(list(_TYPES.items())), unexpected_field_behavior="error"
    )
    found = pyarrow.json.read_json(io.BytesIO(data), parse_options=options)
    given = [name for name in found.column_names if found[name].null_count < len(found)]
    return found.select(given)


def _csv(data: bytes) -> pa.Table:
    convert = pyarrow.csv.ConvertOptions(
        column_types=_TYPES, null_values=[], strings_can_be_null=False
    )
    return pyarrow.csv.read_csv(io.BytesIO(data), convert_options=convert)


def _parquet(data: bytes) -> pa.Table:
    metadata = pyarrow.parquet.read_metadata(io.BytesIO(data))
    check_parquet(data, metadata, "the readings")
    names = metadata.schema.to_arrow_schema().names
    if len(set(names)) != len(names) or set(names) - set(_TYPES):
        raise _unknown(names)
    # Texts stay dictionaries: a long one that repeats is in memory once.
    paths = {metadata.schema.column(number).path for number in range(metadata.num_columns)}
    file = pyarrow.parquet.ParquetFile(
        io.BytesIO(data), metadata=metadata, read_dictionary=sorted(paths & {"point", "start"})
    )
    found = file.read()
    found.validate(full=True)  # before anything is cast
    columns = {}
    for name in names:
        column, wanted = found[name], _TYPES[name]
        if pa.types.is_floating(column.type):
            raise InvalidInput(f"column {name} is {column.type}, not integers in base units")
        if pa.types.is_dictionary(column.type) and wanted == pa.string():
            wanted = pa.dictionary(pa.int32(), wanted)
        columns[name] = column if column.type.equals(wanted) else column.cast(wanted)
    return pa.table(columns)


def _unknown(names: Iterable[str]) -> InvalidInput:
    unknown = sorted(name[:64] for name in set(names) - set(_TYPES))[:10]
    return InvalidInput(f"columns are {', '.join(_TYPES)}; unknown: {unknown}")


def _from_table(table: pa.Table, lengths_of: LengthsOf) -> list[Series]:
    names = set(table.column_names)
    if len(names) != table.num_columns or names - set(_TYPES):
        raise _unknown(names)
    if not {"point", "value"} <= names or len(names & {"start", "start_s"}) != 1:
        raise InvalidInput("the columns point, value, and one of start and start_s are needed")
    for name in names:
        if table[name].null_count:
            raise InvalidInput(f"column {name} has {table[name].null_count} empty cells")
    if table.num_rows == 0:
        return []
    points = _encoded(table["point"])
    code = np.asarray(points.indices)
    words = points.dictionary.to_pylist()
    known = lengths_of(words)
    lengths = np.array([known[word] for word in words], dtype=np.int64)
    start_s = _column(table, "start_s") if "start_s" in names else _instants(table)
    length_s = _column(table, "length_s") if "length_s" in names else lengths[code]
    if int(start_s.min()) < 0 or int(start_s.max()) >= _END_S:
        raise InvalidInput("a start lies before 1970 or after 9999")
    if int(length_s.min()) <= 0 or int(length_s.max()) > _LENGTH_S_MAX:
        raise InvalidInput(f"length_s is 1 to {_LENGTH_S_MAX} seconds")
    value = _column(table, "value")
    zeros = np.zeros(len(value), dtype=np.int64)
    quality = _flags("quality", _column(table, "quality") if "quality" in names else zeros)
    order = np.lexsort((start_s, length_s, code))
    keys = np.stack([code[order], length_s[order]], axis=1)
    cuts = np.flatnonzero(np.any(np.diff(keys, axis=0) != 0, axis=1)) + 1
    series = []
    for rows in np.split(order, cuts):
        series.append(
            Series(
                point=words[int(code[rows[0]])],
                length_s=int(length_s[rows[0]]),
                start_s=start_s[rows],
                value=value[rows],
                quality=quality[rows],
            )
        )
        _require_apart(series[-1])
    return series


def _encoded(column: pa.ChunkedArray) -> pa.DictionaryArray:
    if pa.types.is_dictionary(column.type):
        column = column.unify_dictionaries()
    return column.combine_chunks().dictionary_encode()


def _column(table: pa.Table, name: str) -> NDArray[np.int64]:
    return np.asarray(table[name].combine_chunks(), dtype=np.int64)


def _instants(table: pa.Table) -> NDArray[np.int64]:
    """Texts 2026-01-01T00:00:00Z; the same few again and again, as points share their times."""
    texts = _encoded(table["start"])
    known = np.array([parse_instant(text) for text in texts.dictionary.to_pylist()], np.int64)
    return np.take(known, np.asarray(texts.indices))


def _joined(series: Iterable[Series]) -> list[Series]:
    """One series for each point and length, in the order of time."""
    by_kind: dict[tuple[str, int], list[Series]] = {}
    for one in series:
        by_kind.setdefault((one.point, one.length_s), []).append(one)
    found = []
    for (point, length_s), parts in by_kind.items():
        start_s = np.concatenate([part.start_s for part in parts])
        order = np.argsort(start_s, kind="stable")
        found.append(
            Series(
                point=point,
                length_s=length_s,
                start_s=start_s[order],
                value=np.concatenate([part.value for part in parts])[order],
                quality=np.concatenate([part.quality for part in parts])[order],
            )
        )
        _require_apart(found[-1])
    return found


def _require_apart(one: Series) -> None:
    close = np.flatnonzero(np.diff(one.start_s) < one.length_s)
    if len(close):
        at_s = int(one.start_s[close[0] + 1])
        raise InvalidInput(
            f"point {one.point!r}: the interval at {format_instant(at_s)} begins before the one"
            " before it ends"
        )
