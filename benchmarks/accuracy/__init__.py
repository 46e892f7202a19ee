"""The accuracy tables: foldin as served, baselines, references and libraries on the same folds."""
