"""Who watches a log from outside: a verified mirror, an auditor, the monitor and the witness.

Rules of the room:

- A log is judged by the verifier's rules (greenledger_verify), never by the code that its operator
  runs (docs/adr/0038). Nothing of the ledger's tables is read: what is public must do.
- What comes from the log is bounded in size and time, and believed only as far as a signed root
  commits to it.
- A process may be killed at any instant: the disk has a state to go on from, and nothing that was
  seen signed is forgotten.
"""
