"""DL/T 645-2007 frames: what electricity meters answer on RS-485. Pure.

A frame is `FE… 68 A0…A5 68 C L DATA CS 16`: address and numbers in BCD, low byte first, each byte
of DATA sent +33H, CS the sum of all bytes from the first 68 modulo 256 (clause 5). Only what a
gateway needs is read: energy registers (data identifiers 00 01 … forward and 00 02 … reverse
active, XXXXXX.XX kWh), alone or as a block with their tariffs, in one frame or with follow-ups.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from ledger.errors import InvalidInput

PREAMBLE: Final = 0xFE
START: Final = 0x68
END: Final = 0x16
OFFSET: Final = 0x33
DATA_MAX: Final = 200
PREAMBLE_MAX: Final = 16
FORWARD_TOTAL: Final = "00010000"
REVERSE_TOTAL: Final = "00020000"
# Digits of an energy register before the point: after 999999.99 kWh comes 0.
REGISTER_DIGITS: Final = 6
TARIFFS_MAX: Final = 63

READ: Final = 0x11
READ_FOLLOWING: Final = 0x12
_ANSWER: Final = 0x80
_ERROR: Final = 0x40
_MORE: Final = 0x20
_REGISTER_BYTES: Final = 4
_ERRORS: Final = (
    "another error",
    "no such data",
    "the password is wrong, or not allowed",
    "the baud rate can't be changed",
    "too many yearly time zones",
    "too many daily time slots",
    "too many tariffs",
)
_ADDRESS: Final = re.compile(r"[0-9]{12}", re.ASCII)
_IDENTIFIER: Final = re.compile(r"[0-9A-F]{8}", re.ASCII)
_HEX: Final = re.compile(r"(?:[0-9A-Fa-f]{2} ?)+", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """`address`: 12 decimal digits, high first. `data`: as meant, without the +33H."""

    address: str
    control: int
    data: bytes = b""

    @property
    def function(self) -> int:
        return self.control & 0x1F

    @property
    def more(self) -> bool:
        return bool(self.control & _MORE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Registers:
    """What a meter answered: the registers of one data identifier (8 hex digits), in kWh.

    A block (…FF00) has the total first, then tariff 1, 2, …; else there is one.
    """

    address: str
    identifier: str
    kwh: tuple[Decimal, ...]

    @property
    def total(self) -> bool:
        """Whether the first register is a total over the tariffs, now and not on a past day."""
        return self.identifier[4:6] in ("00", "FF") and self.identifier[6:] == "00"


def parse_hex(text: str) -> bytes:
    """`FE FE 68 …` or without the spaces. Raises InvalidInput."""
    if not _HEX.fullmatch(text):
        raise InvalidInput("a frame is written in pairs of hex digits, with or without spaces")
    return bytes.fromhex(text)


def encode(frame: Frame, *, preamble: int = 4) -> bytes:
    """The bytes of a frame, for tests and for who asks meters. Raises InvalidInput."""
    if not _ADDRESS.fullmatch(frame.address):
        raise InvalidInput(f"address {frame.address!r} is not of 12 decimal digits")
    if len(frame.data) > DATA_MAX:
        raise InvalidInput(f"a frame has at most {DATA_MAX} bytes of data, not {len(frame.data)}")
    address = bytes.fromhex(frame.address)[::-1]
    data = bytes((each + OFFSET) % 256 for each in frame.data)
    body = bytes([START]) + address + bytes([START, frame.control, len(data)]) + data
    return bytes([PREAMBLE]) * preamble + body + bytes([sum(body) % 256, END])


def decode(data: bytes) -> Frame:
    """One whole frame, preamble allowed, nothing after it. Raises InvalidInput."""
    body = data.lstrip(bytes([PREAMBLE]))
    if len(data) - len(body) > PREAMBLE_MAX:
        raise InvalidInput(f"a frame begins with at most {PREAMBLE_MAX} bytes FE")
    if len(body) < 12:
        raise InvalidInput(f"a frame has 12 bytes or more after its FE, not {len(body)}")
    if body[0] != START or body[7] != START:
        raise InvalidInput("a frame has 68 before its address and 68 after it")
    control, length = body[8], body[9]
    if length > DATA_MAX:
        raise InvalidInput(f"a frame has at most {DATA_MAX} bytes of data, it says {length}")
    if len(body) != 12 + length:
        raise InvalidInput(f"the frame says {length} bytes of data, it has {len(body) - 12}")
    if body[-1] != END:
        raise InvalidInput(f"a frame ends in 16, not in {body[-1]:02X}")
    checksum = sum(body[:-2]) % 256
    if checksum != body[-2]:
        raise InvalidInput(f"the frame's checksum is {body[-2]:02X}, its bytes give {checksum:02X}")
    address = body[6:0:-1].hex()
    if not _ADDRESS.fullmatch(address):
        raise InvalidInput(f"address {address} is not decimal: an answer names its meter")
    return Frame(
        address=address,
        control=control,
        data=bytes((each - OFFSET) % 256 for each in body[10:-2]),
    )


def read_registers(frames: Sequence[Frame]) -> Registers:
    """The registers in an answer and its follow-up frames, in order. Raises InvalidInput."""
    if not frames:
        raise InvalidInput("there is no frame")
    identifier, values = "", b""
    for place, frame in enumerate(frames):
        mine, part = _part(frame, place)
        if place and (frame.address, mine) != (frames[0].address, identifier):
            raise InvalidInput(
                f"follow-up frame {place} is of {mine} of meter {frame.address}, not of"
                f" {identifier} of {frames[0].address}"
            )
        if frame.more != (place + 1 < len(frames)):
            raise InvalidInput(
                "a follow-up frame is missing" if frame.more else "a frame follows the last one"
            )
        identifier, values = mine, values + part
    return Registers(address=frames[0].address, identifier=identifier, kwh=_kwh(identifier, values))


def _part(frame: Frame, place: int) -> tuple[str, bytes]:
    """(data identifier, bytes of values) of an answer, or of its follow-up `place`."""
    if not frame.control & _ANSWER:
        raise InvalidInput(f"control code {frame.control:02X} is a request; a meter's answer is 91")
    if frame.control & _ERROR:
        raise InvalidInput(f"the meter answered with an error: {_error(frame.data)}")
    wanted = READ_FOLLOWING if place else READ
    if frame.function != wanted:
        raise InvalidInput(
            f"control code {frame.control:02X} is of function {frame.function:02X}, not of"
            f" {wanted:02X}: {'read what follows' if place else 'read data'}"
        )
    least = 5 if place else 4
    if len(frame.data) < least:
        raise InvalidInput(f"the answer has {len(frame.data)} bytes of data, not {least} and more")
    values = frame.data[4:]
    if place:
        sequence, values = values[-1], values[:-1]
        if sequence != place:
            raise InvalidInput(f"follow-up frame {place} has sequence number {sequence}")
    return frame.data[3::-1].hex().upper(), values


def _error(data: bytes) -> str:
    if len(data) != 1:
        raise InvalidInput(f"an error answer has 1 byte of data, not {len(data)}")
    said = [text for bit, text in enumerate(_ERRORS) if data[0] >> bit & 1]
    return ", ".join(said) or f"code {data[0]:02X}"


def _kwh(identifier: str, values: bytes) -> tuple[Decimal, ...]:
    if identifier[:4] not in ("0001", "0002"):
        raise InvalidInput(
            f"data identifier {identifier} is no register of forward (0001…) or reverse (0002…)"
            " active energy"
        )
    block = identifier[4:6] == "FF"
    count, rest = divmod(len(values), _REGISTER_BYTES)
    if rest or not 1 <= count <= (1 + TARIFFS_MAX if block else 1):
        raise InvalidInput(
            f"{identifier} has {len(values)} bytes of values; a register has {_REGISTER_BYTES}"
        )
    return tuple(
        _register(values[place : place + _REGISTER_BYTES])
        for place in range(0, len(values), _REGISTER_BYTES)
    )


def _register(data: bytes) -> Decimal:
    digits = data[::-1].hex()
    if not digits.isdecimal():
        raise InvalidInput(f"register {digits} is not of decimal digits (BCD)")
    return Decimal(digits).scaleb(-2)


def answer(address: str, identifier: str, kwh: Sequence[Decimal]) -> Frame:
    """What a meter answers when it is asked for registers, for tests. Raises InvalidInput."""
    if not _IDENTIFIER.fullmatch(identifier):
        raise InvalidInput(f"data identifier {identifier!r} is not of 8 hex digits")
    values = b""
    for each in kwh:
        hundredths = each.scaleb(2)
        if hundredths != int(hundredths) or not 0 <= hundredths < 10**8:
            raise InvalidInput(f"{each} kWh does not fit a register 000000.00 to 999999.99")
        values += bytes.fromhex(f"{int(hundredths):08d}")[::-1]
    return Frame(
        address=address,
        control=_ANSWER | READ,
        data=bytes.fromhex(identifier)[::-1] + values,
    )
