"""The audit log on the pages: a team's events and those of one's own account, with filters, and as files."""

from dispersed_web.web.audit.lines import PAGE_SIZE, Line, lines

__all__ = ["PAGE_SIZE", "Line", "lines"]
