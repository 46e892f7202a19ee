"""What the server's rooms run on: metrics, log lines, threads, background tasks, deadlines."""
