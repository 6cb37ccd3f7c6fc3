"""Faults under load, each with what was acknowledged, what was lost and what came twice: `python -m bench.chaos`."""
