"""One server process from start to stop: the command, its parts put together, its workers."""
