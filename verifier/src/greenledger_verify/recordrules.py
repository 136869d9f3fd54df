"""The public rules on records and reports (formats.md §4.1), by headers.

A name of a record is its first author's, a report its first author's and of one kind; each entry
names the one before. What they say stands in bodies: the ledger's audit reads and computes that.
"""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import random_id
from greenledger_verify.recordforms import PRIVATE_REGISTERS
from greenledger_verify.state import NamedRecord, ReportVersion, State
from greenledger_verify.text import say


def _key(entry: Entry) -> tuple[str, str]:
    return entry.text("register"), entry.text("name")


def _require_replaces(entry: Entry, name: str, current: str) -> None:
    if entry.text("replaces") != current:
        raise VerificationError(
            "replaces is {given}, but the last entry of {name} is {current}",
            given=entry.text("replaces") or say("empty"),
            name=name,
            current=current or say("nothing"),
        )


def put_rule(state: State, entry: Entry) -> None:
    if entry.text("register") in PRIVATE_REGISTERS:
        try:
            random_id(entry.text("name"))
        except VerificationError:
            raise VerificationError(
                "the name {name} is public; in the register {register} it is a random id",
                name=entry.text("name"),
                register=entry.text("register"),
            ) from None
    before = state.records.get(_key(entry))
    if not state.complete:
        return
    name = " ".join(_key(entry))
    if before is not None and before.author != entry.author:
        raise VerificationError(
            "{name} is a record of {party}, not of {author}",
            name=name,
            party=before.author,
            author=entry.author,
        )
    _require_replaces(entry, name, before.id if before else "")


def put_effect(state: State, entry: Entry) -> None:
    state.records[_key(entry)] = NamedRecord(
        author=entry.author, id=entry.text("id"), in_force=entry.type == "record.put"
    )


def end_rule(state: State, entry: Entry) -> None:
    put_rule(state, entry)
    before = state.records.get(_key(entry))
    if state.complete and (before is None or not before.in_force):
        raise VerificationError("{name} is not in force: nothing ends", name=" ".join(_key(entry)))


def publish_rule(state: State, entry: Entry) -> None:
    if entry.integer("as_of") > state.index:
        raise VerificationError(
            "as_of is {given}, beyond the entries before entry {index}",
            given=entry.integer("as_of"),
            index=state.index,
        )
    if not state.complete:
        return
    report = entry.text("report")
    before = state.reports.get(report)
    _require_replaces(entry, report, before.id if before else "")
    if before is None:
        return
    if (before.author, before.kind) != (entry.author, entry.text("kind")):
        raise VerificationError(
            "the report {report} is {kind} of {party}, always; this is {given} of {author}",
            report=report,
            kind=before.kind,
            party=before.author,
            given=entry.text("kind"),
            author=entry.author,
        )
    if entry.integer("as_of") < before.as_of:
        raise VerificationError(
            "the report {report} knows {before} entries, its later version {given}",
            report=report,
            before=before.as_of,
            given=entry.integer("as_of"),
        )


def publish_effect(state: State, entry: Entry) -> None:
    before = state.reports.get(entry.text("report"))
    state.reports[entry.text("report")] = ReportVersion(
        author=entry.author,
        kind=entry.text("kind"),
        id=entry.text("id"),
        as_of=entry.integer("as_of"),
        number=before.number + 1 if before else 0,
    )


RECORD_RULES: Final = {
    "record.put": (put_rule, put_effect),
    "record.end": (end_rule, put_effect),
    "report.publish": (publish_rule, publish_effect),
}
