"""Sends 64 MiB of doubles to another process, 4 times for each line on standard input, and prints MB/s."""

import array
import multiprocessing
import sys
import time

COUNT = 4
SIZE_BYTES = 64 * 2**20


def consume(arrays, receipts):
    got, total = 0, 0.0
    while (numbers := arrays.get()) is not None:
        total += sum(numbers[::512])
        got += 1
        if got % COUNT == 0:
            receipts.put((total, time.monotonic_ns()))
            total = 0.0


def main():
    multiprocessing.set_start_method("fork")
    arrays, receipts = multiprocessing.Queue(maxsize=2), multiprocessing.Queue()
    consumer = multiprocessing.Process(target=consume, args=(arrays, receipts))
    consumer.start()
    numbers = array.array("d", bytes(SIZE_BYTES))
    for _ in sys.stdin:
        begun = time.monotonic_ns()
        for _ in range(COUNT):
            arrays.put(numbers)
        total, ended = receipts.get()
        assert total == 0
        print(COUNT * SIZE_BYTES * 1e3 / (ended - begun), flush=True)
    arrays.put(None)
    consumer.join()


if __name__ == "__main__":
    main()
