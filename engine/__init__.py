"""Feint's engine: models, attacks, defences, measures and runs on PyTorch. It knows nothing of the page."""
