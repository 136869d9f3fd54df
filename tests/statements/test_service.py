"""Statements in a ledger: imported once, compared with holdings, and what is official."""

from __future__ import annotations

import hashlib
from datetime import date
from pathlib import Path

import pytest

from ledger.db import reading
from ledger.errors import InvalidInput, NotFound, Refused
from ledger.house import House
from ledger.log.bodies import Blob
from ledger.log.store import load_head
from ledger.metering.importers import RowsRejected
from ledger.metering.sealing import FILE_MEDIA
from ledger.parties.desk import Draft, fresh_salt, seal_json
from ledger.recovery.restore import restore
from ledger.statements import store
from ledger.statements.compare import AGREES, CONFLICT, MISSING_HERE, MISSING_THERE
from ledger.statements.model import Statement, StatementFile
from ledger.statements.service import import_statement
from tests.ledgers import NOW_S, Clock, dump, no_progress, open_house, settings_in
from tests.statements.files import PLAIN, csv, profile, shipped_text
from tests.statements.held import AS_OF, LISTED, Park, listed
from tests.statements.test_layouts import GEC_LIST


def size(house: House) -> int:
    with reading(house.engine) as conn:
        return load_head(conn, 1).size


def test_importing_twice_changes_nothing(park: Park) -> None:
    content = listed("A-00-99,held,Sunny Farm")
    first = park.load(content)
    assert not first.repeated
    before = dump(park.house.settings.dir)
    # By the file's bytes, not by its name.
    again = park.load(content, name="the same.csv")
    assert again.repeated
    assert again.statement == first.statement
    assert dump(park.house.settings.dir) == before
    assert first.statement.document == hashlib.sha256(content.encode()).digest()


def test_a_file_read_anew_takes_the_place_of_its_earlier_reading(park: Park) -> None:
    content = listed("A-00-99,held,Sunny Farm")
    first = park.load(content)
    # Word by word the same file; now it is known that what it calls held was cancelled.
    renamed = LISTED + '[status.names]\n"held" = "cancelled"\n'
    second = park.load(content, renamed)
    assert not second.repeated
    assert second.statement.entry_index > first.statement.entry_index
    assert [one.status for one in park.official("A-", 0, 100)] == ["cancelled"]
    third = park.load(content, as_of=date(2026, 2, 1))
    # Though it is as of an earlier day: the file never said what the profile had made of it.
    assert [(one.status, one.as_of) for one in park.official("A-", 0, 100)] == [
        ("held", "2026-02-01")
    ]
    assert park.load(content, as_of=date(2026, 2, 1)).statement == third.statement


def test_the_log_refuses_the_same_reading_too(park: Park) -> None:
    content = listed("A-00-99,held,Sunny Farm")
    first = park.load(content)
    with reading(park.house.engine) as conn:
        rows = tuple(store.rows_of(conn, 1, first.statement.entry_index))
    file = Blob.seal(content.encode(), FILE_MEDIA, salt=fresh_salt())
    said = Statement(
        scheme="gec",
        issuer="Registry",
        as_of=AS_OF,
        file=StatementFile(name="other.csv", size=len(content), hash=file.key),
        profile="",
        rows=rows,
    )

    def draft(**changes: object) -> Draft:
        return Draft(
            type="statement.import",
            author="operator",
            members={"kind": "gec"},
            bodies={"body": seal_json(said.to_json() | changes, "statement")},
            attachments=[file.data],
        )

    with pytest.raises(Refused, match="was imported before, with the very same rows, by entry"):
        park.house.desk.append(draft())
    wrong = {"name": "other.csv", "size": len(content) + 1, "hash": file.key}
    with pytest.raises(InvalidInput, match=r"the file has \d+ bytes, the statement says"):
        park.house.desk.append(draft(file=wrong))
    with pytest.raises(InvalidInput, match="names the attachments"):
        park.house.desk.append(draft(file=wrong | {"hash": "00" * 32}))


