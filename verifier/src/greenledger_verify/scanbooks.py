"""The books of lots and units as the fast scan fills them: entry by entry, whoever signed it.

Only what formats.md §4.1 says in bold, and what else makes a use the only one, is asked here.
"""

from dataclasses import dataclass, field

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.lotbook import LotBook
from greenledger_verify.quick import QuickEntry
from greenledger_verify.succession import SUCCEED
from greenledger_verify.unitbook import UnitBook

AnyEntry = Entry | QuickEntry


@dataclass(slots=True, kw_only=True)
class Books:
    """``operator`` is who the genesis names; its acts can't be told from others otherwise.
    ``follows``: the log before, where there is one.
    """

    operator: str
    follows: str = ""
    lots: LotBook = field(default_factory=lambda: LotBook(complete=True))
    units: UnitBook = field(default_factory=lambda: UnitBook(complete=True))

    def take(self, entry: AnyEntry, index: int) -> None:
        """Judge an entry and take it in; what is of no interest is passed over."""
        kind = entry.type.partition(".")[0]
        if entry.type == SUCCEED:
            self._take_succession(entry, index)
        elif kind == "lot":
            self._take_lots(entry, index)
        elif kind == "claim":
            self._take_claim(entry, index)
        elif kind == "unit":
            self._take_units(entry, index)
        elif kind in ("scheme", "project"):
            scheme = entry.text("scheme")
            name = (kind, scheme) if kind == "scheme" else (kind, scheme, entry.text("project"))
            self.units.check_registration(name, entry.text("replaces"))
            self.units.register(index, name, entry.text("id"), entry.text("replaces"))
        elif entry.type == "reduction.record":
            self.units.check_record(entry.text("record"))
            self.units.record(index, entry.author, entry.text("record"))
        elif entry.type == "reduction.verify":
            self.units.check_verify(entry.text("record"))
            self.units.verify(index, entry.text("record"))

    def _take_succession(self, entry: AnyEntry, index: int) -> None:
        if index != 1:
            raise VerificationError(
                "log.succeed is entry 1 and only that; this is entry {index}", index=index
            )
        self.lots.since = entry.text("since")
        self.follows = entry.text("origin")

    def _take_lots(self, entry: AnyEntry, index: int) -> None:
        if entry.type == "lot.divide":
            lots = entry.texts("origins"), entry.texts("spends"), entry.texts("creates")
            self.lots.check_divide(entry.text("run"), *lots)
            self.lots.divide(index, entry.text("run"), *lots)
        else:
            self.lots.check_wrap(entry.text("form"), entry.texts("wraps"))
            self.lots.wrap(index, entry.text("form"), entry.texts("wraps"))

    def _take_claim(self, entry: AnyEntry, index: int) -> None:
        claim = entry.text("claim")
        if entry.type == "claim.make":
            made = claim, entry.text("replaces"), entry.texts("spends")
            self.lots.check_make(entry.author, *made)
            self.units.check_claim(entry.texts("retires"))
            self.lots.make(index, entry.author, *made, entry.texts("retires"))
            self.units.claim(index, entry.texts("retires"))
        elif entry.type == "claim.withdraw":
            self.lots.check_withdraw(entry.author, claim, self.operator)
            self.lots.withdraw(index, claim)
        else:
            self.lots.check_flag(claim, entry.text("state"))
            self.lots.flag(index, claim, entry.text("state"))

    def _take_units(self, entry: AnyEntry, index: int) -> None:
        if entry.type == "unit.issue":
            batches = entry.text("scheme"), entry.texts("batches"), entry.texts("begins")
            lots = entry.texts("spends"), entry.texts("wraps")
            self.units.check_issue(*batches)
            self.lots.check_issue(*lots)
            scheme, names, begins = batches
            self.units.issue(index, scheme, entry.text("state"), names, begins)
            self.lots.issue(index, *lots)
        elif entry.type == "unit.move":
            act, retirement = entry.text("act"), entry.text("retirement")
            holdings = entry.texts("ends"), entry.texts("begins")
            by_operator = entry.author == self.operator
            self.units.check_move(act, retirement, *holdings, by_operator=by_operator)
            self.units.move(index, entry.author, act, retirement, *holdings)
        else:
            self.units.check_disclose(entry.author, entry.text("retirement"))
            self.units.disclose(index, entry.text("retirement"))
