"""The SMART app that opens the course page from an EHR."""
