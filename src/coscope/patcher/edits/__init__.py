"""Edits as data, and their checks."""
