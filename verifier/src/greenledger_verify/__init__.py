"""Stand-alone verifier of greenledger: an independent reading of docs/formats.md.

It needs the standard library and ``cryptography``, no network, no database and nothing of the
ledger. Trust roots (the log's
verification key) are always the caller's input; nothing in a file is believed before a signature or
a hash says so.

Reading order: ``merkle`` · ``note`` · ``checkpoint`` · ``tlogproof`` · ``entry`` · ``rules`` ·
``lotbook`` · ``unitbook`` · ``opening`` · ``logdir`` · ``evidence`` (``evidence_head``,
``claimtree``, ``units``, ``chains``, ``schemes``, ``retirements``, ``divisions``, ``metered``,
``cells``, ``sumtree``, ``balance``) · ``scan`` · ``answer`` · ``cli``.
Every function that verifies returns nothing or what it established, and raises
``VerificationError`` otherwise.
"""

from greenledger_verify.failure import UnusableInput, VerificationError

__all__ = ["UnusableInput", "VerificationError"]
