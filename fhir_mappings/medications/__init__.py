"""Which drug, by which route and how much: administrations, orders and drafts."""
