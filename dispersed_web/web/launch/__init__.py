"""The launch page around its form: what it starts from, what it repeats, what it shows."""
