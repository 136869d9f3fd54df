"""Erased batches of readings (formats.md §4.1), by headers: which, by which entry, each once.

Values, secrets and files are gone then; the entries of the batches stay, and with them all proofs.
"""

from collections.abc import Mapping
from itertools import pairwise
from typing import Any, Final

from greenledger_verify.entry import Entry
from greenledger_verify.failure import VerificationError
from greenledger_verify.members import (
    MEDIA,
    hash_hex,
    integer,
    list_of,
    object_of,
    or_empty,
    random_id,
    time,
)
from greenledger_verify.state import State


def erase_rule(state: State, entry: Entry) -> None:
    if not state.complete:
        return
    for text in entry.texts("batches"):
        batch = bytes.fromhex(text)
        author = state.batches.get(batch)
        if author is None:
            raise VerificationError("{batch} is no batch of readings before it", batch=batch)
        if entry.author not in (author, state.operator):
            raise VerificationError(
                "{author} is neither the author {party} of the batch {batch} nor the operator",
                author=entry.author,
                party=author,
                batch=batch,
            )
        if batch in state.erased:
            raise VerificationError(
                "the batch {batch} was erased before, by entry {index}",
                batch=batch,
                index=state.erased[batch],
            )


def erase_effect(state: State, entry: Entry) -> None:
    for text in entry.texts("batches"):
        state.erased[bytes.fromhex(text)] = state.index


def check_kept(value: Mapping[str, Any]) -> None:
    """Batches stand in order, none twice."""
    if any(a["batch"] >= b["batch"] for a, b in pairwise(value["batches"])):
        raise VerificationError("batches must be in order, none twice")


_BLOCK: Final = {"point": random_id, "from": time, "length_s": integer(1), "count": integer(1)}
_BATCH: Final = {
    "batch": hash_hex,
    "file": or_empty(hash_hex),
    "blocks": list_of(object_of(_BLOCK)),
}
ERASURE_RULES: Final = {"readings.erase": (erase_rule, erase_effect)}
ERASURE_BODIES: Final = {
    MEDIA + "erased+json": ({"batches": list_of(object_of(_BATCH))}, check_kept)
}
