"""Emission factors and other coefficients: sets as data in the log, found by item, region, year.

A set is a record of the register `factors`. What came with the program is only what a log begins
with; what counts is what was put, and when. Nothing is found without its source and status.
"""
