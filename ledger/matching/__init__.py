"""Matching: which generation covered which consumption, in integer Wh."""
