"""How a recommendation is made: the state of a user, the page of items, the guarded store."""
