"""Each RPC as a value: arguments to requests, responses to values, statuses to errors."""
