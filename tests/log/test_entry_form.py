"""The form of an entry (docs/formats.md §1): what is malformed is refused, and says why.

Each malformed entry is *signed as it stands* by the operator's key: only its form is wrong. What
the ledger takes, the stand-alone verifier takes, so that nobody can spoil a log for its readers.
"""

from __future__ import annotations

import base64
import contextlib
import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from greenledger_verify.entry import parse_entry as verifier_parse
from greenledger_verify.failure import VerificationError
from ledger.errors import InvalidInput, LedgerError
from ledger.house import ENTRY_TYPES, House
from ledger.log.entry import parse_entry, parse_json
from ledger.log.service import Submission
from tests import ledgers
from tests.ledgers import GRID, ORIGIN, operator_key, rows, signed_text

GOOD: dict[str, Any] = {
    "type": "party.register",
    "id": "0123456789abcdef" * 2,
    "log": ORIGIN,
    "author": "operator",
    "at": "2026-03-01T00:00:00Z",
    "party": "farm",
    "name": "Farm",
    "roles": ["generator"],
    "replaces": "",
}
TEXT = json.dumps(GOOD)


def changed(**members: Any) -> str:
    return json.dumps({**GOOD, **members})


def raw(member: str, value: str) -> str:
    """`value` as JSON text, so that it can be what Python would not write."""
    return TEXT.replace(json.dumps(GOOD[member]), value, 1)


def nested(depth: int) -> str:
    """An unknown member that makes the whole statement `depth` containers deep."""
    return TEXT[:-1] + ', "deep": ' + "[" * (depth - 1) + "]" * (depth - 1) + "}"


MALFORMED: dict[str, tuple[str, str]] = {
    "repeated member": (TEXT[:-1] + ', "name": "Farm"}', "'name' stands twice"),
    "repeated, written otherwise": (TEXT[:-1] + ', "n\\u0061me": "x"}', "'name' stands twice"),
    "repeated inside": (TEXT[:-1] + ', "x": {"a": 1, "a": 1}}', "'a' stands twice"),
    "float": (raw("replaces", "1.0"), "1.0 is not an integer"),
    "exponent": (raw("replaces", "1E2"), "1E2 is not an integer"),
    "NaN": (raw("replaces", "NaN"), "NaN is not an integer"),
    "infinity": (raw("replaces", "-Infinity"), "-Infinity is not an integer"),
    "true": (raw("replaces", "true"), "true is not allowed"),
    "false": (raw("replaces", "false"), "false is not allowed"),
    "null": (raw("replaces", "null"), "null is not allowed"),
    "minus zero": (raw("replaces", "-0"), "-0 is not an integer"),
    "integer of 2^53": (raw("replaces", str(2**53)), "beyond"),
    "integer of -2^53": (raw("replaces", str(-(2**53))), "beyond"),
    "integer of 400 digits": (raw("replaces", "9" * 400), "beyond"),
    "integer of 5,000 digits": (raw("replaces", "9" * 5_000), "beyond"),
    "leading zero": (raw("replaces", "01"), "not JSON"),
    "nine deep": (nested(9), "nested"),
    "a thousand deep": (nested(1_000), "nested"),
    "a hundred thousand deep": (TEXT[:-1] + ',"x":' + "[" * 60_000 + "}", "nested|not JSON"),
    "eight deep, but unknown": (nested(8), "unknown member 'deep'"),
    "byte order mark": ("\ufeff" + TEXT, "one JSON object"),
    "space before": (" " + TEXT, "one JSON object"),
    "space after": (TEXT + " ", "one JSON object"),
    "array": ("[1]", "one JSON object"),
    "array of objects": (f"{{}}, {TEXT}", "not JSON"),
    "two lines": (TEXT.replace(", ", ",\n", 1), "one line"),
    "cut off": (TEXT[:-10] + "}", "not JSON"),
    "single quotes": (TEXT.replace('"', "'"), "not JSON"),
    "trailing comma": (TEXT[:-1] + ",}", "not JSON"),
    "comment": (TEXT[:-1] + "/**/}", "not JSON"),
    "empty object": ("{}", "member 'type' is missing"),
    "tab": (TEXT.replace(", ", ",\t", 1), "control character"),
    "carriage return": (TEXT.replace(", ", ",\r", 1), "control character"),
    "NUL in text": (raw("name", '"F\x00m"'), "control character"),
    "unit separator": (raw("name", '"F\x1fm"'), "control character"),
    "lone surrogate": (raw("name", '"\\ud800"'), "lone surrogate"),
    "lone surrogate in a member's name": (TEXT[:-1] + ', "\\udfff": 1}', "lone surrogate"),
    "unknown member": (changed(colour="green"), "unknown member 'colour'"),
    "unknown type": (changed(type="party.remove"), "unknown entry type 'party.remove'"),
    "type in capitals": (changed(type="Party.register"), "member 'type'"),
    "type that is an integer": (changed(type=1), "member 'type'"),
    "id in capitals": (changed(id="0123456789ABCDEF" * 2), "member 'id'"),
    "short id": (changed(id="00" * 15), "member 'id'"),
    "id that is an integer": (changed(id=7), "member 'id'"),
    "other log": (changed(log="park.example/other"), "entry is for log 'park.example/other'"),
    "origin that is none": (changed(log="Park"), "member 'log'"),
    "author that is none": (changed(author="The Operator"), "member 'author'"),
    "time without Z": (changed(at="2026-03-01T00:00:00"), "member 'at'"),
    "time with an offset": (changed(at="2026-03-01T00:00:00+00:00"), "member 'at'"),
    "time with a fraction": (changed(at="2026-03-01T00:00:00.0Z"), "member 'at'"),
    "leap second": (changed(at="2016-12-31T23:59:60Z"), "member 'at'"),
    "30 February": (changed(at="2026-02-30T00:00:00Z"), "member 'at'"),
    "time in Arabic digits": (changed(at="٢٠٢٦-٠٣-٠١T٠٠:٠٠:٠٠Z"), "member 'at'"),
    "time in full-width digits": (changed(at="2026-03-01T00:00:0\uff10Z"), "member 'at'"),
    "time that is an integer": (changed(at=1_772_323_200), "member 'at'"),
    "time that is an array": (changed(at=["2026-03-01T00:00:00Z"]), "member 'at'"),
    "empty name": (changed(name=""), "member 'name'"),
    "name of 201": (changed(name="x" * 201), "member 'name'"),
    "name with an escaped newline": (changed(name="a\nb"), "member 'name'"),
    "name with DEL": (changed(name="a\x7fb"), "member 'name'"),
    "no roles": (changed(roles=[]), "member 'roles'"),
    "roles that are text": (changed(roles="generator"), "member 'roles'"),
    "roles out of order": (changed(roles=["generator", "enterprise"]), "member 'roles'"),
    "roles repeated": (changed(roles=["generator", "generator"]), "member 'roles'"),
    "unknown role": (changed(roles=["king"]), "member 'roles'"),
    "role that is an object": (changed(roles=[{}]), "member 'roles'"),
    "replaces an object": (changed(replaces={}), "member 'replaces'"),
    "a member too few": (json.dumps({k: v for k, v in GOOD.items() if k != "name"}), "'name'"),
}


