"""Runs the whole product on one machine: ``python -m dispersed_web.supervisor``, which is what ``bin/run`` starts.

It imports no Django: settings are read by the processes it starts, in the environment it prepares for them.
"""
