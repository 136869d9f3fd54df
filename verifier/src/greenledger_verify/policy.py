"""Who may vouch, and how many must: the numbers of ``[policy]``, counted by distinct names."""

from collections.abc import Collection, Iterable

from greenledger_verify.failure import VerificationError
from greenledger_verify.note import VerifiedSignature
from greenledger_verify.report import Report
from greenledger_verify.text import say
from greenledger_verify.trust import Policy, Trust


def witness_names(cosignatures: Iterable[VerifiedSignature]) -> list[str]:
    return sorted({one.key.name for one in cosignatures})


def auditor_names(cosignatures: Iterable[VerifiedSignature], trust: Trust) -> list[str]:
    return sorted({one.key.name for one in cosignatures if trust.audits(one.key)})


def require_independent(
    cosignatures: Iterable[VerifiedSignature], registered: Collection[bytes], report: Report
) -> None:
    """A step of the report where a witness's key is one of those ``registered`` in the log, of a
    party, an officer or the log itself: whoever signs entries with it would vouch for them.
    """
    for one in cosignatures:
        if one.key.public_key in registered:
            with report.step("No witness has a key that signs entries or checkpoints of the log"):
                raise VerificationError(
                    "the key of the witness {name} is registered in the log, so that it is not "
                    "independent",
                    name=one.key.name,
                )


def require_policy(
    cosignatures: tuple[VerifiedSignature, ...],
    authorities: Iterable[str],
    trust: Trust,
    report: Report,
) -> None:
    """A step of the report where the user asks for a number."""
    policy = trust.policy
    if policy == Policy():
        return
    with report.step("As many vouch for it as you asked for"):
        for least, names, what in (
            (policy.witnesses, witness_names(cosignatures), say("witnesses")),
            (policy.auditing, auditor_names(cosignatures, trust), say("auditing witnesses")),
            (policy.authorities, sorted(set(authorities)), say("time-stamping authorities")),
        ):
            if len(names) < least:
                raise VerificationError(
                    "{count} {what} vouch ({names}), you asked for {least}",
                    count=len(names),
                    what=what,
                    names=names or "–",
                    least=least,
                )
