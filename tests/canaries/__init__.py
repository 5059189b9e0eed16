"""Canaries: a marker of its own in every kind of secret, and a search of all that comes out and of all that is stored.

Two things print a secret on purpose, each this once, and are not searched: the answer that made a thing (a token, an
address, codes), and the commands ``create_api_token`` and ``setup_code``.
"""
