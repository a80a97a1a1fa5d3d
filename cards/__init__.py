"""Clinical facts → advice, in words and orders. Sees only clinical_facts, thresholds and terminology."""
