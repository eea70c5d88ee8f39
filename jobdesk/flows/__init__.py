"""Named flows as plain values: what one is, in which order its steps run, how results reach the next."""
