"""The load generator: the requests, their bytes on the wire, and the callers that send them."""
