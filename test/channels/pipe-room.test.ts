/** A pipe holds 1 MiB in each direction. */

import assert from 'node:assert/strict';
import { afterEach } from 'node:test';
import { pipe } from 'manyhands';
import { endAll, isSettled, start } from '../sync/children.ts';
import { blockedOn, bounded, manners } from './bounded.ts';
import * as targets from './targets.ts';

afterEach(endAll);

bounded('a send waits while there is no room, and keeps its place', async () => {
  const [a, b] = pipe<Uint8Array>();
  const sends = [700_000, 700_000, 1].map((size) => a.send(new Uint8Array(size)));
  await sends[0]!;
  assert.deepEqual([await isSettled(sends[1]!), await isSettled(sends[2]!)], [false, false]);
  assert.equal((await b.recv()).length, 700_000);
  await Promise.all(sends);
  assert.equal((await b.recv()).length, 700_000);
  assert.equal((await b.recv()).length, 1);
});

bounded('what is within it does not wait', async () => {
  const [a, b] = pipe<Uint8Array>();
  for (let n = 0; n < 15; n++) await a.send(new Uint8Array(2 ** 16).fill(n));
  for (let n = 0; n < 15; n++) assert.equal((await b.recv())[0], n);
});

bounded('one direction that is full does not hold up the other', async () => {
  const [a, b] = pipe<Uint8Array>();
  await a.send(new Uint8Array(1_000_000));
  const waits = a.send(new Uint8Array(1_000_000));
  assert.equal(await isSettled(waits), false);
  await b.send(new Uint8Array(1_000_000));
  assert.equal((await a.recv()).length, 1_000_000);
  await b.recv();
  await waits;
});

bounded('a larger message is admitted when the pipe is empty', async () => {
  const [a, b] = pipe<Uint8Array>();
  await a.send(new Uint8Array(3_000_000).fill(7));
  const behind = a.send(new Uint8Array(1));
  assert.equal(await isSettled(behind), false);
  const large = await b.recv();
  assert.deepEqual([large.length, large.every((byte) => byte === 7)], [3_000_000, true]);
  await behind;
  const again = a.send(new Uint8Array(3_000_000));
  assert.equal(await isSettled(again), false, 'the pipe is not empty');
  await b.recv();
  await again;
});

for (const manner of manners) {
  bounded(`a child that sends more (${manner}) waits for its parent`, async () => {
    const [own, there] = pipe<unknown>();
    const blocks = Array.from({ length: 5 }, (_, n) => new Uint8Array(600_000).fill(n));
    const child = start(targets.sendAll, manner, there, blocks);
    for (let n = 0; n < 5; n++) {
      if (n < 4) await blockedOn(child, /connection|pipe/);
      const block = (await own.recv()) as Uint8Array;
      assert.deepEqual([block.length, block.every((byte) => byte === n)], [600_000, true]);
    }
    await child.result();
  });
}
