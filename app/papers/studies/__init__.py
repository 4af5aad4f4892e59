"""Studies on pages: results of published tables and figures, measured here, as tables and figures."""
