"""The signature of the clinical rules: who signed which rules, and what changed since."""
