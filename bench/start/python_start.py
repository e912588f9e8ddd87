"""Starts a process for each line on standard input, and prints the milliseconds to its first line."""

import multiprocessing
import sys
import time


def first_line(end):
    end.send(time.monotonic_ns())


def main():
    context = multiprocessing.get_context(sys.argv[1])
    for _ in sys.stdin:
        here, there = context.Pipe()
        process = context.Process(target=first_line, args=(there,))
        begun = time.monotonic_ns()
        process.start()
        reached = here.recv()
        process.join()
        print((reached - begun) / 1e6, flush=True)


if __name__ == "__main__":
    main()
