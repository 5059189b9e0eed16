"""Runs the whole product on one machine: ``python -m dispersed_web.supervisor``, which is what ``bin/run`` starts.

On Linux it loads the product once and each process is a fork of it: they share its memory and are ready at once. The
supervisor itself uses nothing of it, opens no connection and starts no thread. Elsewhere they are programs of their own.
"""
