"""The people who sign in: accounts, SSH keys, sessions, and how often what may be tried."""
