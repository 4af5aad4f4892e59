"""Feint's engine: models, attacks, defences, measures and runs on PyTorch. It knows nothing of the page."""

import os

# Training and answering share the cores. OpenMP threads that spin while they wait cost the other process its core: measured on
# two cores with four such processes, a training step took 59-106 ms with spinning and 15 ms without. Read when torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
