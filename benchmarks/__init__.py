"""Measurements, each against peers in the same run: `python -m benchmarks`, `.startup`, `.upload`. Read the ratios."""
