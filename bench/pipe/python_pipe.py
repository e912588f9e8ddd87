"""Sends a small dict there and back, both processes on processor 0, once for each line on standard input: microseconds."""

import multiprocessing
import os
import sys
import time

WARM_UPS = 2_000
COUNT = 10_000


def echo(there):
    while True:
        job = there.recv()
        if job["done"]:
            return
        there.send(job)


def main():
    multiprocessing.set_start_method("fork")
    os.sched_setaffinity(0, {0})
    here, there = multiprocessing.Pipe()
    process = multiprocessing.Process(target=echo, args=(there,))
    process.start()
    for _ in sys.stdin:
        for i in range(-WARM_UPS, COUNT):
            if i == 0:
                begun = time.perf_counter()
            here.send({"id": i, "name": "job", "done": False})
            here.recv()
        print((time.perf_counter() - begun) / COUNT * 1e6, flush=True)
    here.send({"id": COUNT, "name": "job", "done": True})
    process.join()


if __name__ == "__main__":
    main()
