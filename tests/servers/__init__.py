"""Servers that tests start for themselves, on free ports or sockets, and stop."""
