"""The entry types of schemes, projects and units."""

from __future__ import annotations

from typing import Final

from ledger.registry import issuing, moving, registering

ENTRY_TYPES: Final = (*registering.ENTRY_TYPES, issuing.ENTRY_TYPE, *moving.ENTRY_TYPES)