@pytest.mark.parametrize("case", MALFORMED, ids=str)
def test_malformed_statements_are_refused(case: str, begun: House) -> None:
    text, why = MALFORMED[case]
    data = signed_text(text.encode(errors="surrogatepass") + b"\n", operator_key(begun))
    with pytest.raises(InvalidInput, match=why):
        begun.desk.writer.append(Submission(data=data))
    assert rows(begun, "SELECT count(*) FROM entries") == [(1,)]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        (b'{"a": "\xff"}\n', "not UTF-8"),
        (b'{"a": "\xed\xa0\x80"}\n', "not UTF-8"),
        (b'{"a": "\xc0\x80"}\n', "not UTF-8"),
        (b'{"a": 1}', "empty line"),
    ],
)
def test_bytes_that_are_no_text(text: bytes, why: str, begun: House) -> None:
    with pytest.raises(InvalidInput, match=why):
        parse_entry(signed_text(text, operator_key(begun)) if why != "empty line" else text)


def test_the_good_statement_is_taken(begun: House) -> None:
    """So that the refusals above have one reason each."""
    data = signed_text(TEXT.encode() + b"\n", operator_key(begun))
    assert begun.desk.writer.append(Submission(data=data)).index == 2
    assert verifier_parse(data).statement == GOOD


def padded(size: int, house: House) -> bytes:
    """The good statement with spaces inside, so that the entry has exactly `size` bytes."""
    key = operator_key(house)
    short = len(signed_text(TEXT.encode() + b"\n", key))
    text = TEXT.replace(", ", "," + " " * (size - short + 1), 1)
    data = signed_text(text.encode() + b"\n", key)
    assert len(data) == size
    return data


def test_65535_bytes_are_taken_and_65536_are_not(begun: House) -> None:
    with pytest.raises(InvalidInput, match="entry has 65536 bytes; 65535 is the most"):
        begun.desk.writer.append(Submission(data=padded(65_536, begun)))
    receipt = begun.desk.writer.append(Submission(data=padded(65_535, begun)))
    assert rows(begun, "SELECT length(data) FROM entries WHERE entry_index = 2") == [(65_535,)]
    begun.checkpoint()
    assert begun.audit(ledgers.no_progress).entries == receipt.index + 1 == 3


# Signatures


def lines(house: House, *others: Callable[[bytes], bytes]) -> bytes:
    text = TEXT.encode() + b"\n"
    return text + b"\n" + b"".join(make(text) for make in others)


