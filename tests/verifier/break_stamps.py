"""Time-stamps that are right but for one thing, and what must be said of each."""

from dataclasses import dataclass

from cryptography import x509
from cryptography.x509.oid import ExtendedKeyUsageOID

from tests.verifier import forge_tsa as tsa
from tests.verifier.forge import sha256
from tests.verifier.forge_tsa import (
    EXPIRED,
    ROOT,
    SIGNER,
    STRANGER,
    TIME_STAMPING,
    Issued,
    Stamp,
    attribute,
    certificate_v1,
    integer,
    octets,
    oid,
    seq,
    set_of,
    tlv,
)


@dataclass(frozen=True)
class Forged:
    """A response; ``why`` is empty where it is accepted. ``openssl`` accepts it: as we, or not."""

    stamp: Stamp
    why: str = ""
    openssl: bool | None = None
    root: Issued = ROOT
    others: tuple[Issued, ...] = ()

    @property
