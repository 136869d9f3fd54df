"""JSON as formats.md §1 allows it: objects, arrays, strings and integers, no member twice, nothing
read two ways.
"""

import json
import re
from collections import Counter
from typing import Final, NoReturn

from greenledger_verify.failure import VerificationError

INTEGER_MAX: Final = 2**53 - 1
STATEMENT_DEPTH_MAX: Final = 8
BODY_DEPTH_MAX: Final = 200

_SURROGATE = re.compile("[\ud800-\udfff]")


def parse_object(raw: bytes, *, depth_max: int) -> dict[str, object]:
    """One JSON object under the rules above, nested at most ``depth_max`` (the outer object is
    1).
    """
    try:
        value = json.loads(
            raw.decode(),
            object_pairs_hook=_members_once,
            parse_int=_integer,
            parse_float=_no_float,
            parse_constant=_no_float,
        )
    except UnicodeDecodeError as error:
        raise VerificationError("the JSON is not UTF-8 at byte {at}", at=error.start) from None
    except json.JSONDecodeError as error:
        raise VerificationError(
            "not JSON at character {at}: {why}", at=error.pos, why=error.msg
        ) from None
    except RecursionError:
        raise VerificationError("the JSON is nested deeper than {max}", max=depth_max) from None
    if not isinstance(value, dict):
        raise VerificationError("the JSON is not an object")
    _require_plain(value, depth_max)
    return value


def _members_once(pairs: list[tuple[str, object]]) -> dict[str, object]:
    members = dict(pairs)
    if len(members) != len(pairs):
        twice, _ = Counter(name for name, _ in pairs).most_common(1)[0]
        raise VerificationError("member {name} stands twice in one object", name=twice)
    return members


def _integer(digits: str) -> int:
    if digits == "-0" or not digits.isascii() or len(digits) > 17 or abs(int(digits)) > INTEGER_MAX:
        raise VerificationError(
            "{number} is not an integer between -(2^53-1) and 2^53-1", number=digits
        )
    return int(digits)


def _no_float(number: str) -> NoReturn:
    raise VerificationError(
        "{number} is not an integer; other numbers are not allowed", number=number
    )


def _require_plain(root: object, depth_max: int) -> None:
    """Only objects, arrays, strings and integers, not too deep. Works off a list, so that depth
    can't exhaust the stack.
    """
    waiting: list[tuple[object, int]] = [(root, 1)]
    while waiting:
        value, depth = waiting.pop()
        if isinstance(value, dict | list) and depth > depth_max:
            raise VerificationError("the JSON is nested deeper than {max}", max=depth_max)
        if isinstance(value, dict):
            waiting.extend((name, depth) for name in value)
            waiting.extend((member, depth + 1) for member in value.values())
        elif isinstance(value, list):
            waiting.extend((item, depth + 1) for item in value)
        elif isinstance(value, str):
            _require_unicode(value)
        elif isinstance(value, bool) or value is None:
            raise VerificationError("true, false and null are not allowed")


def _require_unicode(value: str) -> None:
    if not value.isascii() and _SURROGATE.search(value):
        raise VerificationError("a string holds half of a surrogate pair")
