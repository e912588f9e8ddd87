"""Sends small dicts to another process, once for each line on standard input, and prints how many thousand a second."""

import multiprocessing
import sys
import time

COUNT = 100_000


def consume(jobs, times):
    got = 0
    while not jobs.get()["done"]:
        got += 1
        if got % COUNT == 0:
            times.put(time.monotonic_ns())


def main():
    multiprocessing.set_start_method("fork")
    jobs, times = multiprocessing.Queue(), multiprocessing.Queue()
    consumer = multiprocessing.Process(target=consume, args=(jobs, times))
    consumer.start()
    for _ in sys.stdin:
        begun = time.monotonic_ns()
        for i in range(COUNT):
            jobs.put({"id": i, "name": "job", "done": False})
        print(COUNT / (times.get() - begun) * 1e6, flush=True)
    jobs.put({"id": COUNT, "name": "job", "done": True})
    consumer.join()


if __name__ == "__main__":
    main()