def test_row_by_row(park: Park) -> None:
    park.retire("farm", "A-:40-60")
    park.transfer("farm", "mill", "A-:60-70")
    park.freeze("farm", "A-:70-80")
    imported = park.load(
        listed(
            "A-00-39,held,Sunny Farm",
            "A-40-49,cancelled,Sunny Farm",
            "A-50-59,held,Sunny Farm",
            "A-60-69,transferred,Mill Ltd",
            "A-70-79,transferred,Somebody else",
            "C-00-04,held,Sunny Farm",
        )
    )
    found = park.reconcile(imported)
    assert [
        (one.kind, one.row, one.code, one.first, one.end, one.here, one.owner, one.there)
        for one in found.findings
    ] == [
        (AGREES, 2, "A-", 0, 40, "active", "farm", "held"),
        (AGREES, 3, "A-", 40, 50, "retired", "farm", "cancelled"),
        (CONFLICT, 4, "A-", 50, 60, "retired", "farm", "held"),
        (AGREES, 5, "A-", 60, 70, "active", "mill", "transferred"),
        (CONFLICT, 6, "A-", 70, 80, "frozen", "farm", "transferred"),
        (MISSING_HERE, 7, "C-", 0, 5, "", "", "held"),
        (MISSING_THERE, 0, "A-", 80, 100, "active", "farm", ""),
    ]
    assert [one.row for one in found.findings if one.blocks_closing] == [6]
    assert found.blocks_closing
    assert found.counts == {AGREES: 3, MISSING_HERE: 1, MISSING_THERE: 1, CONFLICT: 2}
    assert found.to_json()["findings"][2]["differences"] == [
        {"field": "status", "here": "retired, of farm", "there": "held, of farm"}
    ]


def test_invariant_22_final_only_when_a_statement_confirms(park: Park) -> None:
    park.retire("farm", "A-:00-10")
    assert not park.confirmed(("A-", 0, 10), parties=["farm"]).final
    park.load(listed("A-00-04,cancelled,", "A-05-09,held,"))
    found = park.confirmed(("A-", 0, 10), parties=["farm"])
    assert (found.confirmed, found.units, found.pending) == (5, 10, (("A-", 5, 10),))
    # An older statement does not take it back, nor does a list of what was once issued.
    park.load(listed("A-00-04,held,"), as_of=date(2026, 2, 27), name="older.csv")
    park.load(listed("A-00-04,issued,"), as_of=date(2026, 3, 1), name="issued.csv")
    assert park.confirmed(("A-", 0, 5), parties=["farm"]).final
    park.load(listed("A-05-09,transferred,Sunny Farm"), as_of=date(2026, 3, 1), name="more.csv")
    assert park.confirmed(("A-", 0, 10), parties=["farm"]).final
    assert park.confirmed(("A-", 0, 10), parties=["mill"]).pending == (("A-", 5, 10),)


def test_invariant_22_officially_gone_but_held_here_blocks(park: Park) -> None:
    assert park.blocking() == []
    park.load(
        listed(
            "A-00-09,cancelled,", "A-10-19,expired,", "A-20-29,transferred,Mill Ltd", "B-0-9,held,"
        )
    )
    assert park.blocking() == [
        ("A-", 0, 10, "active", "cancelled"),
        ("A-", 10, 20, "active", "expired"),
    ]
    park.retire("farm", "A-:00-10")
    park.freeze("farm", "A-:15-20")
    assert park.blocking() == [
        ("A-", 10, 15, "active", "expired"),
        ("A-", 15, 20, "frozen", "expired"),
    ]


def test_official_status_names_date_document_and_entry(park: Park) -> None:
    imported = park.load(listed("A-10-19,frozen,"))
    before, known, after = park.official("A-", 0, 30)
    assert (before.status, before.entry_index) == ("", -1)
    assert (known.first, known.end, known.status, known.as_of) == (10, 20, "frozen", "2026-02-28")
    assert known.entry_index == imported.statement.entry_index
    assert known.document == imported.statement.document.hex()
    assert (after.first, after.end, after.status) == (20, 30, "")


@pytest.mark.parametrize(
    ("as_of", "error"),
    [
        (date(2026, 3, 1), ""),
        (date(2026, 3, 2), "as of 2026-03-02, after the log's time: in the park it is 2026-03-01"),
    ],
)
def test_as_of_is_no_day_to_come(park: Park, as_of: date, error: str) -> None:
    # The clock stands at 2026-03-01 00:00 UTC: in the park it is 8 o'clock.
    assert NOW_S == 1_772_323_200
    content = listed("A-00-09,held,")
    if not error:
        assert park.load(content, as_of=as_of).rows == 1
        return
    before = size(park.house)
    with pytest.raises(Refused, match=error):
        park.load(content, as_of=as_of)
    assert size(park.house) == before


