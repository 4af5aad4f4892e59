"""Feint's engine: models, attacks, defences, measures and runs on PyTorch. It knows nothing of the page."""

import os

# Training and answering share the cores. OpenMP threads that spin for long while they wait cost another
# process its core; threads that
# never spin pay for a wake-up at every operation. Measured on two cores, an ACAI step alone and with a second
# training beside it: without
# spinning 37 and 38 ms, with 4,000 turns 25 and 55 ms, with the default 24 and more than 100 ms. Read when
# torch is loaded.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "4000")
