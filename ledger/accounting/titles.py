"""What lines are called, in Chinese and English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from ledger.accounting.lines import Title

CLASSES: Final[Mapping[str, Title]] = {
    "self": {"zh": "自发自用", "en": "Self-use"},
    "direct": {"zh": "绿电直供", "en": "Direct supply"},
    "storage": {"zh": "储能放电（绿电充入）", "en": "Storage, charged green"},
    "traded": {"zh": "绿电交易", "en": "Green trade"},
    "timestamped": {"zh": "时间戳证书", "en": "Time-stamped certificates"},
    "unbundled": {"zh": "单独绿证", "en": "Separate certificates"},
    "residual": {"zh": "剩余电网电量", "en": "Residual grid electricity"},
    "export": {"zh": "外供电力", "en": "Electricity sold"},
    "losses": {"zh": "线路与变压器损耗", "en": "Line and transformer losses"},
    "storage-losses": {"zh": "储能损耗", "en": "Storage losses"},
}
CATEGORIES: Final[Mapping[str, Title]] = {
    "electricity": {"zh": "电力", "en": "Electricity"},
    "fuel": {"zh": "燃料燃烧", "en": "Fuel"},
    "process": {"zh": "工业过程", "en": "Process"},
    "conversion": {"zh": "能源转换", "en": "Conversion"},
    "heat": {"zh": "热力", "en": "Heat"},
    "refrigerant": {"zh": "制冷剂", "en": "Refrigerants"},
    "transport": {"zh": "运输", "en": "Transport"},
    "material": {"zh": "物料", "en": "Materials"},
    "sink": {"zh": "碳汇", "en": "Sinks"},
    "biogenic": {"zh": "生物源二氧化碳", "en": "Biogenic CO2"},
    "ccus": {"zh": "碳捕集利用与封存", "en": "CCUS"},
    "offset": {"zh": "抵消", "en": "Offsets"},
    "other-gas": {"zh": "本制度不计的气体", "en": "Gases outside the regime"},
    "transfer": {"zh": "园区内部转移", "en": "Internal transfers"},
}


def of_class(name: str, technology: str) -> Title:
    title = CLASSES[name]
    if not technology:
        return title
    return {"zh": f"{title['zh']}（{technology}）", "en": f"{title['en']} ({technology})"}


def of_item(category: str, item: str, direction: str) -> Title:
    title = CATEGORIES[category]
    out = direction == "out"
    return {
        "zh": f"{title['zh']} {item}{'（输出）' * out}",
        "en": f"{title['en']}: {item}{', out' * out}",
    }
