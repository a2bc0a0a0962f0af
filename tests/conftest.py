"""Settings that must be in place before anything is imported."""

import os
import signal

# Lets scikit-learn dispatch on torch and array-api-strict arrays.
os.environ.setdefault("SCIPY_ARRAY_API", "1")

# Shells let processes in the background ignore Ctrl-C, which the tests send to themselves.
if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    signal.signal(signal.SIGINT, signal.default_int_handler)
