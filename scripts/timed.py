"""Runs a command, its output thrown away, and prints seconds and peak memory. Usage: timed.py WORDS COMMAND [ARGUMENT ...]"""

import resource
import subprocess
import sys
import time

begin = time.monotonic()
done = subprocess.run(sys.argv[2:], stdout=subprocess.PIPE)
seconds = time.monotonic() - begin
used = resource.getrusage(resource.RUSAGE_CHILDREN)
lines = done.stdout.count(b"\n")
print(
    f"{sys.argv[1]}: {seconds:.3f} s ({used.ru_utime + used.ru_stime:.3f} s CPU), "
    f"{used.ru_maxrss / 1024:.0f} MB, {lines} lines"
)
sys.exit(done.returncode)
