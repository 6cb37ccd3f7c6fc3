"""Measurements: `python -m bench` runs the quick ones, `python -m bench kill server …` those that are named."""
