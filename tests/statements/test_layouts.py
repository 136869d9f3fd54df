"""Each layout that a profile ships for, read as a whole. The files are synthesised."""

from __future__ import annotations

from datetime import date, datetime
from typing import Any

import pytest

from ledger.statements.model import StatementRow
from tests.statements.files import SHIPPED, csv, profile, read, rows, shipped_text, xlsx

GEC_LIST = csv(
    "projectCode,projectName,province,city,county,year,month,productionYearMonth,issueType,"
    "gecUniqueCode,releaseQuantity,shelfLoad,unshelfLoad,soldQuantity,unsoldQuantity,traQuantity,"
    "unTraQuantity,ordinaryQuantity,greenQuantity",
    "PV-0001,Roof 屋顶光伏,Jiangsu,Suzhou,Wuzhong,2025,12,2025-12,new,GD2512-0001,120,0,120,0,120,"
    "100,20,80,20",
    "PV-0001,Roof 屋顶光伏,Jiangsu,Suzhou,Wuzhong,2026,1,2026-1,new,GD2601-0001,90,0,90,0,90,90,0,"
    "90,0",
    "PV-0002,Wall 墙面光伏,Jiangsu,Suzhou,Wuzhong,2026,1,2026-1,new,GD2601-0002,0,0,0,0,0,0,0,0,0",
)
BEIJING_HEADER = [
    "项目名称",
    "交易类型",
    "售方主体",
    "售方省份",
    "购方主体名称",
    "购方省份",
    "交易年份",
    "生产年月",
    "补贴类型",
    "绿证编码",
    "成交单价(元/个)",
    "成交数量(个)",
    "成交时间",
]


def test_gec_list_by_project_and_month() -> None:
    found = read(GEC_LIST, shipped_text("gec-list"))
    common: dict[str, Any] = {"status": "issued", "project": "PV-0001"}
    note = "projectName: Roof 屋顶光伏; issueType: new"
    assert list(found.rows) == [
        StatementRow(
            row=2, code="GD2512-0001", month="2025-12", class_="ordinary", first=0, end=80,
            note=note, **common,
        ),
        StatementRow(
            row=2, code="GD2512-0001", month="2025-12", class_="green-trade", first=80, end=100,
            note=note, **common,
        ),
        StatementRow(
            row=2, code="GD2512-0001", month="2025-12", class_="non-tradable", first=100, end=120,
            note=note, **common,
        ),
        StatementRow(
            row=3, code="GD2601-0001", month="2026-01", class_="ordinary", first=0, end=90,
            note=note, **common,
        ),
    ]  # fmt: skip
    assert [(one.rule, one.rows) for one in found.repairs] == [
        ("row left out, since it is about nothing: its quantity is 0", "4")
    ]


def test_gec_transactions_with_year_and_month_apart() -> None:
    text = shipped_text("gec-transactions").replace(
        "# [party.names]", '[party.names]\n"B-77" = "mill"\n#'
    )
    data = csv(
        "orderId,projectName,productionYear,productionMonth,transactionNum,transactionTime,"
        "transactionType,buyerUniqueCode",
        "T1,Roof,2025,12,30,2026-02-03T10:15:00+08:00,bilateral,B-77",
        "T2,Roof,2026,1,5,2026-02-04T00:00:00Z,listed,B-99",
    )
    assert rows(data, text) == [
        StatementRow(
            row=2, month="2025-12", first=0, end=30, status="transferred", party="mill",
            note="orderId: T1; projectName: Roof; transactionType: bilateral;"
            " transactionTime: 2026-02-03T02:15:00Z",
        ),
        StatementRow(
            row=3, month="2026-01", first=0, end=5, status="transferred",
            note="buyerUniqueCode: B-99; orderId: T2; projectName: Roof; transactionType: listed;"
            " transactionTime: 2026-02-04T00:00:00Z",
        ),
    ]  # fmt: skip


