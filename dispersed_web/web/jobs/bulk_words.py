"""What is asked and said when something is done to several jobs at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dispersed_web.teams.roles import Action


@dataclass(frozen=True)
class Bulk:
    """One act on several jobs. ``{jobs}`` is the place of their number; ``text`` goes before what they cost together,
    ``left_out`` says of a job why the act does not hit it, ``missed`` of one why it was not done."""

    act: str
    needs: Action
    heading: str
    question: str
    button: str
    done: str
    text: str
    left_out: str
    missed: str
    look: str = "primary"
    cancel: str = "Cancel"

    def outcome(self, done: int, missed: int) -> str:
        """What was done, and to how many not."""
        text = f"{counted(done)} {self.done}"
        return f"{text} {counted(missed)} left as they were: {self.missed}." if missed else text


def counted(count: int) -> str:
    """“1 job”, “3 jobs”."""
    return f"{count} job{'s' * (count != 1)}"


STOP = Bulk(
    act="stop",
    needs=Action.STOP,
    heading="Stop jobs",
    question="Stop {jobs}?",
    button="Stop {jobs}",
    done="asked to stop. They count as stopped once Dispersed shows their end.",
    text="What is not saved outside the machines is lost, and a stopped job cannot be resumed.",
    left_out="ended, or being stopped already",
    missed="already stopping, or ended",
    look="danger",
    cancel="Keep them running",
)
EXTEND = Bulk(
    act="extend",
    needs=Action.EXTEND,
    heading="Extend jobs",
    question="Extend {jobs}?",
    button="Extend {jobs}",
    done="extended.",
    text="Each runs longer than its own stop says now, at most as long as the team allows.",
    left_out="ended, being stopped, or at the longest that the team allows",
    missed="already stopping, ended, or as long as the team allows",
)
IN_USE = Bulk(
    act="in-use",
    needs=Action.EXTEND,
    heading="Still in use",
    question="Still in use: {jobs}?",
    button="{jobs} still in use",
    done="said to be in use: their idle time counts anew.",
    text="Open check-ins are answered, and idle time counts anew from now. Other limits stay.",
    left_out="ended, being stopped, not running yet, or ending by itself as a batch job",
    missed="already stopping, ended, or not running",
)
ACTS = {bulk.act: bulk for bulk in (STOP, EXTEND, IN_USE)}
