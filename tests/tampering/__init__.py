"""Who finds what an attacker does who owns the server."""
