"""Measurements, each against peers in the same run: `python -m benchmarks`, `.startup`, `.upload`. Read the ratios."""

import os

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # what is installed has been compiled: so is what is measured
