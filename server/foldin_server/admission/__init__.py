"""What every call has in common, whichever transport it comes by: the door and its steps.

Request id, place among the calls in flight, status of a failure, log line. Identity, quotas and
audit belong here too.
"""
