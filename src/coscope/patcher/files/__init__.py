"""Patch source files and .pyc files."""
