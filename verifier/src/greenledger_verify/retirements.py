"""The certificates and credits of a claim (formats.md §4.7, §9): what its manifest says of each,
against its chain and the rules of its scheme.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Any, Final

from greenledger_verify.chains import Chains, HandedOver, Retired
from greenledger_verify.evidence_head import Evidence
from greenledger_verify.failure import VerificationError, locate
from greenledger_verify.members import parse_time, parse_zone
from greenledger_verify.months import require_quarters
from greenledger_verify.schemes import (
    Scheme,
    check_batch,
    check_cap,
    check_handed,
    check_retired,
    check_same_kind,
    is_certificate,
)
from greenledger_verify.unitforms import COMPLIANCE, RETIRE

_WHILE_VALID: Final = ("transfer", "settle", RETIRE, "export")


@dataclass(frozen=True, slots=True, kw_only=True)
class Retirement:
    """A retirement of the claim. ``wh`` is what it counts (0 of credits), ``unit_size`` in Wh or
    g; ``bound`` says that it is one energy with lots of the claim.
    """

    retired: Retired
    scheme: Scheme
    units: int
    wh: int
    unit_size: int
    bound: bool


@dataclass(slots=True, kw_only=True)
class Retirements:
    """All of a claim. ``schemes`` are (scheme, entry, registration) of each time that a
    registration was asked for; ``ticks`` (tick, entry) of what had to be done while units were
    valid.
    """

    chains: Chains
    certificates: list[Retirement] = field(default_factory=list)
    credits: list[Retirement] = field(default_factory=list)
    schemes: set[tuple[str, int, int]] = field(default_factory=set)
    ticks: set[tuple[int, int]] = field(default_factory=set)

    @property
    def evidence(self) -> Evidence:
        return self.chains.evidence

    def verify(self) -> None:
        """1. The registrations of schemes in force at each entry are opened, and no others.
        2. Each batch was issued by the rules of its scheme.
        3. Units changed hands as their class allows, and were valid then.
        4. Each retirement is as its scheme and the claim say.
        """
        zone_s = parse_zone(self.evidence.state.zone)
        # 1
        self._check_schemes()
        # 2
        for name, (index, batch) in sorted(self.chains.batches.items()):
            scheme = self._scheme(name.partition("/")[0], index)
            with locate("batch {batch}", batch=name):
                check_batch(batch, scheme, self.evidence.entries[index], zone_s)
        # 3
        for handed in self.chains.handed:
            with locate("entry {index}", index=handed.index):
                self._check_handed(handed)
        self._check_validity()
        # 4
        for name in ("certificates", "credits"):
            for item in self.evidence.manifest[name]:
                with locate("retirement {retirement}", retirement=item["retirement"]):
                    self._take(name, item, zone_s)
        self._check_caps()

    def _check_schemes(self) -> None:
        for index, opened in self.chains.parts.items():
            if opened.is_issue:
                self._scheme(opened.entry.text("scheme"), index)
            else:
                for held in self.chains.moves[index].ended.values():
                    self._scheme(held.batch.partition("/")[0], index)
        asked = {registration for _, _, registration in self.schemes}
        for bodies in self.evidence.schemes.values():
            for body in bodies:
                if body.index not in asked:
                    raise VerificationError(
                        "the scheme of entry {index} is opened, but nothing asks for it",
                        index=body.index,
                    )
            for one, later in pairwise(sorted(bodies, key=lambda body: body.index)):
                with locate("entry {index}", index=later.index):
                    check_same_kind(one.content or {}, later.content or {})

    def _check_caps(self) -> None:
        """Together, retirements of a scheme for one obligation are within its cap as well."""
        met: dict[tuple[str, str, str], list[Retirement]] = {}
        for one in self.certificates + self.credits:
            terms = one.retired.terms
            if terms["purpose"] in COMPLIANCE:
                key = one.retired.scheme, terms["purpose"], terms["from"]
                met.setdefault(key, []).append(one)
        for group in met.values():
            obligations = sorted({one.retired.terms["obligation"] for one in group})
            if len(obligations) > 1:
                raise VerificationError(
                    "the same obligation is {obligations} units, by different retirements",
                    obligations=obligations,
                )
            check_cap(sum(one.units for one in group), obligations[0], group[-1].scheme)

    def _scheme(self, scheme: str, index: int) -> Scheme:
        """The registration in force at entry ``index``, as the file shows it."""
        body = self.evidence.scheme(scheme, index)
        if body is None or body.content is None:
            raise VerificationError(
                "the registration of the scheme {scheme} in force at entry {index} is not opened",
                scheme=scheme,
                index=index,
            )
        later = self.evidence.state.units.in_force(("scheme", scheme), index)
        if later != body.index:
            raise VerificationError(
                "the scheme {scheme} was registered anew by entry {later}, before entry {index}: "
                "the file opens entry {given}",
                scheme=scheme,
                later=later,
                index=index,
                given=body.index,
            )
        self.schemes.add((scheme, index, body.index))
        return body.content

    def _check_handed(self, handed: HandedOver) -> None:
        with locate("holding {holding}", holding=handed.held.holding):
            scheme = handed.held.batch.partition("/")[0]
            check_handed(handed, self._scheme(scheme, handed.index))

    def _check_validity(self) -> None:
        for index, act in sorted(self.chains.moves.items()):
            kind = self.evidence.entries[index].text("act")
            if kind not in _WHILE_VALID:
                continue
            tick, tick_s = self.evidence.ticks[index]
            for name in sorted({held.batch for held in act.ended.values()}):
                expires = self.chains.batches[name][1].members["expires"]
                if not expires:
                    continue
                self.ticks.add((tick, index))
                if tick_s >= parse_time(expires):
                    raise VerificationError(
                        "entry {index}: {act} of units of the batch {batch}, which expired at "
                        "{expires}",
                        index=index,
                        act=kind,
                        batch=name,
                        expires=expires,
                    )

    def _take(self, name: str, item: Mapping[str, Any], zone_s: int) -> None:
        retired = self.chains.retired[item["retirement"]]
        scheme = self._scheme(retired.scheme, retired.index)
        check_retired(retired, scheme, zone_s)
        self._require_fits(retired, item)
        if is_certificate(scheme) != (name == "certificates"):
            raise VerificationError(
                "the scheme {scheme} is of the kind {kind}: its units are none of the {list}",
                scheme=retired.scheme,
                kind=scheme["kind"],
                list=name,
            )
        made = Retirement(
            retired=retired,
            scheme=scheme,
            units=item["units"],
            wh=item.get("wh", 0),
            unit_size=scheme["unit_size"],
            bound=self._is_bound(retired),
        )
        if name == "credits":
            self._take_credit(made, item)
        else:
            self._take_certificate(made, item)

    def _is_bound(self, retired: Retired) -> bool:
        """Lots that the issue wrapped stand behind its units: then they are one energy, and the
        claim has one of these lots at least. That a class asks for wrapped lots never changes.
        """
        bound = False
        for batch in retired.batches:
            index = self.chains.batches[batch.name][0]
            wrapped = set(batch.lots) & set(self.evidence.entries[index].texts("wraps"))
            bound = bound or bool(wrapped)
            if wrapped and wrapped.isdisjoint(self.evidence.lots):
                raise VerificationError(
                    "the batch {batch} is one energy with lots that the claim does not have",
                    batch=batch.name,
                )
        return bound

    def _require_fits(self, retired: Retired, item: Mapping[str, Any]) -> None:
        beneficiary = self.evidence.manifest["consumer"]
        expected: dict[str, object] = {"scheme": retired.scheme, "units": retired.terms["units"]}
        for member, value in expected.items():
            if item[member] != value:
                raise _differs(member, item[member], value)
        if retired.terms["beneficiary"] != beneficiary:
            raise VerificationError(
                "its beneficiary is {given}, but the claim is by {expected}",
                given=retired.terms["beneficiary"],
                expected=beneficiary,
            )

    def _take_credit(self, made: Retirement, item: Mapping[str, Any]) -> None:
        if item["unit_size"] != made.unit_size:
            raise _differs("unit_size", item["unit_size"], made.unit_size)
        self.credits.append(made)

    def _take_certificate(self, made: Retirement, item: Mapping[str, Any]) -> None:
        """Of one class, used when it says, for no more than it is worth; what is one energy with
        lots of the claim adds nothing.
        """
        terms = made.retired.terms
        if list(made.retired.classes) != [item["class"]]:
            raise _differs("class", item["class"], list(made.retired.classes))
        require_quarters(parse_time(terms["from"]), parse_time(terms["to"]))
        for member in ("from", "to"):
            if parse_time(item[member]) != parse_time(terms[member]):
                raise _differs(member, item[member], terms[member])
        most_wh = made.units * made.unit_size
        if made.wh and made.bound:
            raise VerificationError(
                "it counts {wh} Wh, but is one energy with lots of the claim",
                wh=made.wh,
            )
        if made.wh > most_wh:
            raise VerificationError(
                "it counts {wh} Wh, but its units are worth {most} Wh", wh=made.wh, most=most_wh
            )
        self.certificates.append(made)


def _differs(member: str, given: object, expected: object) -> VerificationError:
    return VerificationError(
        "{member} of the manifest is {given}, but it is {expected}",
        member=member,
        given=given,
        expected=expected,
    )
