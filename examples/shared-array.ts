import { Lock, Process, SharedArray } from 'manyhands';

function fill(numbers: SharedArray<Float64ArrayConstructor>, lock: Lock, from: number): void {
  const lease = lock.acquireSync();
  try {
    for (let i = from; i < numbers.length; i += 2) numbers.view[i] = Math.sqrt(i);
  } finally {
    lease.release();
  }
}

if (import.meta.main) {
  const numbers = new SharedArray(Float64Array, 1_000_000);
  const lock = new Lock({ name: 'numbers' });
  const processes = [0, 1].map((from) => new Process({ target: fill, args: [numbers, lock, from] }));
  for (const process of processes) process.start();
  await Promise.all(processes.map((process) => process.result()));
  console.log(numbers.view[49]); // 7
}
