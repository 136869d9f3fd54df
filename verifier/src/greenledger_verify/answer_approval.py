"""The line of an answer that says who approved: which irreversible entries two officers signed."""

from greenledger_verify.answer import name_of
from greenledger_verify.evidence import VerifiedEvidence
from greenledger_verify.officerrules import OFFICERS_MIN, is_irreversible
from greenledger_verify.report import Line
from greenledger_verify.text import say


def approval_line(verified: VerifiedEvidence) -> Line:
    """Of the claim, those that it replaces, and their retirements. Signatures are judged before."""
    acts = [
        (index, entry)
        for index, entry in sorted(verified.evidence.entries.items())
        if is_irreversible(entry) and entry.type in ("claim.make", "unit.move")
    ]
    by_two = [index for index, entry in acts if len(entry.note.signatures) > OFFICERS_MIN]
    alone = [index for index, _ in acts if index not in by_two]
    texts = []
    if by_two:
        texts.append(
            say(
                "four eyes: one officer prepared and another approved the entries {entries}",
                entries=by_two,
            )
        )
    if alone:
        texts.append(
            say(
                "no four eyes: the entries {entries} are signed by their author alone",
                entries=alone,
            )
        )
    values: dict[str, object] = {
        "four_eyes": not alone,
        "acts": [
            {
                "entry": index,
                "type": entry.type,
                "author": entry.author,
                "officers": [line.name.rpartition(".")[2] for line in entry.note.signatures[1:]],
            }
            for index, entry in acts
        ],
    }
    return Line(name=name_of("approval"), texts=tuple(texts), values=values)
