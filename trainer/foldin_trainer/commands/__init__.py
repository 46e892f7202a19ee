"""The trainer's commands, found by name through the entry points `foldin.commands`.

Each file holds one command or group; `sources` and `reporting` are what they share.
"""
