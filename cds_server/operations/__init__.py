"""The operator's side: metrics, log lines, the time of a call, the warm start."""
