"""`python -m ml_dispatcher`."""

import os

# Few numbers are reckoned with at once: threads that wait for each other would take longer.
os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")

from ml_dispatcher.main import main  # which loads what reads that

main()
