"""The HTTP API: routes, who may call them, and how errors look."""
