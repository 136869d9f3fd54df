"""The HTTP API: its rules on a real server."""
