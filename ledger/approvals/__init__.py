"""Acts that need two people: prepared by one, approved by another, signed by both."""
