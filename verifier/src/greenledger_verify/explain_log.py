"""What a verified tile directory means, in words."""

from dataclasses import asdict

from greenledger_verify.explain import explain_checkpoint, utc
from greenledger_verify.logdir import LogDirectory
from greenledger_verify.lotbook import LotBook
from greenledger_verify.officerrules import FOUR_EYES
from greenledger_verify.pins import explain_pins
from greenledger_verify.report import Report
from greenledger_verify.state import State
from greenledger_verify.text import say
from greenledger_verify.trust import Trust
from greenledger_verify.unitbook import UnitBook


def explain_log(log: LogDirectory, trust: Trust, report: Report) -> None:
    explain_checkpoint(log.signed, trust, report)
    explain_pins(log.signed.checkpoint, log.roots, trust, report)
    report.establish(
        "Every tile follows from the entries: {tiles} present ones, {older} older partial ones.",
        tiles=log.tiles,
        older=log.older_tiles,
    )
    if log.state is None:
        _explain_foreign(report, log.signed.checkpoint.size)
    else:
        _explain_rules(log.state, report)
    if log.files_beyond:
        report.leave_open(
            "What {count} further files under tile/ hold, which this checkpoint does not cover: "
            "{files}.",
            count=len(log.files_beyond),
            files=log.files_beyond[:5],
        )
    if trust.pins_of(log.signed.checkpoint.origin):
        report.leave_open("That this is the newest checkpoint of the log.")
    else:
        report.leave_open(
            "That this is the newest checkpoint of the log, or that it extends one which you saw "
            "before (greenledger-verify consistency)."
        )


def _explain_foreign(report: Report, size: int) -> None:
    if size:
        report.leave_open(
            "That any rule of the ledger is kept: none of the entries is one of greenledger, there "
            "is no genesis. Nothing can be proven from this log."
        )
    else:
        report.leave_open("Anything about parties, keys or readings: the log is empty.")


def _explain_rules(state: State, report: Report) -> None:
    report.establish(
        "Each entry keeps the public rules: form, signatures by keys in force, order in time, "
        "numbering, registrations."
    )
    report.establish(
        "Entries by type: {counts}.",
        counts=[f"{name} {count}" for name, count in sorted(state.counts.items())],
    )
    if state.predecessor is not None:
        report.establish(
            "The log follows another one, {origin}, as of {size} entries with the root {root} (key "
            "{vkey}); nothing of months before {since} is divided here.",
            **asdict(state.predecessor),
        )
        report.leave_open(
            "That {origin} did not go on as well: take nothing from it of after this log began.",
            origin=state.predecessor.origin,
        )
    ended = sum(key.ended is not None for key in state.keys.values())
    report.establish(
        "{parties} parties with {keys} keys, {ended} of them replaced or revoked; the operator is "
        "{operator}.",
        parties=len(state.parties),
        keys=len(state.keys),
        ended=ended,
        operator=state.operator,
    )
    if state.officers:
        report.establish(
            "{officers} officers, {ended} of them ended; four eyes are the rule of: {parties}. "
            "Irreversible entries made under it are signed by two officers each.",
            officers=len(state.officers),
            ended=sum(one.ended is not None for one in state.officers.values()),
            parties=sorted(one for one, rule in state.approvals.items() if rule == FOUR_EYES)
            or say("nobody"),
        )
        report.leave_open("That two officers are two people: the log knows them by random ids.")
    if state.periods:
        report.establish(
            "{periods} accounting periods, of them {closed} closed; each went its way step by "
            "step.",
            periods=len(state.periods),
            closed=sum(where == "closed" for where, _ in state.periods.values()),
        )
        report.leave_open(
            "That nothing was added to a closed period: whose readings and of what time they are "
            "stands in bodies."
        )
    _explain_records(state, report)
    if state.erased:
        report.establish(
            "{batches} batches of readings were erased, by the entries {entries}: their values are "
            "gone for good.",
            batches=len(state.erased),
            entries=sorted(set(state.erased.values())),
        )
        report.leave_open(
            "What was computed from erased readings: nobody can compute it again; it stands on the "
            "word of the log, which has compared it when it was made."
        )
    _explain_lots(state.lots, report)
    _explain_units(state.units, report)
    report.establish(
        "The last tick, the operator's word for the time, is {time}.", time=utc(state.tick_s)
    )
    report.leave_open(
        "What stands in bodies: values, points, contracts and allocations are not in the public "
        "log."
    )
    if state.lots.created:
        report.leave_open(
            "What lots and claims are worth, whose points they are of, and that no more was "
            "divided than the meters showed: evidence files show that (greenledger-verify "
            "evidence)."
        )
    report.leave_open(
        "That registrants own their points and contracts, and that batches are sent by those who "
        "may: owners stand in bodies."
    )
    report.leave_open(
        "That the ticks tell the true time: only witnesses or time-stamps outside the log could "
        "show it."
    )
    report.leave_open("That the meters told the truth.")


def _explain_records(state: State, report: Report) -> None:
    if state.records:
        report.establish(
            "{names} names of records, {current} of them in force; each is its first author's, who "
            "alone replaced or ended it.",
            names=len(state.records),
            current=sum(one.in_force for one in state.records.values()),
        )
    if state.reports:
        report.establish(
            "{reports} published reports in {versions} versions, each after the one that it "
            "replaces.",
            reports=len(state.reports),
            versions=sum(one.number + 1 for one in state.reports.values()),
        )
    if state.records or state.reports:
        report.leave_open(
            "What records and reports say, and that a report is what follows from the log at the "
            "size that it names: that stands in bodies; the audit of a log with bodies computes it "
            "again."
        )


def _explain_units(book: UnitBook, report: Report) -> None:
    """Of a book that holds a batch at all."""
    if not book.issued:
        return
    report.establish(
        "{batches} batches of units were issued, each revision once; {holdings} holdings, of them "
        "{ended} ended, none twice; {retirements} retirements, of them {claimed} in claims and "
        "{disclosed} disclosed.",
        batches=len(book.issued),
        holdings=len(book.holdings),
        ended=sum(holding.ended_by >= 0 for holding in book.holdings.values()),
        retirements=len(book.retirements),
        claimed=len(book.claimed),
        disclosed=sum(made.named_by >= 0 for made in book.retirements.values()),
    )
    report.leave_open(
        "How many units a batch or a holding has and whose they are, and that what moves or is "
        "retired comes out even: evidence files show that of the units of a claim."
    )


def _explain_lots(book: LotBook, report: Report) -> None:
    """Counts, and that nothing is used twice: of a book that holds a lot at all."""
    if not book.created:
        return
    report.establish(
        "{lots} lots were created from {origins} origins, each divided once; {spent} of them are "
        "spent, none twice; {wraps} wraps, no two of one form on one lot.",
        lots=len(book.created),
        origins=len(book.divided),
        spent=len(book.spent),
        wraps=len(book.wrapped),
    )
    claims = book.claims.values()
    short = sum(claim.short for claim in claims)
    report.establish(
        "{count} claims: {in_force} in force, of them {short} short; {replaced} replaced, "
        "{withdrawn} withdrawn.",
        count=len(claims),
        in_force=sum(claim.ended is None for claim in claims),
        short=short,
        replaced=sum(claim.ended_how == "replaced" for claim in claims),
        withdrawn=sum(claim.ended_how == "withdrawn" for claim in claims),
    )
