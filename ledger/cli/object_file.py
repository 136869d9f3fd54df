"""Files in which people write an object for a command: TOML or JSON, by their name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from ledger.errors import InvalidInput, NotFound
from ledger.files import parse_toml, read_regular
from ledger.log.bodies import JSON_NESTING_MAX
from ledger.log.entry import parse_json
from ledger.records.model import BODY_BYTES_MAX


def read_object(file: Path) -> dict[str, Any]:
    """Raises NotFound; InvalidInput for another ending, what is no object, and what the log could
    not hold, such as a number that is no integer."""
    data = read_regular(file, BODY_BYTES_MAX)
    if data is None:
        raise NotFound(f"no file {file}")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise InvalidInput(f"{file} is not UTF-8: {error}") from error
    if file.suffix == ".toml":
        return parse_toml(text, str(file))
    if file.suffix != ".json":
        raise InvalidInput(f"{file}: write it as TOML or JSON, in a file .toml or .json")
    return object_of(text, str(file))


def object_of(text: str, where: str) -> dict[str, Any]:
    """JSON; `where` names it in messages. Raises InvalidInput as `read_object`."""
    try:
        found = parse_json(text, nesting_max=JSON_NESTING_MAX)
    except InvalidInput as error:
        raise InvalidInput(f"{where}: {error}; write decimals as text") from error
    if not isinstance(found, dict):
        raise InvalidInput(f"{where}: it is no object {{…}}")
    return found
