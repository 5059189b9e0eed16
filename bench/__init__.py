"""Measures the product's speed, cost and correctness under load. The goals stand in ``README.md`` beside this file."""
