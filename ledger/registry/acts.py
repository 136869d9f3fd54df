"""Whether an act keeps the rules: pure, on the holdings that it ends and what it begins.

An act ends holdings whole. What it begins and what is gone are the same units, by batch and class;
units that go to another owner have changed hands once more.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from ledger.errors import InvalidInput, Refused
from ledger.registry import lifecycle
from ledger.registry.leaves import Act, Gone, Piece, Use
from ledger.registry.ranges import SerialRange, require_even
from ledger.registry.scheme import CERTIFICATE, COMPLIANCE, Scheme
from ledger.units import QUARTER_HOUR_S, Period, format_instant


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """A holding that an act ends, with what counts for it. `expires_s`: None for never."""

    piece: Piece
    owner: str
    state: str
    expires_s: int | None
    produced: Period


@dataclass(frozen=True, slots=True, kw_only=True)
class Doing:
    """An act as its entry says it. `owners`: of what it begins. `tick_s`: the log's time."""

    name: str
    author: str
    operator: str
    act: Act
    owners: Mapping[bytes, str]
    tick_s: int
    zone_s: int


def check(rules: Scheme, doing: Doing, ended: Sequence[Ended]) -> None:
    """Raises InvalidInput or Refused with the rule that the act breaks."""
    lifecycle.require_counts(doing.name, len(ended), len(doing.act.begun))
    for one in ended:
        _check_may(doing, one)
    if len({one.owner for one in ended}) != 1:
        raise Refused(f"{doing.name} ends holdings of one owner, not of several")
    if doing.act.ended != tuple(one.piece for one in ended):
        raise InvalidInput("the act does not say what the holdings are that it ends")
    require_even(_by_class(doing.act.ended), _by_class([*doing.act.begun, *doing.act.gone]))
    if doing.name in lifecycle.GIVING:
        _check_given(doing, ended[0].owner)
    for piece in doing.act.begun:
        _check_begun(rules, doing, piece, ended)
    if doing.name in lifecycle.MARKING:
        _check_marked(doing)
    if doing.name == lifecycle.RETIRE:
        _check_use(rules, doing, ended)


def _by_class(found: Sequence[Piece | Gone]) -> dict[tuple[str, str], list[SerialRange]]:
    grouped: dict[tuple[str, str], list[SerialRange]] = defaultdict(list)
    for one in found:
        grouped[str(one.batch), one.class_].append(one.units)
    return grouped


def _check_may(doing: Doing, one: Ended) -> None:
    """State, author and time."""
    holding = one.piece.holding.hex()
    lifecycle.require_allowed(doing.name, holding, one.state)
    by = lifecycle.by_whom(doing.name, one.state)
    if by == lifecycle.OPERATOR:
        if doing.author != doing.operator:
            raise Refused(
                f"{doing.name} of a holding that is {one.state} is the operator's"
                f" ({doing.operator!r}), not of {doing.author!r}"
            )
    elif doing.author != one.owner and (by, doing.author) != (lifecycle.EITHER, doing.operator):
        raise Refused(
            f"holding {holding} (units {one.piece.batch}:{one.piece.units}) belongs to"
            f" {one.owner!r}: {doing.author!r} can't {doing.name} it"
        )
    over = one.expires_s is not None and one.expires_s <= doing.tick_s
    if doing.name in lifecycle.TIMED and over:
        assert one.expires_s is not None
        raise Refused(
            f"units {one.piece.batch}:{one.piece.units} are valid no more, since"
            f" {format_instant(one.expires_s)}: they can't {doing.name}, only expire"
        )
    if doing.name == lifecycle.EXPIRE and not over:
        until = "for good" if one.expires_s is None else f"until {format_instant(one.expires_s)}"
        raise Refused(f"units {one.piece.batch}:{one.piece.units} are valid {until}")


