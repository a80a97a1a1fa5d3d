"""What an operator sees and sets: metrics, log lines, the time of a call, the warm start."""
