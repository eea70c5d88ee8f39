"""Plain Python that every other room speaks: jobs, states, moves, errors, time, the query language."""
