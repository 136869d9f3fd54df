"""Officers and four eyes (formats.md §4, §4.1): who else signs an entry that can't be undone.

An officer stands in the log under a random id, with one key. While the rule of its author is
``four-eyes``, an irreversible entry has the signatures of two officers of its author after its own.
"""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.note import VerifierKey, parse_vkey
from greenledger_verify.state import Officer, State
from greenledger_verify.text import say

FOUR_EYES: Final = "four-eyes"
OFFICERS_MIN: Final = 2
_FINAL_ACTS: Final = ("retire", "export", "withdraw", "cancel")
_ALWAYS: Final = (
    "claim.make",
    "claim.withdraw",
    "unit.disclose",
    "period.restate",
    "readings.erase",
)


def is_irreversible(entry: Entry) -> bool:
    if entry.type == "unit.move":
        return entry.text("act") in _FINAL_ACTS
    if entry.type == "scheme.register":
        return entry.text("replaces") != ""
    if entry.type == "party.approval":
        return entry.text("rule") == "none"
    if entry.type == "period.state":
        return entry.text("state") == "closed"
    return entry.type in _ALWAYS


def needs_officers(state: State, entry: Entry) -> bool:
    return is_irreversible(entry) and state.approvals.get(entry.author, "none") == FOUR_EYES


def officer_keys(state: State, entry: Entry) -> list[VerifierKey]:
    """Who prepared and who approved, by the last two signature lines: officers of the author, who
    have not ended, and two.
    """
    found = [
        _officer_key(state, entry, line.name, line.key_id.hex())
        for line in entry.note.signatures[-OFFICERS_MIN:]
    ]
    if found[0] == found[1]:
        raise VerificationError(
            "the officer {name} both prepared and approved it", name=found[0].name
        )
    return found


def _officer_key(state: State, entry: Entry, name: str, key_id: str) -> VerifierKey:
    officer = state.officers.get(name.rpartition(".")[2])
    if officer is None or officer.key.name != name or officer.key.key_id.hex() != key_id:
        raise VerificationError(
            "{name} ({id}) is no officer registered at this point of the log", name=name, id=key_id
        )
    if officer.party != entry.author:
        raise VerificationError(
            "{name} is an officer of {party}, not of the author {author}",
            name=name,
            party=officer.party,
            author=entry.author,
        )
    if officer.ended is not None:
        raise VerificationError(
            "the officer {name} may not sign any more: {ended}", name=name, ended=officer.ended
        )
    return officer.key


def register_rule(state: State, entry: Entry) -> None:
    officer = entry.text("officer")
    if state.complete and entry.author not in state.parties:
        raise VerificationError("party {party} is not registered", party=entry.author)
    key = parse_vkey(entry.text("vkey"))
    name = f"{state.origin}/{entry.author}.{officer}"
    if key.name != name:
        raise VerificationError(
            "{member} is named {given}, not {name}", member="vkey", given=key.name, name=name
        )
    if officer in state.officers:
        raise VerificationError("the officer {officer} was registered before", officer=officer)
    if key.public_key in state.public_keys:
        raise VerificationError("the public key of {vkey} was registered before", vkey=key.vkey)


def register_effect(state: State, entry: Entry) -> None:
    key = parse_vkey(entry.text("vkey"))
    state.officers[entry.text("officer")] = Officer(key=key, party=entry.author, index=state.index)
    state.public_keys.add(key.public_key)


def end_rule(state: State, entry: Entry) -> None:
    officer = state.officers.get(entry.text("officer"))
    if officer is None:
        if state.complete:
            raise VerificationError(
                "the officer {officer} was never registered", officer=entry.text("officer")
            )
        return
    if entry.author not in (state.operator, officer.party):
        raise VerificationError(
            "{author} is neither {party} nor the operator",
            author=entry.author,
            party=officer.party,
        )
    if officer.ended is not None:
        raise VerificationError(
            "the officer {name} may not sign any more: {ended}",
            name=officer.key.name,
            ended=officer.ended,
        )


def end_effect(state: State, entry: Entry) -> None:
    if entry.text("officer") in state.officers:
        state.end_officer(entry.text("officer"), say("ended by entry {index}", index=state.index))


def approval_rule(state: State, entry: Entry) -> None:
    if not state.complete:
        return
    party, rule = entry.author, entry.text("rule")
    if party not in state.parties:
        raise VerificationError("party {party} is not registered", party=party)
    if state.approvals.get(party, "none") == rule:
        raise VerificationError(
            "the rule of approval of {party} is {rule} already", party=party, rule=rule
        )
    count = sum(one.party == party and one.ended is None for one in state.officers.values())
    if rule == FOUR_EYES and count < OFFICERS_MIN:
        raise VerificationError(
            "{party} has {count} officers; four eyes need two", party=party, count=count
        )


def approval_effect(state: State, entry: Entry) -> None:
    state.approvals[entry.author] = entry.text("rule")


OFFICER_RULES: Final = {
    "officer.register": (register_rule, register_effect),
    "officer.end": (end_rule, end_effect),
    "party.approval": (approval_rule, approval_effect),
}
