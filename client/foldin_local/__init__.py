"""A whole foldin on this machine: `foldin up` and `foldin demo`.

They run the other commands as processes and talk to the server as any caller does; nothing of the
other packages is imported.
"""
