"""How fast transfers are, against what else there is. Run ``python -m benchmarks``; README.md has the method."""
