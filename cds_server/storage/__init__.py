"""The database: decisions, feedback, sessions, and reports on them."""
