"""Product carbon footprints, and their exchange."""
