"""What a verified opening holds."""

from dataclasses import dataclass

from greenledger_verify.checkpoint import SignedCheckpoint
from greenledger_verify.entry import Entry
from greenledger_verify.leaves import Allocation, Reading
from greenledger_verify.state import Party, RegisteredKey, State


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedBody:
    """The members of a JSON body (None: a file as received) and the entry that commits to it."""

    index: int
    entry: Entry
    content: dict[str, object] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What was verified. ``signer`` and ``party`` are the author's, as at the subject."""

    kind: str
    signed: SignedCheckpoint
    index: int
    subject: Entry
    signer: RegisteredKey
    party: Party
    state: State
    leaf: Reading | Allocation | None
    bodies: tuple[OpenedBody, ...]

    def registration(self, kind: str, identity: str) -> OpenedBody | None:
        """The opened body of a ``point`` or ``contract``: the one in force at the subject, as far
        as the file shows; else the first that came later.
        """
        found = [
            body
            for body in self.bodies
            if body.entry.type == f"{kind}.register"
            and body.entry.text(kind) == identity
            and body.content is not None
        ]
        before = [body for body in found if body.index < self.index]
        if before:
            return max(before, key=lambda body: body.index)
        return min(found, key=lambda body: body.index, default=None)
