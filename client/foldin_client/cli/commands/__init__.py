"""The commands that call a server, one function each."""
