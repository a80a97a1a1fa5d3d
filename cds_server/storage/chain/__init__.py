"""The chain of seals over the decision log, its verification, and the purge that keeps it."""
