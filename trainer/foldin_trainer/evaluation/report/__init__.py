"""Reports an evaluation as tables, figures, a JSON document and an HTML page."""
