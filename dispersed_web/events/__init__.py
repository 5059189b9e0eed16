"""One table that is timeline, audit log and source of notices: written by ``record.py``, sealed by ``chain.py``."""
