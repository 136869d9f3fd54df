"""People and programs that use the service: accounts, roles, keys, and who may do what."""
