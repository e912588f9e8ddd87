/**
 * The lecture's first program: create a process and start it.
 *
 *     npx manyhands run examples/lecture/1-create.ts
 *
 * 同步还是异步？Synchronous or asynchronous? Asynchronous: `start()` only tells the system to start the child, and the
 * parent goes on at once. The stars of the parent and the lines of the child come mixed, each at its own pace.
 *
 * 为什么要写 `if __name__ == '__main__'`? Why the guard? The child has to import this file, or it would not have `func`.
 * What starts processes must not run again there: `import.meta.main` is true only in the program that the user started.
 * In Python that is so where children are spawned, as on Windows; here it is so everywhere.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Process } from 'manyhands';

async function func(): Promise<void> {
  for (let i = 0; i < 10; i++) {
    await sleep(500);
    console.log('子进程', process.pid, process.ppid);
  }
}

if (import.meta.main) {
  console.log('主进程', process.pid, process.ppid);
  // 创建一个进程对象
  const p = new Process({ target: func });
  // 开启进程
  p.start();
  for (let i = 0; i < 10; i++) {
    await sleep(300);
    console.log('*'.repeat(i));
  }
}
