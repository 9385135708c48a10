"""How a call binds, and what it runs."""
