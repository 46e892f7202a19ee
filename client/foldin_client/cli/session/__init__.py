"""What commands share: connection, common options, items by title, exit codes."""
