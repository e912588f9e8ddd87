import assert from 'node:assert/strict';
import { test } from 'node:test';
import { CancelledError, checkpoint } from 'manyhands';
import { started, until } from './started.ts';

/** Processor time of this process. */
function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1000;
}

test('timers are on time beside 1,000 busy coroutines', async () => {
  let isOver = false;
  const steps = new Uint32Array(1000);
  const busy = Array.from(steps, (_, i) =>
    started(async () => {
      for (; !isOver; await checkpoint()) steps[i]!++;
    }),
  );
  // By processor time: what others take of the machine is not their doing.
  const delays: number[] = [];
  for (let i = 0; i < 20; i++) {
    const before = cpuMs();
    await new Promise((resolve) => setTimeout(resolve, 5));
    delays.push(cpuMs() - before - 5);
  }
  await until(() => steps.every((count) => count > 0));
  isOver = true;
  await Promise.all(busy.map((one) => one.join()));
  delays.sort((a, b) => a - b);
  // Half of them: now and then the garbage collector takes some milliseconds, on all processors at a time.
  assert.ok(delays[10]! < 20, `late by ${delays.map((delay) => delay.toFixed(1)).join(', ')} ms`);
});

test('busy generators do not keep timers from coming either', async () => {
  let isOver = false;
  function* spin(): Generator {
    while (!isOver) yield;
  }
  const busy = [started(spin), started(spin)];
  await new Promise((resolve) => setTimeout(resolve, 1));
  isOver = true;
  await Promise.all(busy.map((one) => one.join()));
});

test('while the time slice lasts, checkpoint() gives one promise to all', async () => {
  await started(async () => {
    for (;;) {
      await checkpoint();
      const first = checkpoint();
      const second = checkpoint();
      if (first === second) return;
    }
  }).result();
});

test('it rejects in a coroutine that was cancelled, and in no other', async () => {
  let isOver = false;
  const target = async (): Promise<void> => {
    while (!isOver) await checkpoint();
  };
  const [cancelled, other] = [started(target), started(target)];
  await until(() => cancelled.state === 'running' && other.state === 'running');
  cancelled.cancel();
  await checkpoint();
  await assert.rejects(cancelled.result(), CancelledError);
  isOver = true;
  await other.result();
});
