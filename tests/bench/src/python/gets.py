"""GETs of one URL through urllib3, and through a proxy where there is a third argument: a number on a line of standard input asks for that many, their nanoseconds are the answer."""

import platform
import sys
import time

import urllib3

url, roots, *proxies = sys.argv[1:]
if proxies:
    manager = urllib3.ProxyManager(proxies[0], ca_certs=roots)
else:
    manager = urllib3.PoolManager(ca_certs=roots)
print(f"urllib3 {urllib3.__version__} on CPython {platform.python_version()}", flush=True)
for line in sys.stdin:
    started = time.perf_counter_ns()
    for _ in range(int(line)):
        response = manager.request("GET", url)
        if response.status != 200 or not response.data:
            sys.exit(f"the server answered {response.status}")
    print(time.perf_counter_ns() - started, flush=True)
