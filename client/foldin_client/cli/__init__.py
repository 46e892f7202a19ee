"""The command `foldin`: foldin's client in a terminal, and the way to every other command.

Nothing heavy is imported here: grpc and rich come with the command that needs them.
"""

from foldin_client.cli.group import main

__all__ = ["main"]
