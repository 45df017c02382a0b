"""How PyTorch's helper threads wait for one another. Needs no PyTorch.

After each operation in parallel the threads of a process wait for the last of them. By default the
library GNU OpenMP has them spin for milliseconds first, on a core that another process may need,
perhaps the very thread that is waited for: two threads beside busy processes then train ten to a
hundred times slower than one (benchmarks/threads.py). After a short spin, a sleep costs little
where cores are free, and leaves them to others where they are not.
"""

import os
from collections.abc import MutableMapping

BRIEFLY = {"OMP_WAIT_POLICY": "PASSIVE", "GOMP_SPINCOUNT": "1000"}
"""the policy is for any OpenMP library; GNU's spins so often all the same: tens of microseconds"""
CHOSEN_BY = (*BRIEFLY, "KMP_BLOCKTIME")


def wait_briefly(environment: MutableMapping[str, str] = os.environ) -> None:
    """Let helper threads sleep after a short spin, unless the environment says how they wait.

    OpenMP reads these variables when it is loaded: call this before PyTorch is imported. Child
    processes inherit them.
    """
    if not any(name in environment for name in CHOSEN_BY):
        environment.update(BRIEFLY)
