"""The cost of a call beside the limit of reading its bytes and beside peers: `make bench`.

Every figure is a ratio of medians of CPU time within one run, in which the contenders take turns. The limit is one
typed scan of the same bytes (`typed_scan`). No figure is of a wall
clock, because a busy machine would decide it.
"""
