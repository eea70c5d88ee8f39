"""Measurements, each against peers in the same run: `python -m benchmarks`, and `.startup`, `.upload`. Read the ratios."""
