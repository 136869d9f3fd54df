"""Who signed an entry (formats.md §4): exactly the keys that its type requires, in order.

A party's key signs from the entry after its registration until it is replaced or revoked, and only
under its party's name.
"""

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.logkeys import LOG_KEY_TYPES, REGISTER, endorser
from greenledger_verify.note import ED25519, VerifierKey, parse_vkey, verify_signature
from greenledger_verify.officerrules import OFFICERS_MIN, needs_officers, officer_keys
from greenledger_verify.state import RegisteredKey, State


def author_is_operator(state: State, entry: Entry) -> None:
    if entry.author != state.operator:
        raise VerificationError(
            "only the operator {operator} may make a {type}, not {author}",
            operator=state.operator,
            type=entry.type,
            author=entry.author,
        )


def check_signatures(state: State, entry: Entry) -> RegisteredKey:
    """The author's key first; then the proof of possession of a new key, or the log's key under the
    genesis and what brings or ends one of its keys; or, under an irreversible entry of an author
    with four eyes, the two officers' keys.
    """
    lines = entry.note.signatures
    others = _other_signers(state, entry)
    by_officers = needs_officers(state, entry)
    required = 1 + len(others) + (OFFICERS_MIN if by_officers else 0)
    if len(lines) != required:
        raise VerificationError(
            "it has {given} signatures; {type} requires {required}",
            given=len(lines),
            type=entry.type,
            required=required,
        )
    signer = _author_key(state, entry)
    keys = [signer.key, *others]
    if by_officers:
        keys += officer_keys(state, entry)
    for line, key in zip(lines, keys, strict=True):
        if (line.name, line.key_id) != (key.name, key.key_id):
            raise VerificationError(
                "signature by {given}, where {required} must sign",
                given=f"{line.name}+{line.key_id.hex()}",
                required=f"{key.name}+{key.key_id.hex()}",
            )
        verify_signature(key, line.signature, entry.note.text)
    return signer


def _other_signers(state: State, entry: Entry) -> list[VerifierKey]:
    """Who signs after the author, officers aside."""
    if entry.type == "log.genesis":
        return [parse_vkey(entry.text("log_vkey"))]
    if entry.type in ("key.register", "officer.register"):
        return [parse_vkey(entry.text("vkey"))]
    if entry.type not in LOG_KEY_TYPES:
        return []
    signers, key = [endorser(state.log_keys, entry)], parse_vkey(entry.text("log_vkey"))
    # An ML-DSA-44 key signs checkpoints, and nothing else.
    return [*signers, key] if entry.type == REGISTER and key.kind == ED25519 else signers


def _author_key(state: State, entry: Entry) -> RegisteredKey:
    """The key in the first signature line: registered for the author, neither replaced nor
    revoked.
    """
    if entry.type == "log.genesis":
        return genesis_key(entry, state.index)
    line = entry.note.signatures[0]
    name = f"{state.origin}/{entry.author}"
    if line.name != name:
        raise VerificationError(
            "the first signature is by {given}, not by the author {name}",
            given=line.name,
            name=name,
        )
    key = state.keys.get((entry.author, line.key_id.hex()))
    if key is None:
        raise VerificationError(
            "key {id} is not registered for {party} at this point of the log",
            id=line.key_id,
            party=entry.author,
        )
    if key.ended is not None:
        raise VerificationError(
            "key {id} of {party} may not sign any more: {ended}",
            id=line.key_id,
            party=entry.author,
            ended=key.ended,
        )
    return key


def genesis_key(entry: Entry, index: int) -> RegisteredKey:
    """The genesis stands for the registration of the operator's first key. Its custody is not
    stated: the least is assumed.
    """
    return RegisteredKey(
        key=parse_vkey(entry.text("vkey")),
        party=entry.author,
        custody="operator",
        device="none",
        index=index,
    )
