"""Tables -> Plotly figures, and their colours."""
