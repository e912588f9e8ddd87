/* A process-shared mutex, taken and released by one process: nanoseconds a pair, one number for each line on stdin. */
#include <pthread.h>
#include <stdio.h>
#include <sys/mman.h>
#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return t.tv_sec * 1e9 + t.tv_nsec;
}

int main(void) {
  pthread_mutex_t *mutex = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  pthread_mutexattr_t attributes;
  pthread_mutexattr_init(&attributes);
  pthread_mutexattr_setpshared(&attributes, PTHREAD_PROCESS_SHARED);
  pthread_mutex_init(mutex, &attributes);
  int c;
  while ((c = getchar()) != EOF) {
    if (c != '\n') continue;
    double begun = now();
    for (int i = 0; i < 1000000; i++) {
      pthread_mutex_lock(mutex);
      pthread_mutex_unlock(mutex);
    }
    printf("%f\n", (now() - begun) / 1e6);
    fflush(stdout);
  }
}
