"""Key pairs of the cloud and secrets of a team: sealed by ``vault.py``, used through ``clients.py`` alone."""
