"""All parts of foldin on this machine: `foldin up` and `foldin demo`.

Both run the other commands as processes and ask the server through `foldin_client`, as any caller
does. Nothing of the other packages is imported.
"""
