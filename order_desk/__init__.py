"""The order desk: an EHR's order entry in the browser, to play the example patients. In development only."""
