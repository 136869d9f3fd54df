"""The tree of a claim (formats.md §3.5): which Wh of which lots it claims in each quarter-hour, and
whether the opened quarter-hours are those that the level asks for.
"""

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256, shake_256
from typing import Final

from greenledger_verify.evidence_file import ClaimPart, Head
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.sharedpath import WH_END, walk_sums

_SAMPLE: Final = b"greenledger/sample/v1\n"
_NONCES: Final = b"greenledger/claim/v1\n"
_NONCE_SIZE: Final = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class ClaimedCells:
    """``by_lot`` holds lot → quarter-hour of the claim → Wh; ``opened_wh`` is what the opened
    quarter-hours claim together.
    """

    by_lot: dict[str, dict[int, int]]
    positions: tuple[int, ...]
    opened_wh: int


def verify_claim_tree(part: ClaimPart, head: Head, evidence: Evidence) -> ClaimedCells:
    """The opened quarter-hours stand in the claim's tree, and are those that the level asks for.

    1. The secret stands exactly in a file of level full.
    2. Each leaf follows from its nonce and its cells; cells are of lots of the claim.
    3. The leaves and the shared path lead to the root that the claim commits to, without overflow.
    4. The total is what the manifest claims.
    5. The opened quarter-hours are those of the level.
    """
    # 1
    if bool(part.secret) != (head.level == "full"):
        raise VerificationError("the secret of a claim stands exactly in a file of the level full")
    # 2
    nonces = part.nonces or _derived_nonces(part, evidence)
    leaves, by_lot = _leaves(part, nonces, evidence.lots)
    # 3
    body = evidence.claim.reference("body")
    size, root = body["size"], body["root"]
    assert isinstance(size, int)
    assert isinstance(root, str)
    reached, total_wh, before = walk_sums(part.at, leaves, size, part.nodes)
    if sha256(b"C" + reached + total_wh.to_bytes(8, "big")).hexdigest() != root:
        raise VerificationError(
            "the leaves of the claim and their shared path do not lead to the root {root} with a "
            "total of {total} Wh",
            root=root,
            total=total_wh,
        )
    # 4
    if total_wh != evidence.manifest["claimed_wh"]:
        raise VerificationError(
            "the claim's tree has {total} Wh, its manifest claims {claimed} Wh",
            total=total_wh,
            claimed=evidence.manifest["claimed_wh"],
        )
    # 5
    opened_wh = sum(wh for _, wh in leaves)
    if head.level == "sampled":
        _require_samples(head, evidence.claim.leaf_hash, total_wh, before, leaves)
    elif head.level == "full":
        _require_all(part.at, leaves, total_wh)
    elif part.at:
        raise VerificationError("a file of the level total opens no quarter-hour")
    return ClaimedCells(by_lot=by_lot, positions=part.at, opened_wh=opened_wh)


def _derived_nonces(part: ClaimPart, evidence: Evidence) -> list[bytes]:
    if not part.at:
        return []
    identity = f"{evidence.state.origin}\n{evidence.claim.text('id')}".encode()
    quarters = min(part.at[-1] + 1, sum(month.count for month in evidence.months.values()))
    stream = shake_256(_NONCES + part.secret + identity).digest(_NONCE_SIZE * quarters)
    return [stream[_NONCE_SIZE * at : _NONCE_SIZE * (at + 1)] for at in part.at]


def _leaves(
    part: ClaimPart, nonces: Sequence[bytes], lots: Sequence[str]
) -> tuple[list[tuple[bytes, int]], dict[str, dict[int, int]]]:
    ids = [bytes.fromhex(lot) for lot in lots]
    leaves: list[tuple[bytes, int]] = []
    by_place: dict[int, dict[int, int]] = {}
    for position, nonce, cells in zip(part.at, nonces, part.cells, strict=True):
        written, sum_wh, before = [], 0, -1
        for place, wh in cells:
            if not before < place < len(ids):
                raise VerificationError(
                    "quarter-hour {position}: lot {place} stands twice, out of order, or is not "
                    "one of the {count} lots of the claim",
                    position=position,
                    place=place,
                    count=len(ids),
                )
            if wh == 0:
                raise VerificationError(
                    "quarter-hour {position}: a cell of 0 Wh", position=position
                )
            by_place.setdefault(place, {})[position] = wh
            written.append(ids[place] + wh.to_bytes(8, "big"))
            sum_wh += wh
            before = place
        leaves.append(_leaf(position, nonce, sum_wh, b"".join(written)))
    return leaves, {lots[place]: cells for place, cells in by_place.items()}


def _leaf(position: int, nonce: bytes, sum_wh: int, cells: bytes) -> tuple[bytes, int]:
    """The cells are of supply and of cover, each half of the sum; which is which, the divisions
    say.
    """
    wh, odd = divmod(sum_wh, 2)
    if odd or wh >= WH_END:
        raise VerificationError(
            "quarter-hour {position}: supply and cover are not equal, they sum to {sum} Wh",
            position=position,
            sum=sum_wh,
        )
    return sha256(b"I" + nonce + wh.to_bytes(8, "big") + cells).digest(), wh


def _require_all(
    positions: Sequence[int], leaves: Sequence[tuple[bytes, int]], total_wh: int
) -> None:
    for position, (_, wh) in zip(positions, leaves, strict=True):
        if wh == 0:
            raise VerificationError(
                "quarter-hour {position} is opened, but claims nothing", position=position
            )
    opened_wh = sum(wh for _, wh in leaves)
    if opened_wh != total_wh:
        raise VerificationError(
            "the level is full, but only {opened} of {total} Wh are opened",
            opened=opened_wh,
            total=total_wh,
        )


def _require_samples(
    head: Head,
    claim_hash: bytes,
    total_wh: int,
    before: Sequence[int],
    leaves: Sequence[tuple[bytes, int]],
) -> None:
    """The opened quarter-hours are those that the samples hit, no more and no fewer."""
    if not total_wh:
        raise VerificationError("there is nothing to sample: the claim is of 0 Wh")
    missed = set(range(len(leaves)))
    for number in range(head.samples):
        drawn = sha256(_SAMPLE + head.seed + claim_hash + number.to_bytes(4, "big")).digest()
        at_wh = int.from_bytes(drawn, "big") % total_wh
        hit = bisect_right(before, at_wh) - 1
        if hit < 0 or at_wh >= before[hit] + leaves[hit][1]:
            raise VerificationError(
                "sample {number} of the seed hits a quarter-hour that is not opened", number=number
            )
        missed.discard(hit)
    if missed:
        with locate("opened quarter-hour number {number}", number=min(missed)):
            raise VerificationError("no sample of the seed hits it")
