"""Options that several commands share: numbers, the data set, the store, tuned settings."""
