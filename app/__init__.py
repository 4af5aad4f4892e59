"""The Streamlit shell: all that pages share; no mathematics, no torch."""
