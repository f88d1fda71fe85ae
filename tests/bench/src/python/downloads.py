"""Downloads of one URL through urllib3, decoded as they come: a number asks for that many, their nanoseconds are the answer."""

import platform
import sys
import time

import urllib3

url, length = sys.argv[1], int(sys.argv[2])
manager = urllib3.PoolManager()
print(f"urllib3 {urllib3.__version__} on CPython {platform.python_version()}", flush=True)
for line in sys.stdin:
    started = time.perf_counter_ns()
    for _ in range(int(line)):
        response = manager.request("GET", url, preload_content=False)
        received = sum(len(piece) for piece in response.stream(65536))
        response.release_conn()
        if response.status != 200 or received != length:
            sys.exit(f"the server answered {response.status} and {received} bytes")
    print(time.perf_counter_ns() - started, flush=True)
