"""The JSON document of a function."""
