"""Whatever is put and ended, by whomever: `current` and `history` say what a plain dict says."""

from __future__ import annotations

import random

from ledger.db import reading
from ledger.errors import NotFound, Refused
from ledger.house import House
from ledger.records import service, store

STEPS = 40


def test_records_beside_a_model(house: House) -> None:
    chance = random.Random(20261126)
    # {name: [(entry, author, value; None of an end)]}, in order of the log
    model: dict[str, list[tuple[int, str, int | None]]] = {}
    refused = 0
    for value in range(STEPS):
        name, author = chance.choice(["a", "b", "c"]), chance.choice(["mill", "mill", "farm"])
        rows = model.get(name, [])
        ends = chance.random() < 0.3
        mine = not rows or rows[0][1] == author
        allowed = mine and (not ends or bool(rows and rows[-1][2] is not None))
        try:
            if ends:
                receipt = service.end(house.desk, "standard", name, "over", author=author)
            else:
                content = {"value": value}
                receipt = service.put(house.desk, "standard", name, content, author=author)
        except (NotFound, Refused):
            assert not allowed, (name, author, ends, rows)
            refused += 1
            continue
        assert allowed, (name, author, ends, rows)
        model.setdefault(name, []).append((receipt.index, author, None if ends else value))
    assert 5 < refused < STEPS - 15
    size = 1 + max(rows[-1][0] for rows in model.values())
    with reading(house.engine) as conn:
        for as_of in range(size + 1):
            last = {
                name: [row for row in rows if row[0] < as_of][-1]
                for name, rows in model.items()
                if rows[0][0] < as_of
            }
            for of in (None, "mill", "farm"):
                found = store.current(conn, 1, "standard", as_of=as_of, author=of)
                assert {
                    name: (one.entry_index, one.author, one.content["value"])
                    for name, one in found.items()
                } == {
                    name: row
                    for name, row in last.items()
                    if row[2] is not None and of in (None, row[1])
                }
                assert list(found) == sorted(found)
        for name, rows in model.items():
            history = store.history(conn, 1, "standard", name)
            assert [
                (one.entry_index, one.author, one.content.get("value")) for one in history
            ] == rows
            assert [one.number for one in history] == list(range(len(rows)))
