"""Alembic migrations of the decision log; `decision_log` runs them."""
