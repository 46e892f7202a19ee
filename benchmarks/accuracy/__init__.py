"""The accuracy tables: foldin as it is served, beside what else there is, on the same folds."""
