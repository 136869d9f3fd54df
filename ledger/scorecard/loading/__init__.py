"""What a scorecard rests on, read from the log as it stood at a size."""
