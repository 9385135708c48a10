"""A code object as an editable list of instructions, and its layout as bytes."""
