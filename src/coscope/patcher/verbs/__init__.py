"""The verbs for live functions: patch, patched, edit, freeze."""