def _check_begun(rules: Scheme, doing: Doing, piece: Piece, ended: Sequence[Ended]) -> None:
    """What is begun is part of one holding that ended, or the sum of several that adjoin."""
    parents = [
        one
        for one in ended
        if one.piece.batch == piece.batch
        and one.piece.class_ == piece.class_
        and one.piece.units.overlaps(piece.units)
    ]
    if len(parents) > 1 and doing.name != lifecycle.MERGE:
        raise InvalidInput(f"units {piece.batch}:{piece.units} are of several holdings")
    moves = {one.piece.moves for one in parents}
    if len(moves) != 1:
        raise Refused(f"units {piece.batch}:{piece.units} changed hands {sorted(moves)} times")
    parent = parents[0]
    given = doing.owners[piece.holding] != parent.owner
    if given and doing.name not in lifecycle.GIVING:
        raise Refused(f"{doing.name} gives nothing to another owner")
    if piece.moves != parent.piece.moves + given:
        raise InvalidInput(
            f"units {piece.batch}:{piece.units} have then changed hands"
            f" {parent.piece.moves + given} times, not {piece.moves}"
        )
    if given:
        _check_giving(rules, doing, piece)
    elif doing.name in lifecycle.FINAL | lifecycle.GIVING and parent.state != lifecycle.ACTIVE:
        raise Refused(
            f"holding {parent.piece.holding.hex()} is {parent.state}: it is used whole, or released"
            " first"
        )


def _check_giving(rules: Scheme, doing: Doing, piece: Piece) -> None:
    """Self-use at most once, to the actual user; green trade with the power alone (invariant 8)."""
    class_ = rules.class_of(piece.class_)
    if piece.moves > class_.moves_max:
        raise Refused(
            f"units {piece.batch}:{piece.units} are of class {class_.name}, which changes hands"
            f" {class_.moves_max} times at most: they can't {doing.name} again"
        )
    if class_.moved_by != doing.name:
        raise Refused(
            f"units {piece.batch}:{piece.units} are of class {class_.name}, which changes hands by"
            f" {class_.moved_by} alone, not by {doing.name}"
        )


def _check_given(doing: Doing, owner: str) -> None:
    if all(to == owner for to in doing.owners.values()):
        raise Refused(f"{doing.name} gives units to another owner than {owner!r}")


def _check_marked(doing: Doing) -> None:
    ended = sorted((str(one.batch), one.class_, one.units) for one in doing.act.ended)
    begun = sorted((str(one.batch), one.class_, one.units) for one in doing.act.begun)
    if ended != begun:
        raise Refused(f"{doing.name} changes a state, not how units are cut")


def _check_use(rules: Scheme, doing: Doing, ended: Sequence[Ended]) -> None:
    """One beneficiary, one purpose (invariant 12); a vintage that fits."""
    act, use = doing.act, Use.from_json(doing.act.terms)
    if act.terms["units"] != act.gone_units:
        raise InvalidInput(f"{act.gone_units} units are gone, not {act.terms['units']}")
    if len({one.class_ for one in act.gone}) != 1:
        raise Refused("a retirement is of one class of units")
    if use.purpose not in rules.purposes:
        raise Refused(
            f"purpose {use.purpose!r} is none of scheme {rules.scheme}, {rules.name}; it has"
            f" {', '.join(rules.purposes)}"
        )
    if bool(use.obligation) != (use.purpose in COMPLIANCE):
        raise InvalidInput(
            f"an obligation stands exactly with the purposes {', '.join(sorted(COMPLIANCE))}"
        )
    if rules.kind != CERTIFICATE:
        return
    if use.period.start_s % QUARTER_HOUR_S or use.period.end_s % QUARTER_HOUR_S:
        raise InvalidInput(
            f"certificates are used for whole quarter-hours, not from"
            f" {format_instant(use.period.start_s)} to {format_instant(use.period.end_s)}"
        )
    gone = {one.batch for one in act.gone}
    for one in ended:
        if one.piece.batch in gone and not rules.fits_whole(one.produced, use.period, doing.zone_s):
            raise Refused(
                f"units of batch {one.piece.batch} were produced from"
                f" {format_instant(one.produced.start_s)} on; for what is used from"
                f" {format_instant(use.period.start_s)} to {format_instant(use.period.end_s)},"
                f" scheme {rules.scheme} wants the same calendar year"
            )
