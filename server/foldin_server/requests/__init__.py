"""Protobuf requests as checked arguments; a request that breaks a limit is refused here."""