@pytest.mark.parametrize(
    ("content", "text", "error"),
    [
        (csv("code,units,status", "A,1.5,held"), PLAIN, "no whole number of units"),
        (csv("code,units,status", "A,1,held", "A,1,held"), PLAIN, "stand in row 2 already"),
        (
            csv("code,units,status", "A,1,held"),
            PLAIN.replace('scheme = "gec"', 'scheme = "irec"'),
            "scheme 'irec' is not registered",
        ),
        (
            csv("code,units,status", "A,1,held"),
            PLAIN.replace('kind = "gec"', 'kind = "credits"'),
            "a statement of kind credits is not about scheme gec, of kind certificate",
        ),
        (
            csv("code,units,status", "A,1,held"),
            PLAIN + '[class]\nvalue = "golden"\n',
            "row 2: scheme gec has no class 'golden'; it has green-trade, non-tradable, ordinary",
        ),
    ],
)
def test_refused_and_nothing_changed(park: Park, content: str, text: str, error: str) -> None:
    before = dump(park.house.settings.dir)
    with pytest.raises((InvalidInput, NotFound, Refused), match=error):
        park.load(content, text)
    assert dump(park.house.settings.dir) == before


def test_all_bad_rows_come_with_the_error(park: Park) -> None:
    with pytest.raises(RowsRejected) as caught:
        park.load(csv("code,units,status", "A,-1,held", "B C,1,held"), PLAIN)
    assert [(one.row, one.column) for one in caught.value.rejections] == [
        (2, "units"),
        (3, "code"),
    ]


def test_no_file(park: Park) -> None:
    with pytest.raises(NotFound, match=r"no file .*nowhere\.csv"):
        import_statement(
            park.house.desk,
            park.folder / "nowhere.csv",
            profile(),
            profile_text=PLAIN,
            as_of=AS_OF,
        )


def test_only_the_operator_imports(park: Park) -> None:
    draft = Draft(
        type="statement.import",
        author="mill",
        members={"kind": "gec"},
        bodies={"body": seal_json({}, "statement")},
    )
    with pytest.raises(Refused, match=r"statement\.import is the operator's"):
        park.house.desk.append(draft)


@pytest.mark.parametrize(
    ("settled_wh", "kinds"),
    [
        (0, [(MISSING_HERE, 2), (MISSING_HERE, 3)]),
        (2_500_500, [(AGREES, 2), (AGREES, 3)]),
        (2_500_499, [(CONFLICT, 2), (CONFLICT, 3)]),
    ],
)
def test_a_settlement_of_energy(park: Park, settled_wh: int, kinds: list[tuple[str, int]]) -> None:
    if settled_wh:
        park.settle(wh=settled_wh)
    text = shipped_text("green-trade-settlement").replace(
        "# [party.names]", '[party.names]\n"M-1" = "mill"\n#'
    )
    content = csv(
        "电费年月,组织编码,机构名称,市场化主体id,市场化主体名称,用户编号,社会编号,绿电环境价值电量,"
        "电价,创建时间,更新时间",
        "202601,1,G,M-1,Mill,U-1,S,2500,0.02,x,x",
        "202601,1,G,M-1,Mill,U-2,S,0.5,0.02,x,x",
    )
    imported = park.load(content.encode("gb18030"), text)
    found = park.reconcile(imported).findings
    assert [(one.kind, one.row) for one in found] == kinds
    assert not park.reconcile(imported).blocks_closing


def test_a_restored_ledger_has_the_same_statements(park: Park, tmp_path: Path) -> None:
    park.load(GEC_LIST, shipped_text("gec-list"))
    park.load(listed("A-00-09,cancelled,", "A-10-19,held,"))
    park.house.audit(no_progress)
    park.house.export_entries(tmp_path / "entries", no_progress)
    restore(settings_in(tmp_path / "restored"), tmp_path / "entries", no_progress)
    there, here = dump(tmp_path / "restored"), dump(park.house.settings.dir)
    for table in ("statements", "statement_rows"):
        assert here[table]
        assert there[table] == here[table]
    house = open_house(park.house.settings.dir, Clock())
    with reading(house.engine) as conn:
        assert [one.kind for one in store.all_statements(conn, 1)] == ["gec", "gec"]
    house.engine.dispose()
