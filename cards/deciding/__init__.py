"""Which cards a patient gets, and when they are shown."""
