"""A simulated Dispersed over real HTTP, with a durable ledger of its own.

Imports nothing of the rest of the project.
"""

from .cloud import DEMO_KEYS
from .remote import SandboxControl
from .sandbox import Sandbox

__all__ = ["DEMO_KEYS", "Sandbox", "SandboxControl"]
