"""The log: signed entries in an RFC 6962 tree, published as C2SP tiles and checkpoints."""
