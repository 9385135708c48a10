"""Pages as sheets of styled lines."""
