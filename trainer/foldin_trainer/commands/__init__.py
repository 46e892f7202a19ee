"""The trainer's commands, found by name through the entry points `foldin.commands`.

Each module holds one command or group; `options` and `output` are shared by them.
"""
