"""May the author say this? Owners, sellers and contracts stand in bodies, so only opened ones can
answer (formats.md §4.1).
"""

from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.leaves import Allocation, Reading
from greenledger_verify.members import parse_time
from greenledger_verify.opened import OpenedBody, Opening

_OWNER_MEMBER = {"point.register": "owner", "contract.register": "seller"}


def verify_authority(opening: Opening) -> None:
    """Check what the opened bodies allow to check.

    1. Who first registered a point or a contract is the operator, or its owner (its seller).
    2. A batch is by the owner of the point, by the operator, or by a gateway.
    3. An allocation is within its contract: its kind, its points and its period.
    """
    # 1
    for body in opening.bodies:
        with locate("entry {index}", index=body.index):
            verify_registrant(body, opening.state.operator)
    # 2
    if isinstance(opening.leaf, Reading):
        _verify_batch_author(opening, opening.leaf)
    # 3
    if isinstance(opening.leaf, Allocation):
        _verify_contract(opening, opening.leaf)


def verify_registrant(body: OpenedBody, operator: str) -> None:
    """Only of first registrations: later ones may be by an owner who hands the point over."""
    member = _OWNER_MEMBER.get(body.entry.type)
    if member is None or body.content is None or body.entry.text("replaces"):
        return
    if body.entry.author not in (operator, body.content[member]):
        raise VerificationError(
            "{author} registered it, but is neither the operator nor {owner}",
            author=body.entry.author,
            owner=body.content[member],
        )


def _verify_batch_author(opening: Opening, reading: Reading) -> None:
    point = opening.registration("point", reading.point)
    if point is None or point.content is None or point.index > opening.index:
        return
    allowed = opening.subject.author in (opening.state.operator, point.content["owner"])
    if not allowed and "gateway" not in opening.party.roles:
        raise VerificationError(
            "{author} may not send readings of the point {point}: it is neither its owner, nor the "
            "operator, nor a gateway",
            author=opening.subject.author,
            point=reading.point,
        )


def _verify_contract(opening: Opening, allocation: Allocation) -> None:
    contract = opening.registration("contract", allocation.contract)
    if (
        contract is None
        or contract.content is None
        or contract.index >= opening.subject.integer("as_of")
    ):
        return
    content = contract.content
    sources, consumers = content["sources"], content["consumers"]
    assert isinstance(sources, list)
    assert isinstance(consumers, list)
    with locate("contract {contract}", contract=allocation.contract):
        for point, points in (
            (allocation.source, sources),
            (allocation.consumer, [consumer["point"] for consumer in consumers]),
        ):
            if point not in points:
                raise VerificationError("it does not name the point {point}", point=point)
        if allocation.supply_class.template.replace(" ", "-") != content["kind"]:
            raise VerificationError(
                "it is of the kind {kind}, the allocation of the class {given}",
                kind=content["kind"],
                given=allocation.supply_class,
            )
        end_s = allocation.start_s + allocation.length_s
        if allocation.start_s < parse_time(content["from"]) or end_s > parse_time(content["to"]):
            raise VerificationError(
                "the interval lies outside its period {start} to {end}",
                start=content["from"],
                end=content["to"],
            )
