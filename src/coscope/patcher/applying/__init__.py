"""Apply edits to a code object; pure."""
