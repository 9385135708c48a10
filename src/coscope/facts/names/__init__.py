"""Which names a code object uses, how, and in which scope."""
