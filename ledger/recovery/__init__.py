"""Backup, restore, and a new log after an old one that can't go on."""
