"""`python -m foldin_client` is the command `foldin` of this interpreter."""

from foldin_client.cli import main

main(prog_name="foldin")
