"""Backup, restore, and a new log after an old one that can't go on.

Rules of the room:

- The log of a backup is replayed, never copied: what comes back went through every check again.
  What no replay gives (accounts, receipts of anchors, keys) is put back beside it.
- All or nothing: a restore that fails leaves the database empty.
- Nothing that anybody has seen signed is contradicted, and nothing gets round that: what lies
  behind is filled from where the log is published, or ends in a new log that names the old one.
- The key-encryption key is never in a backup.
"""
