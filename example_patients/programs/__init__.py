"""Programs that use the example patients: the demo, seeding, the self-test."""
