"""How a client connects: addresses, TLS, the options of a channel and of every call."""