def test_signatures_are_exactly_those_required(begun: House) -> None:
    operator, log_key = operator_key(begun), begun.desk.keystore.get(begun.log.log_key)
    good = operator.signature_line
    of_other_text = operator.signature_line(b"{}\n")
    wrong: dict[str, bytes] = {
        "extra, of another": lines(begun, good, GRID.signature_line),
        "extra, the same twice": lines(begun, good, good),
        "extra, the log's": lines(begun, good, log_key.signature_line),
        "another before": lines(begun, GRID.signature_line, good),
        "another alone": lines(begun, GRID.signature_line),
        "the log's alone": lines(begun, log_key.signature_line),
        "of another text": lines(begun, lambda _text: of_other_text),
        "none": lines(begun),
        "cut off": lines(begun, good)[:-1],
        "name changed": lines(begun, good).replace(b"/operator ", b"/Operator "),
        "blank line after": lines(begun, good) + b"\n",
        "trailing text": lines(begun, good) + b"and so on\n",
        "hyphen": lines(begun, good).replace("— ".encode(), b"- "),
        "two spaces": lines(begun, good).replace("— ".encode(), "—  ".encode()),
        "CRLF": lines(begun, good).replace(b"\n", b"\r\n"),
    }
    accepted = []
    for case, data in wrong.items():
        try:
            begun.desk.writer.append(Submission(data=data))
            accepted.append(case)
        except LedgerError:
            pass
    assert accepted == []
    assert rows(begun, "SELECT count(*) FROM entries") == [(1,)]
    begun.desk.writer.append(Submission(data=lines(begun, good)))


def test_a_second_encoding_of_a_signature_is_refused(begun: House) -> None:
    """Else the same statement would have two leaf hashes."""
    data = lines(begun, operator_key(begun).signature_line)
    position = data.rindex(b"\n") - 2
    while data[position : position + 1] == b"=":
        position -= 1
    refused = 0
    for other in b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/":
        spelt = data[:position] + bytes([other]) + data[position + 1 :]
        if spelt != data:
            with pytest.raises(LedgerError):
                begun.desk.writer.append(Submission(data=spelt))
            refused += 1
    assert refused == 63


def test_a_malleable_signature_is_refused(begun: House) -> None:
    """S + L is the same number to a careless verifier."""
    order = 2**252 + 27742317777372353535851937790883648493
    text = TEXT.encode() + b"\n"
    key = operator_key(begun)
    signature = key.private_key.sign(text)
    other_s = int.from_bytes(signature[32:], "little") + order
    forged = signature[:32] + other_s.to_bytes(32, "little")
    blob = base64.b64encode(key.verify_key.key_id + forged).decode()
    with pytest.raises(InvalidInput, match="does not verify"):
        begun.desk.writer.append(Submission(data=text + b"\n" + f"— {key.name} {blob}\n".encode()))


# What one takes, the other takes

json_values = st.recursive(
    st.one_of(
        st.integers(min_value=-(2**54), max_value=2**54),
        st.text(max_size=8),
        st.floats(allow_nan=False, allow_infinity=False),
        st.booleans(),
        st.none(),
        st.sampled_from(["", "farm", "0" * 32, "2026-03-01T00:00:00Z", "operator", ORIGIN]),
    ),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner),
    max_leaves=5,
)


@given(member=st.sampled_from(sorted(GOOD)), value=json_values, space=st.sampled_from(["", " "]))
def test_ledger_and_verifier_agree_on_statements(member: str, value: Any, space: str) -> None:
    text = json.dumps({**GOOD, member: value}, separators=("," + space, ":")) + "\n"
    _agree(signed_text(text.encode(), GRID))


@given(
    at=st.integers(min_value=0, max_value=len(TEXT) - 1),
    with_=st.sampled_from(list('0129aAzZ"{}[]:, \\/-+.\t\n\x7f\x00éé٣ \u2028\ufeff𝟘')),
    cut=st.integers(min_value=0, max_value=2),
)
def test_ledger_and_verifier_agree_on_texts(at: int, with_: str, cut: int) -> None:
    text = TEXT[:at] + with_ + TEXT[at + cut :] + "\n"
    _agree(signed_text(text.encode(), GRID))


def _agree(data: bytes) -> None:
    """Where the ledger takes the form of an entry, the verifier does; and what it does not take,
    it refuses with an error of ours.
    """
    try:
        entry = parse_entry(data)
        ENTRY_TYPES.of_entry(entry).check_statement(entry)
    except InvalidInput:
        return
    try:
        assert verifier_parse(data).statement == entry.statement
    except VerificationError as error:
        raise AssertionError(f"the verifier refuses what the ledger took: {error}") from error


@given(st.text(alphabet='{}[]",:0123456789.eE-+truefalsn \\u', max_size=40))
def test_no_text_crashes_the_parser(text: str) -> None:
    with contextlib.suppress(InvalidInput):
        parse_json(text, nesting_max=8)
