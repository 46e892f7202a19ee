"""A faster way to the same bytes for plain Recommends, which are answered many at a time.

It is put before `api` where the server is put together, and can be switched off: see README.md.
"""
