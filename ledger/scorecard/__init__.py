"""How the park stands against each clause of a standard."""
