"""Official statements: what a registry or an exchange says of units, compared with what is held.

Rules of the room:

- A file is read through a profile, by a pure function; what its rows say is signed, and the file
  itself is kept by its hash.
- Official registries say what becomes of certificates and credits, this ledger does not: a claim
  is final only once a statement confirms the cancellation or transfer of what it rests on, and a
  unit that is officially gone but held here blocks closing (domain invariant 22).
- Nothing here changes a holding: a finding says what differs, and the remedy is another entry.
"""
