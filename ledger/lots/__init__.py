"""Attribute lots: origins, their division, spending, forms; the rule that nothing is used twice."""
