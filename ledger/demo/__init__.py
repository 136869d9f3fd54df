"""A synthetic park's year through the whole house: what `greenledger demo` runs.

Rules of the room:

- Nothing here is a measurement. Every file says so in its first row (Parquet: in its metadata), and
  the log's name says so too. The weather and the loads come from one seeded generator.
- The demo uses the product as a user would: it writes files and import profiles, and reads them
  through `import_file`. It has no way of its own into the ledger.
- What it prints as verified was verified by the stand-alone verifier in another process.
"""
