"""Long work: what is to be done, how far it is, and what came of it."""
