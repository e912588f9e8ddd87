/* Copies 64 MiB, 8 times a line on stdin: MB/s. `copy warm`: into the same memory again; `copy fresh`: into new pages. */
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <time.h>

enum { COUNT = 8 };
static const size_t size = 64 << 20;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec + t.tv_nsec / 1e9;
}

static void *map(void) {
  return mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
}

int main(int argc, char **argv) {
  int fresh = argc > 1 && strcmp(argv[1], "fresh") == 0;
  char *source = map(), *target = map();
  memset(source, 1, size);
  memset(target, 1, size);
  volatile long sum = 0;
  int c;
  while ((c = getchar()) != EOF) {
    if (c != '\n') continue;
    double begun = now();
    for (int i = 0; i < COUNT; i++) {
      if (fresh) {
        munmap(target, size);
        target = map();
      }
      memcpy(target, source, size);
      for (size_t at = 0; at < size; at += 4096) sum += target[at];
    }
    printf("%f\n", COUNT * (double)size / 1e6 / (now() - begun));
    fflush(stdout);
  }
}
