"""The store in a process's memory, for tests and evaluation. It answers as the others do."""
