"""How PyTorch's helper threads wait for one another. Needs no PyTorch.

After each operation in parallel the threads of a process wait for the last of them. By default the
library GNU OpenMP has them spin for milliseconds first, on a core that another process may need,
perhaps the very thread that is waited for: two threads then train slower than one, beside many
busy processes many times slower (benchmarks/threads.py). Asleep they leave the core to others. On
an idle machine spinning is faster.
"""

import os
from collections.abc import MutableMapping

ASLEEP = {"OMP_WAIT_POLICY": "PASSIVE"}
CHOSEN_BY = (*ASLEEP, "GOMP_SPINCOUNT", "KMP_BLOCKTIME")


def wait_asleep(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let helper threads wait asleep, unless the environment says how they wait.

    OpenMP reads these variables when it is loaded: call this before PyTorch is imported. Child
    processes inherit them.
    """
    if not any(name in environment for name in CHOSEN_BY):
        environment.update(ASLEEP)
