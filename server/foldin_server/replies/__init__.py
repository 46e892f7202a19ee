"""Answers as protobuf messages."""
