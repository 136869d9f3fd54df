"""Chinese sentences, by their English template."""

CHINESE: dict[str, str] = {}
