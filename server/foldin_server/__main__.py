"""`python -m foldin_server` is `foldin serve`."""

from foldin_server.process.command import serve

serve(prog_name="python -m foldin_server")
