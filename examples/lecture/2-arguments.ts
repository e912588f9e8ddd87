/**
 * The lecture's second program: 能不能给子进程传参数？Can a child process be given arguments? It can.
 *
 *     npx manyhands run examples/lecture/2-arguments.ts
 *
 * `args` is copied to the child at `start()`. Its types are checked against the parameters of `target`.
 */

import { Process } from 'manyhands';

function func(num1: number, num2: number): void {
  console.log(num1 + num2);
}

if (import.meta.main) {
  // 创建一个进程对象
  const p = new Process({ target: func, args: [100, 200] });

  p.start();
}
