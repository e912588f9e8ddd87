import { Process } from 'manyhands';

function fibonacci(n: number): number {
  return n < 2 ? n : fibonacci(n - 1) + fibonacci(n - 2);
}
if (import.meta.main) {
  const processes = [38, 39].map((n) => new Process({ target: fibonacci, args: [n] }));
  for (const process of processes) process.start();
  console.log(await Promise.all(processes.map((process) => process.result()))); // [ 39088169, 63245986 ]
}
