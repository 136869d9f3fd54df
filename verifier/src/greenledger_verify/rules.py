"""The public rules of the log (formats.md §4): which entry may follow which, and who must sign it.

The state is what the entries before say; ``apply`` judges one entry against it and then takes it
in:

* Entry 0 is the genesis, and only that. It names the operator, whose first key signs with the log's
  key.
* A log that follows another one says so in entry 1: see ``succession``.
* A tick is the log's time; ticks never go back, and an entry's own time lies at most 300 s after
  its tick.
* (author, id) never repeats.
* Keys of the log come and go: see ``logkeyrules``.
* A key signs from the entry after its registration until it is replaced or revoked, under its
  party's name only.
* Signatures are exactly those that the type requires, in order; irreversible entries have those of
  two officers too, while their author's rule is four eyes.
* A public key is registered once; the operator keeps a key in force, and the role park-operator.
* Registrations of parties, points and contracts name the one they replace.
* Batches of one (author, source) are numbered without gaps, and each names the leaf hash of the one
  before.
* A batch is erased once, by its author or the operator.
* Lots and claims: see ``lotbook``. Schemes, units, retirements and reductions: see ``unitbook``.

An opening holds only some entries (``complete`` is False): there, rules that need all of them are
left out, and said to be.
"""

from collections.abc import Callable
from typing import Final

from greenledger_verify.entry import Entry
from greenledger_verify.erasurerules import ERASURE_RULES
from greenledger_verify.failure import VerificationError
from greenledger_verify.logkeyrules import LOG_KEY_RULES
from greenledger_verify.lotrules import LOT_RULES
from greenledger_verify.note import VerifierKey, parse_vkey
from greenledger_verify.officerrules import OFFICER_RULES
from greenledger_verify.periodrules import PERIOD_RULES
from greenledger_verify.recordrules import RECORD_RULES
from greenledger_verify.signing import author_is_operator, check_signatures, genesis_key
from greenledger_verify.state import Endorsement, Party, RegisteredKey, State
from greenledger_verify.succession import succeed_effect, succeed_rule
from greenledger_verify.text import say
from greenledger_verify.unitrules import UNIT_RULES

AT_AHEAD_OF_TICK_MAX_S: Final = 300
ENDORSING_ROLES: Final = ("gateway", "park-operator", "verifier")


def apply(state: State, entry: Entry, index: int) -> RegisteredKey:
    """Judge entry ``index`` and take it in. Returns the author's key that signed it.

    1. It belongs to this log, and is the genesis exactly if it is entry 0.
    2. Its (author, id) was not used before.
    3. Its time fits the log's.
    4. The author may make such an entry, and it fits those before.
    5. The signatures are those required.
    """
    state.index = index
    # 1
    if entry.text("log") != state.origin:
        raise VerificationError(
            "it is of the log {given}, not of {origin}",
            given=entry.text("log"),
            origin=state.origin,
        )
    if (entry.type == "log.genesis") != (index == 0):
        raise VerificationError(
            "log.genesis is entry 0 and only that; this is entry {index}, {type}",
            index=index,
            type=entry.type,
        )
    # 2
    unique = (entry.author, bytes.fromhex(entry.text("id")))
    if unique in state.used_ids:
        raise VerificationError(
            "the id {id} was used before by {author}", id=entry.text("id"), author=entry.author
        )
    # 3
    _check_time(state, entry)
    # 4
    rule, effect = _RULES[entry.type]
    rule(state, entry)
    # 5
    signer = check_signatures(state, entry)
    state.used_ids.add(unique)
    state.counts[entry.type] = state.counts.get(entry.type, 0) + 1
    state.signer = signer
    effect(state, entry)
    return signer


def _check_time(state: State, entry: Entry) -> None:
    if not state.complete or entry.type == "log.genesis":
        return
    if entry.type == "tick":
        if entry.at_s < state.tick_s:
            raise VerificationError("the tick goes back in time, to {at}", at=entry.text("at"))
    elif entry.at_s > state.tick_s + AT_AHEAD_OF_TICK_MAX_S:
        raise VerificationError(
            "its time {at} lies {ahead} s after the tick before it; 300 s are allowed",
            at=entry.text("at"),
            ahead=entry.at_s - state.tick_s,
        )


# What each type requires, and what it changes


def _author_is_party_or_operator(state: State, entry: Entry) -> None:
    if entry.author not in (state.operator, entry.text("party")):
        raise VerificationError(
            "{author} is neither {party} nor the operator",
            author=entry.author,
            party=entry.text("party"),
        )


