"""From where on a value means work. Pure constants, for those who receive samples and for those who explain them."""

from __future__ import annotations

import datetime as dt

GPU_BUSY_PERCENT = 5
CPU_BUSY_CORES = 0.25
NET_BUSY_BYTES_A_MINUTE = 1_000_000

HEARTBEAT_PERIOD_S = 60
LOG_PERIOD_S = 300
# How long after a sample its source counts as silent
HEARTBEAT_STALE = dt.timedelta(minutes=5)
LOG_STALE = dt.timedelta(minutes=15)