def test_trading_platform_with_american_times() -> None:
    text = shipped_text("gec-platform").replace("# [party]\n# value", "[party]\nvalue")
    data = csv(
        "订单号,订单时间,交易方名称,电量生产年月,交易量（张）,金额,订单状态,单价",
        'A1,"Feb 3, 2026, 1:30:00\u202fPM",Sunny Farm,202512,30,150.00,已完成,5.00',
        'A2,"Feb 4, 2026, 12:00:01\u202fAM",Sunny Farm,202512,7,35.00,已取消,5.00',
        'A3,"Feb 28, 2026, 11:59:59 PM",Sunny Farm,202601,1,5.00,已完成,5.00',
    )
    found = read(data, text)
    assert list(found.rows) == [
        StatementRow(
            row=2, month="2025-12", first=0, end=30, status="transferred", party="mill",
            note="订单号: A1; 交易方名称: Sunny Farm; 订单时间: 2026-02-03T05:30:00Z",
        ),
        StatementRow(
            row=4, month="2026-01", first=0, end=1, status="transferred", party="mill",
            note="订单号: A3; 交易方名称: Sunny Farm; 订单时间: 2026-02-28T15:59:59Z",
        ),
    ]  # fmt: skip
    assert [(one.rule, one.rows) for one in found.repairs] == [
        ("row left out, since its '订单状态' is not '已完成'", "3")
    ]
    # Prices are in columns that nobody looked at.
    assert "5.00" not in str(found.rows)


def test_beijing_exchange_below_a_title() -> None:
    text = shipped_text("gec-beijing").replace(
        "# [party.names]", '[party.names]\n"示例机械有限公司" = "mill"\n#'
    )
    data = xlsx(
        ["绿证交易成交明细"],
        BEIJING_HEADER,
        ["屋顶光伏", "双边协商", "阳光电站", "江苏", "示例机械有限公司", "江苏", 2026, "2025-12",
         "无补贴", "GD2512-0001", 5.2, 80, "2026-02-03 10:15:00"],
        ["屋顶光伏", "挂牌", "阳光电站", "江苏", "别处公司", "浙江", 2026, datetime(2026, 1, 1),  # noqa: DTZ001
         "无补贴", "GD2601-0001", 5, 90, datetime(2026, 2, 4, 8, 0, 0)],  # noqa: DTZ001
    )  # fmt: skip
    assert rows(data, text, name="trades.xlsx") == [
        StatementRow(
            row=3, code="GD2512-0001", month="2025-12", first=0, end=80, status="transferred",
            party="mill",
            note="项目名称: 屋顶光伏; 交易类型: 双边协商; 售方主体: 阳光电站; 补贴类型: 无补贴;"
            " 成交时间: 2026-02-03T02:15:00Z",
        ),
        StatementRow(
            row=4, code="GD2601-0001", month="2026-01", first=0, end=90, status="transferred",
            note="购方主体名称: 别处公司; 项目名称: 屋顶光伏; 交易类型: 挂牌; 售方主体: 阳光电站;"
            " 补贴类型: 无补贴; 成交时间: 2026-02-04T00:00:00Z",
        ),
    ]  # fmt: skip


def test_guangzhou_exchange_with_short_months() -> None:
    text = shipped_text("gec-guangzhou").replace(
        "# [party.names]", '[party.names]\n"示例机械有限公司" = "mill"\n#'
    )
    data = xlsx(
        ["订单编号", "成交时间", "买方名称", "电力生产年月", "交易量（张）", "价格", "交易金额"],
        ["G-1", "2026-02-03 10:15:00", "示例机械有限公司", "2025-9", 12, 4.5, 54],
    )
    assert rows(data, text, name="trades.xlsx") == [
        StatementRow(
            row=2, month="2025-09", first=0, end=12, status="transferred", party="mill",
            note="订单编号: G-1; 成交时间: 2026-02-03T02:15:00Z",
        )
    ]  # fmt: skip


