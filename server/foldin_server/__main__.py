"""Runs `foldin serve` as `python -m foldin_server`."""

from foldin_server.process.command import serve

serve(prog_name="python -m foldin_server")