def _check_replaces(state: State, kind: str, name: str, replaces: str) -> None:
    """Compare-and-set: a registration names the one in force, or nothing where there is none."""
    current = state.in_force.get((kind, name), "")
    if state.complete and replaces != current:
        raise VerificationError(
            "replaces is {given}, but in force for {name} is {current}",
            given=replaces or say("empty"),
            name=name,
            current=current or say("nothing"),
        )


def _key_is_named(entry: Entry, member: str, name: str) -> VerifierKey:
    key = parse_vkey(entry.text(member))
    if key.name != name:
        raise VerificationError(
            "{member} is named {given}, not {name}", member=member, given=key.name, name=name
        )
    return key


def _genesis_rule(state: State, entry: Entry) -> None:
    log_key = _key_is_named(entry, "log_vkey", state.origin)
    key = _key_is_named(entry, "vkey", f"{state.origin}/{entry.author}")
    if key.public_key == log_key.public_key:
        raise VerificationError("the operator and the log have one public key")


def _genesis_effect(state: State, entry: Entry) -> None:
    key = genesis_key(entry, state.index)
    state.operator, state.zone, state.tick_s = entry.author, entry.text("zone"), entry.at_s
    log_key = parse_vkey(entry.text("log_vkey"))
    state.log_keys.begin(log_key)
    state.public_keys.add(log_key.public_key)
    state.add_key(key)
    state.in_force["party", entry.author] = entry.text("id")
    state.parties[entry.author] = Party(
        name=entry.text("name"), roles=("park-operator",), registration=entry.text("id")
    )


def _tick_effect(state: State, entry: Entry) -> None:
    state.tick_s, state.tick_index = entry.at_s, state.index


def _party_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    _check_replaces(state, "party", entry.text("party"), entry.text("replaces"))
    roles = entry.statement["roles"]
    assert isinstance(roles, list)
    if ("park-operator" in roles) != (entry.text("party") == state.operator):
        raise VerificationError(
            "the role park-operator is that of {operator}, always, and nobody else's",
            operator=state.operator,
        )


def _party_effect(state: State, entry: Entry) -> None:
    roles = entry.statement["roles"]
    assert isinstance(roles, list)
    state.in_force["party", entry.text("party")] = entry.text("id")
    state.parties[entry.text("party")] = Party(
        name=entry.text("name"), roles=tuple(roles), registration=entry.text("id")
    )


def _key_register_rule(state: State, entry: Entry) -> None:
    party, replaces = entry.text("party"), entry.text("replaces")
    _author_is_party_or_operator(state, entry)
    if state.complete and party not in state.parties:
        raise VerificationError("party {party} is not registered", party=party)
    key = _key_is_named(entry, "vkey", f"{state.origin}/{party}")
    if (party, key.key_id.hex()) in state.keys:
        raise VerificationError(
            "key {id} was registered for {party} before", id=key.key_id, party=party
        )
    if key.public_key in state.public_keys:
        raise VerificationError("the public key of {vkey} was registered before", vkey=key.vkey)
    if replaces:
        _check_replaced_key(state, entry, party, replaces)


def _check_replaced_key(state: State, entry: Entry, party: str, replaces: str) -> None:
    replaced = state.keys.get((party, replaces))
    if replaced is None and state.complete:
        raise VerificationError(
            "the key {id} that it replaces is not registered for {party}", id=replaces, party=party
        )
    if replaced is not None and replaced.ended is not None:
        raise VerificationError(
            "the key {id} that it replaces is not in force: {ended}",
            id=replaces,
            ended=replaced.ended,
        )
    if entry.author == party and entry.note.signatures[0].key_id.hex() != replaces:
        raise VerificationError(
            "a party that replaces its key {id} must sign with that key", id=replaces
        )
    if replaced is not None and entry.text("custody") != "operator":
        _require_tick_key(state, replaced)


def _require_tick_key(state: State, ending: RegisteredKey) -> None:
    """Without a key that the log's server holds there would be no tick, and no entry, any more."""
    if not state.complete or ending.party != state.operator:
        return
    for key in state.keys.values():
        held = key.party == state.operator and key.custody == "operator"
        if held and not key.ended and key != ending:
            return
    raise VerificationError(
        "it ends the last key with custody operator of the operator {operator}",
        operator=state.operator,
    )


def _key_register_effect(state: State, entry: Entry) -> None:
    party, replaces = entry.text("party"), entry.text("replaces")
    key = parse_vkey(entry.text("vkey"))
    state.add_key(
        RegisteredKey(
            key=key,
            party=party,
            custody=entry.text("custody"),
            device=entry.text("device"),
            index=state.index,
        )
    )
    if (party, replaces) in state.keys:
        state.end_key(party, replaces, say("replaced by entry {index}", index=state.index))