def test_green_trade_settlement_of_energy() -> None:
    text = shipped_text("green-trade-settlement").replace(
        "# [party.names]", '[party.names]\n"4401000123" = "mill"\n#'
    )
    data = csv(
        "电费年月,组织编码,机构名称,市场化主体id,市场化主体名称,用户编号,社会编号,绿电环境价值电量,"
        "电价,创建时间,更新时间",
        "202512,0501,Suzhou,4401000123,示例机械,U-1,S-1,1234.567,0.02,2026-01-05,2026-01-05",
        "202512,0501,Suzhou,4401000123,示例机械,U-2,S-2,0,0.02,2026-01-05,2026-01-05",
        "202601,0501,Suzhou,4401000999,别处公司,U-9,S-9,0.001,0.02,2026-02-05,2026-02-05",
    ).encode("gb18030")
    found = read(data, text)
    assert list(found.rows) == [
        StatementRow(
            row=2, month="2025-12", first=0, end=0, status="transferred", party="mill",
            wh=1_234_567, note="市场化主体名称: 示例机械; 用户编号: U-1",
        ),
        StatementRow(
            row=4, month="2026-01", first=0, end=0, status="transferred", wh=1,
            note="市场化主体id: 4401000999; 市场化主体名称: 别处公司; 用户编号: U-9",
        ),
    ]  # fmt: skip
    assert [one.rows for one in found.repairs] == ["3"]


def test_ccer_holdings_by_serials() -> None:
    data = xlsx(
        ["项目编号", "项目名称", "起始编号", "截止编号", "数量(吨)", "减排量产生年月", "状态",
         "账户名称"],
        ["CCER-16-001", "海上风电", "CN-CCER-16-001-2025-000001",
         "CN-CCER-16-001-2025-000500", 500, "2025年6月", "持有", "某园区"],
        ["CCER-16-001", "海上风电", "CN-CCER-16-001-2025-000501",
         "CN-CCER-16-001-2025-000501", 1, "2025年06月", "已注销", "某园区"],
    )  # fmt: skip
    note = "账户名称: 某园区; 项目名称: 海上风电"
    common: dict[str, Any] = {
        "code": "CN-CCER-16-001-2025-",
        "month": "2025-06",
        "project": "CCER-16-001",
    }
    assert rows(data, shipped_text("ccer-holdings"), name="holdings.xlsx") == [
        StatementRow(row=2, first=1, end=501, status="held", note=note, **common),
        StatementRow(row=3, first=501, end=502, status="cancelled", note=note, **common),
    ]


def test_a_32_digit_code_is_cut_before_its_last_12() -> None:
    text = shipped_text("ccer-holdings").replace('format = "xlsx"', 'format = "csv"')
    data = csv(
        "项目编号,项目名称,起始编号,截止编号,数量(吨),减排量产生年月,状态,账户名称",
        "P,Roof,12345678901234567890000000000009,12345678901234567890000000000011,3,2025年6月,持有,a",
    )
    (row,) = rows(data, text)
    assert (row.code, row.first, row.end) == ("12345678901234567890", 9, 12)


def test_every_shipped_profile_has_a_test_here_and_a_title_in_two_languages() -> None:
    names = {path.stem for path in SHIPPED.glob("*.toml")}
    here = (SHIPPED.parents[2] / "tests" / "statements" / "test_layouts.py").read_text("utf-8")
    assert names
    assert {name for name in names if f'"{name}"' not in here} == set()
    for name in sorted(names):
        english, dot, chinese = profile(shipped_text(name)).title.partition(" · ")
        assert english.isascii(), name
        assert dot, name
        assert not chinese.isascii(), name


@pytest.mark.parametrize("as_of", [date(2026, 2, 1), date(2026, 12, 31)])
def test_a_list_of_any_day_after_its_months(as_of: date) -> None:
    assert len(rows(GEC_LIST, shipped_text("gec-list"), as_of=as_of)) == 4
