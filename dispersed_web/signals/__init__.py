"""What was observed of running jobs: heartbeats and logs. What follows from it is decided in ``autostop``."""
