/**
 * The lecture's fifth program: 子进程和父进程的关系. How child and parent belong together.
 *
 *     npx manyhands run examples/lecture/5-parent-and-child.ts
 *
 * The parent does not wait for its children: it prints 父进程***** before most of them are up, and reaches its last
 * line long before they end. And yet the program goes on until the last 子进程end.
 */

import { setTimeout as sleep } from 'node:timers/promises';
import { Process } from 'manyhands';

// 子进程和父进程之间的关系
async function func(arg: number): Promise<void> {
  console.log('子进程%s: ', arg, process.pid, process.ppid);
  await sleep(5000);
  console.log('子进程end');
}

if (import.meta.main) {
  for (let i = 0; i < 10; i++) {
    new Process({ target: func, args: [i] }).start();
  }
  console.log('父进程*****');
}

// 父进程和子进程的启动是异步的
// 父进程只负责通知操作系统启动子进程
// 接下来的工作由操作系统接手，父进程继续执行
// 父进程的代码执行完毕之后并不会直接结束程序
// 而是会等待所有的子进程都执行完毕之后才结束
// 父进程要负责回收子进程的资源
