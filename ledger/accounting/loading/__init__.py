"""Facts of the log as it stood at a size, loaded for accounting."""
