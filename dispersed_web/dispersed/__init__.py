"""The Dispersed cloud as a Python package: signing, models, errors and a client. Knows no Django and no
settings.
"""
