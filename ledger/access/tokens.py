"""Tokens: 32 random bytes, shown once, stored as SHA-256."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Final

SESSION: Final = "gls_"
API_KEY: Final = "glk_"
_FORM: Final = re.compile(r"(gls_|glk_)[A-Za-z0-9_-]{43}", re.ASCII)


def fresh(prefix: str) -> str:
    return prefix + secrets.token_urlsafe(32)


def kind_of(token: str) -> str:
    """`SESSION`, `API_KEY`, or empty for what is no token of ours."""
    found = _FORM.fullmatch(token)
    return found[1] if found else ""


def digest(text: str) -> bytes:
    """What is stored. One round is enough: nobody guesses 256 random bits."""
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()
