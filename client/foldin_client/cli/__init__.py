"""The command `foldin`: the client in a terminal, and the entry to every other command.

This package imports neither grpc nor rich; the commands that need them do.
"""

from foldin_client.cli.group import main

__all__ = ["main"]
