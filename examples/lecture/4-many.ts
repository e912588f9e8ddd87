/**
 * The lecture's fourth program: 如何开启多进程. How to start many processes.
 *
 *     npx manyhands run examples/lecture/4-many.ts
 *
 * All five run at the same time, so the order of their lines is anybody's guess.
 */

import { Process } from 'manyhands';

function func(name: string): void {
  console.log(`我是学员${name}`);
}

if (import.meta.main) {
  const names = ['陈绪东', '饭团', '生鲜鱼白', '阿莫西林', '一帆'];
  for (const name of names) {
    // const p = new Process({ target: func, args: [name] });
    // p.start();
    new Process({ target: func, args: [name] }).start();
  }
}
