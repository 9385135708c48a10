"""Edits of code objects: data, what applies them, and what makes live objects of the result."""
