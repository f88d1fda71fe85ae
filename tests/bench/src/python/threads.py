"""GETs of one URL by many threads at once: a number asks for that many rounds, each with a manager of its own, their nanoseconds are the answer."""

import platform
import sys
import threading
import time

import urllib3

url, count = sys.argv[1], int(sys.argv[2])
print(f"urllib3 {urllib3.__version__}, {count} threads of CPython {platform.python_version()}", flush=True)


def get(manager, answers):
    response = manager.request("GET", url)
    answers.append((response.status, response.data))


for line in sys.stdin:
    took = 0
    for _ in range(int(line)):
        manager = urllib3.PoolManager(maxsize=count)
        answers = []
        started = time.perf_counter_ns()
        threads = [threading.Thread(target=get, args=(manager, answers)) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        took += time.perf_counter_ns() - started
        if answers != [(200, b"body")] * count:
            sys.exit("not all requests were answered")
        manager.clear()
    print(took, flush=True)
