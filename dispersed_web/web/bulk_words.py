"""What is asked and said when something is done to several jobs at once. Pure."""

from __future__ import annotations

from dataclasses import dataclass

from dispersed_web.teams.roles import Action


@dataclass(frozen=True)
class Bulk:
    """One act on several jobs. ``text`` goes before what they cost together; ``left_out`` says of a job why the act does
    not hit it, ``missed`` of one why it was not done."""

    act: str
    needs: Action
    verb: str
    done: str
    text: str
    left_out: str
    missed: str
    look: str = "primary"
    cancel: str = "Cancel"

    def question(self, count: int) -> str:
        return self.button(count) + ("?" if count else "")

    def button(self, count: int) -> str:
        return f"{self.verb} {counted(count)}"

    def outcome(self, done: int, missed: int) -> str:
        """What was done, and to how many not."""
        text = f"{counted(done)} {self.done}"
        return f"{text} {counted(missed)} left as they were: {self.missed}." if missed else text


def counted(count: int) -> str:
    return f"{count} job{'s' * (count != 1)}"


STOP = Bulk(
    act="stop",
    needs=Action.STOP,
    verb="Stop",
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
    verb="Extend",
    done="extended.",
    text="Each runs longer than its own stop says now, at most as long as the team allows.",
    left_out="ended, being stopped, or at the longest that the team allows",
    missed="already stopping, ended, or as long as the team allows",
)
IN_USE = Bulk(
    act="in-use",
    needs=Action.EXTEND,
    verb="Keep",
    done="said to be in use: their idle time counts anew.",
    text="You say that they are still in use: check-ins are answered, and idle time counts anew from now. Their other "
    "limits stay.",
    left_out="ended, being stopped, not running yet, or ending by itself as a batch job",
    missed="already stopping, ended, or not running",
)
ACTS = {bulk.act: bulk for bulk in (STOP, EXTEND, IN_USE)}