def _named_key(state: State, entry: Entry) -> RegisteredKey | None:
    """The key in force that an endorsement or a revocation names; None only where the file does
    not hold it.
    """
    party, key = entry.text("party"), parse_vkey(entry.text("vkey"))
    registered = state.keys.get((party, key.key_id.hex()))
    if registered is None and not state.complete:
        return None
    if registered is None or registered.key.vkey != key.vkey:
        raise VerificationError(
            "the key {vkey} is not registered for {party}", vkey=key.vkey, party=party
        )
    if registered.ended is not None:
        raise VerificationError(
            "the key {id} of {party} is not in force: {ended}",
            id=key.key_id,
            party=party,
            ended=registered.ended,
        )
    return registered


def _endorse_rule(state: State, entry: Entry) -> None:
    author = state.parties.get(entry.author)
    if author is None or not set(author.roles) & set(ENDORSING_ROLES):
        raise VerificationError(
            "{author} may not endorse keys: it has none of the roles {roles}",
            author=entry.author,
            roles=ENDORSING_ROLES,
        )
    _named_key(state, entry)


def _endorse_effect(state: State, entry: Entry) -> None:
    state.endorsements.append(
        Endorsement(
            endorser=entry.author,
            party=entry.text("party"),
            vkey=entry.text("vkey"),
            claim=entry.text("claim"),
            index=state.index,
            endorser_vkey="" if state.signer is None else state.signer.key.vkey,
        )
    )


def _revoke_rule(state: State, entry: Entry) -> None:
    _author_is_party_or_operator(state, entry)
    named = _named_key(state, entry)
    if named is not None:
        _require_tick_key(state, named)


def _revoke_effect(state: State, entry: Entry) -> None:
    key = _named_key(state, entry)
    if key is not None:
        state.end_key(
            key.party, key.key.key_id.hex(), say("revoked by entry {index}", index=state.index)
        )


def _point_rule(state: State, entry: Entry) -> None:
    _check_replaces(state, "point", entry.text("point"), entry.text("replaces"))


def _contract_rule(state: State, entry: Entry) -> None:
    _check_replaces(state, "contract", entry.text("contract"), entry.text("replaces"))


def _registration_effect(state: State, entry: Entry) -> None:
    kind = entry.type.removesuffix(".register")
    state.in_force[kind, entry.text(kind)] = entry.text("id")


def _readings_rule(state: State, entry: Entry) -> None:
    """The next batch of its source, and the leaf hash of the one before."""
    if not state.complete:
        return
    sequence, previous = state.chains.get((entry.author, entry.text("source")), (-1, b""))
    if entry.integer("sequence") != sequence + 1:
        raise VerificationError(
            "source {source} of {author} is at sequence {given}; {expected} must come next",
            source=entry.text("source"),
            author=entry.author,
            given=entry.integer("sequence"),
            expected=sequence + 1,
        )
    if entry.text("previous") != previous.hex():
        raise VerificationError(
            "previous is {given}, but the batch before has the leaf hash {expected}",
            given=entry.text("previous"),
            expected=previous,
        )


def _readings_effect(state: State, entry: Entry) -> None:
    state.chains[entry.author, entry.text("source")] = (entry.integer("sequence"), entry.leaf_hash)
    state.batches[entry.leaf_hash] = entry.author
    if entry.type == "readings.correction":
        state.corrections.add(entry.leaf_hash)


def _run_rule(state: State, entry: Entry) -> None:
    author_is_operator(state, entry)
    if entry.integer("as_of") > state.index:
        raise VerificationError(
            "as_of is {given}, beyond the entries before entry {index}",
            given=entry.integer("as_of"),
            index=state.index,
        )


def _run_effect(state: State, entry: Entry) -> None:
    state.runs[entry.leaf_hash] = entry.integer("as_of")


_Rule = Callable[[State, Entry], None]

_RULES: Final[dict[str, tuple[_Rule, _Rule]]] = {
    "log.genesis": (_genesis_rule, _genesis_effect),
    "log.succeed": (succeed_rule, succeed_effect),
    "tick": (author_is_operator, _tick_effect),
    "party.register": (_party_rule, _party_effect),
    "key.register": (_key_register_rule, _key_register_effect),
    "key.endorse": (_endorse_rule, _endorse_effect),
    "key.revoke": (_revoke_rule, _revoke_effect),
    "point.register": (_point_rule, _registration_effect),
    "contract.register": (_contract_rule, _registration_effect),
    "readings": (_readings_rule, _readings_effect),
    "readings.correction": (_readings_rule, _readings_effect),
    "match.run": (_run_rule, _run_effect),
    **ERASURE_RULES,
    **LOG_KEY_RULES,
    **OFFICER_RULES,
    **PERIOD_RULES,
    **RECORD_RULES,
    **LOT_RULES,
    **UNIT_RULES,
}
