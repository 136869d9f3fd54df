"""Records: typed data of parties, each under a name that is its first author's."""
