"""A process that goes on from what the supervisor has loaded."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.skipif(
    sys.platform != "linux", reason="elsewhere each process is a program of its own"
)

# In a process of its own, because a test's has threads.
BEGIN = """
import atexit, json, os, signal, sys, threading, time
from dispersed_web.supervisor.fork import Fork

def outcome(act):
    read, write = os.pipe()
    fork = Fork("dw-example", act, write)
    os.close(write)
    with open(read) as output:
        text = output.read()
    while (status := fork.poll()) is None:
        time.sleep(0.01)
    return status, text

"""


def run(program: str) -> str:
    done = subprocess.run([sys.executable, "-c", BEGIN + program], capture_output=True, text=True, timeout=60)
    assert not done.stderr
    assert done.returncode == 0
    return done.stdout


ALONE = """
signal.signal(signal.SIGTERM, lambda *_: None)
wake, wake_end = os.pipe()
os.set_blocking(wake_end, False)
signal.set_wakeup_fd(wake_end)
lock = os.open(os.devnull, os.O_RDONLY)

def tell():
    print(json.dumps({
        "files": sorted(map(int, os.listdir("/proc/self/fd")))[:-1],
        "leads": os.getsid(0) == os.getpid(),
        "name": open("/proc/self/comm").read().strip(),
        "term": signal.getsignal(signal.SIGTERM) == signal.SIG_DFL,
        "wakes": signal.set_wakeup_fd(-1),
        "blocked": sorted(signal.pthread_sigmask(signal.SIG_BLOCK, ())),
        "input": sys.stdin.read(),
    }))

print(outcome(tell)[1])
"""


def test_it_has_nothing_of_its_parent_but_the_memory() -> None:
    assert json.loads(run(ALONE)) == {
        "files": [0, 1, 2],
        "leads": True,
        "name": "dw-example",
        "term": True,
        "wakes": -1,
        "blocked": [],
        "input": "",
    }


ENDS = """
def fault():
    raise ValueError("why")

def leave(code):
    return lambda: sys.exit(code)

def killed():
    os.kill(os.getpid(), signal.SIGTERM)
    time.sleep(60)

print(json.dumps([outcome(act) for act in (lambda: None, leave(None), leave(3), leave("so"), killed, fault)]))
"""


def test_it_ends_as_a_program_does() -> None:
    *ends, fault = json.loads(run(ENDS))
    assert ends == [[0, ""], [0, ""], [3, ""], [1, "so\n"], [-15, ""]]
    assert fault[0] == 1
    assert fault[1].startswith("Traceback")
    assert fault[1].endswith("ValueError: why\n")


LEAVES = """
def act():
    atexit.register(print, "at exit")
    threading.Timer(0.1, print, ["thread"]).start()
    print("act", end=" ")

print(json.dumps(outcome(act)))
"""


def test_its_threads_and_what_is_to_be_done_at_the_end_are_waited_for() -> None:
    assert json.loads(run(LEAVES)) == [0, "act thread\nat exit\n"]


ORPHAN = """
import subprocess
child = subprocess.Popen([sys.executable, "-c", '''
import os, sys, time
from dispersed_web.supervisor.fork import Fork
fork = Fork("dw-orphan", lambda: (print(os.getpid(), flush=True), time.sleep(60)), 1)
time.sleep(60)
'''], stdout=subprocess.PIPE, text=True)
print(child.stdout.readline())
child.kill()
print(repr(child.stdout.read()))
"""


def test_it_ends_when_its_parent_is_killed() -> None:
    pid, rest = run(ORPHAN).split()
    assert rest == "''"  # the pipe closes when everyone who held it is gone
    assert not Path(f"/proc/{pid}").exists() or Path(f"/proc/{pid}/stat").read_text().split()[2] == "Z"


MANY = """
print(json.dumps([outcome(lambda: print(os.urandom(8).hex()))[1] for _ in range(2)]))
forks = [Fork("dw-example", lambda: time.sleep(60), 1) for _ in range(2)]
for fork in forks:
    fork.send_signal(signal.SIGKILL)
while None in (found := [fork.poll() for fork in forks]):
    time.sleep(0.01)
forks[0].send_signal(signal.SIGKILL)
print(json.dumps(found))
"""


def test_a_signal_reaches_it_and_one_that_ended_takes_none() -> None:
    drawn, found = map(json.loads, run(MANY).splitlines())
    assert drawn[0] != drawn[1]
    assert found == [-signal.SIGKILL] * 2
