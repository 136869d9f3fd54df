"""DL/T 645-2007 frames: published ones, our own both ways, and broken ones."""

from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InvalidInput
from ledger.gateway import dlt645
from ledger.gateway.dlt645 import (
    Frame,
    Registers,
    answer,
    decode,
    encode,
    parse_hex,
    read_registers,
)

# Examples that others have published, with what they say these frames mean: a capture
# ("DLT645-2007报文解析"), a comparison of both protocols (553668.com/manong/786292), and a tutorial
# ("DL/T645-2007 and MODBUS Protocol Parsing and Debugging for Smart Meters").
CAPTURED = "68 61 01 00 00 00 00 68 91 08 33 33 34 33 59 33 33 33 8A 16"
REQUEST = "FE FE FE FE 68 61 01 00 00 00 00 68 11 04 33 33 34 33 14 16"
COMPARED = "68 25 04 03 02 01 00 68 91 08 33 33 34 33 75 39 45 33 8B 16"
COMPARED_REQUEST = "68 25 04 03 02 01 00 68 11 04 33 33 34 33 E1 16"
ANY_METER = "68 AA AA AA AA AA AA 68 11 04 33 33 34 33 AE 16"


@pytest.mark.parametrize(
    ("text", "address", "kwh"),
    [(CAPTURED, "000000000161", "0.26"), (COMPARED, "000102030425", "1206.42")],
)
def test_published_answers_mean_what_their_publishers_say(
    text: str, address: str, kwh: str
) -> None:
    found = read_registers([decode(parse_hex(text))])
    assert found == Registers(address=address, identifier="00010000", kwh=(Decimal(kwh),))
    assert found.total


def test_published_requests_are_requests() -> None:
    for text, address in ((REQUEST, "000000000161"), (COMPARED_REQUEST, "000102030425")):
        frame = decode(parse_hex(text))
        assert frame == Frame(address=address, control=0x11, data=bytes.fromhex("00000100"))
        with pytest.raises(InvalidInput, match="is a request"):
            read_registers([frame])
    # The wildcard of a request is no meter's address.
    with pytest.raises(InvalidInput, match="is not decimal"):
        decode(parse_hex(ANY_METER))


def test_our_own_frames_are_the_published_ones() -> None:
    request = Frame(address="000000000161", control=0x11, data=bytes.fromhex("00000100"))
    assert encode(request) == parse_hex(REQUEST)
    made = answer("000102030425", dlt645.FORWARD_TOTAL, [Decimal("1206.42")])
    assert encode(made, preamble=0) == parse_hex(COMPARED)


ADDRESSES = st.from_regex(r"[0-9]{12}", fullmatch=True)
KWH = st.integers(0, 10**8 - 1).map(lambda hundredths: Decimal(hundredths).scaleb(-2))


@given(ADDRESSES, st.integers(0, 255), st.binary(max_size=200), st.integers(0, 4))
def test_every_frame_comes_back(address: str, control: int, data: bytes, preamble: int) -> None:
    frame = Frame(address=address, control=control, data=data)
    assert decode(encode(frame, preamble=preamble)) == frame


@given(
    ADDRESSES,
    st.sampled_from(["00010000", "00020000", "00010200", "0001FF00", "0002FF00"]),
    st.lists(KWH, min_size=1, max_size=49),
)
def test_every_register_comes_back(address: str, identifier: str, kwh: list[Decimal]) -> None:
    kwh = kwh if identifier[4:6] == "FF" else kwh[:1]
    found = read_registers([decode(encode(answer(address, identifier, kwh)))])
    assert (found.address, found.identifier, list(found.kwh)) == (address, identifier, kwh)


@given(st.integers(0, 19), st.integers(1, 255))
def test_a_byte_changed_on_the_wire_is_seen(place: int, change: int) -> None:
    data = bytearray(parse_hex(CAPTURED))
    data[place] ^= change
    try:
        found = read_registers([decode(bytes(data))])
    except InvalidInput:
        return
    pytest.fail(f"byte {place} changed, and it was read as {found}")


def following(address: str, sequence: int, values: bytes, *, more: bool) -> Frame:
    return Frame(
        address=address,
        control=0xB2 if more else 0x92,
        data=bytes.fromhex("00FF0100") + values + bytes([sequence]),
    )


def test_a_block_over_follow_up_frames_is_one_answer() -> None:
    first = answer("000000000001", "0001FF00", [Decimal(10), Decimal(1)])
    first = Frame(address=first.address, control=0xB1, data=first.data)
    second = following("000000000001", 1, bytes.fromhex("00020000"), more=True)
    third = following("000000000001", 2, bytes.fromhex("99999999"), more=False)
    found = read_registers([first, second, third])
    assert found.kwh == (Decimal(10), Decimal(1), Decimal(2), Decimal("999999.99"))
    for frames, why in (
        ([first, second], "a follow-up frame is missing"),
        ([first, third], "has sequence number 2"),
        ([first, following("000000000002", 1, b"\0\0\0\0", more=False)], "of meter 000000000002"),
        ([first, first], "not of 12"),
        ([answer("000000000001", "0001FF00", [Decimal(1)]), third], "follows the last one"),
        ([], "there is no frame"),
    ):
        with pytest.raises(InvalidInput, match=why):
            read_registers(frames)


def test_an_error_answer_says_what_the_meter_says() -> None:
    for code, said in ((0x02, "no such data"), (0x04, "password"), (0x40, "too many tariffs")):
        frame = Frame(address="000000000001", control=0xD1, data=bytes([code]))
        with pytest.raises(InvalidInput, match=f"answered with an error: .*{said}"):
            read_registers([decode(encode(frame))])


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("68 61", "12 bytes or more"),
        (CAPTURED.replace("68 91", "69 91"), "68 after it"),
        (CAPTURED.replace("91 08", "91 07"), "says 7 bytes of data, it has 8"),
        (CAPTURED.replace("91 08", "91 FF"), "at most 200"),
        (CAPTURED.replace("8A 16", "8B 16"), "checksum is 8B, its bytes give 8A"),
        (CAPTURED.replace("8A 16", "8A 17"), "ends in 16"),
        (CAPTURED + " 16", "has 9"),
        ("FE " * 17 + CAPTURED, "at most 16"),
    ],
)
def test_a_broken_frame_is_named(text: str, why: str) -> None:
    with pytest.raises(InvalidInput, match=why):
        decode(parse_hex(text))


@pytest.mark.parametrize("text", ["", "6", "68 6", "zz", "68\n16", "６8"])
def test_hex_is_strict(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_hex(text)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        ("00000100 A0000000", "not of decimal digits"),
        ("00000100 000000", "3 bytes of values"),
        ("00000100 0000000000000000", "8 bytes of values"),
        ("00000000 00000000", "is no register"),
        ("00010102 2200", "is no register"),
        ("0000", "not 4 and more"),
    ],
)
def test_data_that_is_no_register_is_named(data: str, why: str) -> None:
    frame = Frame(address="000000000001", control=0x91, data=bytes.fromhex(data))
    with pytest.raises(InvalidInput, match=why):
        read_registers([frame])


def test_what_does_not_fit_is_not_encoded() -> None:
    for kwh in ("1000000.00", "0.001", "-1"):
        with pytest.raises(InvalidInput, match="does not fit"):
            answer("000000000001", "00010000", [Decimal(kwh)])
    with pytest.raises(InvalidInput, match="12 decimal digits"):
        encode(Frame(address="AAAAAAAAAAAA", control=0x11))
    with pytest.raises(InvalidInput, match="at most 200"):
        encode(Frame(address="000000000001", control=0x11, data=b"\0" * 201))
