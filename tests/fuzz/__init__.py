"""Parsers under mutated inputs: tests/fuzz/engine.py says what must hold."""
