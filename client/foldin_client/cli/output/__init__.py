"""How answers are printed: as tables for people, as JSON for programs."""
