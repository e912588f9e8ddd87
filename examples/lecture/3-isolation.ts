/**
 * The lecture's third program: 进程之间的数据隔离问题（数据不共享）. The data of processes are kept apart.
 *
 *     npx manyhands run examples/lecture/3-isolation.ts
 *
 * The child has a memory of its own, with a `count` of its own. It counts that one down; the parent's stays 100.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Process } from 'manyhands';

let count = 100;

function func(): void {
  count -= 1;
  console.log('子进程', count);
}

if (import.meta.main) {
  const p = new Process({ target: func });
  p.start();
  await sleep(5000);
  console.log('主进程', count);
}
