"""Rules on the keys of the log (formats.md §4.1): which may come, and which may end."""

from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.logkeys import END, REGISTER
from greenledger_verify.note import ED25519, VerifierKey, parse_vkey
from greenledger_verify.state import State

IN_FORCE_MAX: Final = 4


def _named_key(state: State, entry: Entry) -> VerifierKey:
    if entry.author != state.operator:
        raise VerificationError(
            "only the operator {operator} may make a {type}, not {author}",
            operator=state.operator,
            type=entry.type,
            author=entry.author,
        )
    key = parse_vkey(entry.text("log_vkey"))
    if key.name != state.origin:
        raise VerificationError(
            "{member} is named {given}, not {name}",
            member="log_vkey",
            given=key.name,
            name=state.origin,
        )
    return key


def _register_rule(state: State, entry: Entry) -> None:
    key = _named_key(state, entry)
    if any(one.key.key_id == key.key_id for one in state.log_keys.keys):
        raise VerificationError("key {id} is or was one of the log's", id=key.key_id)
    if key.public_key in state.public_keys:
        raise VerificationError("the public key of {vkey} was registered before", vkey=key.vkey)
    count = sum(one.kind == key.kind for one in state.log_keys.present())
    if count >= (IN_FORCE_MAX if key.kind == ED25519 else 1):
        raise VerificationError(
            "the log has {count} keys of this kind in force, which is the most", count=count
        )


def _register_effect(state: State, entry: Entry) -> None:
    state.log_keys.take(entry, state.index)
    state.public_keys.add(parse_vkey(entry.text("log_vkey")).public_key)


def _end_rule(state: State, entry: Entry) -> None:
    key = _named_key(state, entry)
    found = state.log_keys.find(key.vkey)
    if found is None:
        raise VerificationError("the log has no key {id}", id=key.key_id)
    if found.ended is not None:
        raise VerificationError(
            "the key {id} of the log ended with entry {index}", id=key.key_id, index=found.ended
        )


def _end_effect(state: State, entry: Entry) -> None:
    state.log_keys.take(entry, state.index)


LOG_KEY_RULES: Final = {
    REGISTER: (_register_rule, _register_effect),
    END: (_end_rule, _end_effect),
}
