"""What a function reads, writes, deletes and imports."""
