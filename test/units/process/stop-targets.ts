/** What the processes of stop.test.ts run: they take the guards of one queue all the time. */

import type { Queue, SharedValue } from 'manyhands';

/** `count` counts how often it got through. */
export function useQueue(queue: Queue<number>, count: SharedValue<'int32'>): never {
  for (;;) {
    queue.putSync(1);
    queue.tryGet();
    count.add(1);
  }
}
