"""Takes and releases a lock: alone, or in several processes at once. Prints one number for each line on standard input."""

import multiprocessing
import sys
import time


def hammer(lock, begin, end, count):
    while time.monotonic() < begin:
        pass
    n = 0
    while time.monotonic() < end:
        for _ in range(20):
            lock.acquire()
            lock.release()
        n += 20
    count.put(n)


def alone(lock, rounds=200_000):
    begun = time.perf_counter()
    for _ in range(rounds):
        lock.acquire()
        lock.release()
    return (time.perf_counter() - begun) / rounds * 1e9


def together(lock, processes, seconds):
    counts = multiprocessing.Queue()
    begin = time.monotonic() + 0.3
    workers = [
        multiprocessing.Process(target=hammer, args=(lock, begin, begin + seconds, counts)) for _ in range(processes)
    ]
    for worker in workers:
        worker.start()
    shares = [counts.get() for _ in workers]
    for worker in workers:
        worker.join()
    return shares


def main():
    multiprocessing.set_start_method("fork")
    lock = multiprocessing.Lock()
    for line in sys.stdin:
        processes, seconds = line.split()
        if processes == "1":
            print(alone(lock), flush=True)
        else:
            print(*together(lock, int(processes), float(seconds)), flush=True)


if __name__ == "__main__":
    main()
