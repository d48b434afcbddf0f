"""`python -m siliconflow_batch_simulator`: same as `siliconflow-batch simulate`."""

import sys

from .launcher import main

sys.exit(main(sys.argv[1:]))
