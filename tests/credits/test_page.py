"""docs/formats.md §4.11 says what the ledger takes: members, roles, limits, words."""

from __future__ import annotations

from ledger.credits import record
from ledger.credits.ccus import MASS_G_MAX, ROLES, TOLERANCE_PARTS
from ledger.log.bodies import json_media
from tests.docs.pages import code_words, read, section, tables

TEXT = section(read("formats.md"), "4.11")
(TABLE,) = tables(TEXT)


def test_members_of_a_record_in_their_order() -> None:
    assert [word for row in TABLE[1:] for word in code_words(row[0])] == list(record._RECORD)


def test_roles_in_their_order() -> None:
    (flows,) = (row[1] for row in TABLE if row[0] == "`flows`")
    assert [word for word in code_words(flows) if word in ROLES] == list(ROLES)


def test_members_of_verifications_and_reversals() -> None:
    for name, members in (
        (record.VERIFICATION_NAME, [*record._VERIFICATION, *record._PART]),
        (record.REVERSAL_NAME, list(record._REVERSAL)),
    ):
        (paragraph,) = (part for part in TEXT.split("\n\n") if f"`{json_media(name)}`" in part)
        assert {*members} <= {*code_words(paragraph)}
    assert f"`{json_media(record.NAME)}`" in TEXT


def test_limits_and_words() -> None:
    assert MASS_G_MAX == 10**15
    assert "0 to 10^15 each" in TEXT
    assert f"0 to ⌊captured / {TOLERANCE_PARTS}⌋" in TEXT
    words = {record.CREDITED, record.AT_SOURCE, record.CONFIRMED, record.REJECTED}
    assert words <= {*code_words(TEXT)}
