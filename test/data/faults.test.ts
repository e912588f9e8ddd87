import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type ListItem, Process, ShareableList, SharedArray, SharedValue } from 'manyhands';
import { use } from './faults-targets.ts';

const folder = mkdtempSync(join(tmpdir(), 'manyhands-faults-'));
after(() => rmSync(folder, { recursive: true }));

function child(fault: string, ...args: Parameters<typeof use>): Process<Parameters<typeof use>, void> {
  const made = new Process({ target: use, args, env: { MANYHANDS_FAULT: fault } });
  made.start();
  return made;
}

async function steps(): Promise<string[]> {
  const file = join(folder, 'steps');
  await child(`list:${file}`, new ShareableList<ListItem[]>(['a']), new SharedValue('int32')).result();
  return [...new Set(readFileSync(file, 'utf8').trim().split('\n'))];
}

const wanted = /^(blocks|list|heap|object|guard)\./;

describe('a death at any step of shared data', () => {
  test('leaves the survivors working, with whole and separate memory', { timeout: 120_000 }, async (t) => {
    const passed = (await steps()).filter((step) => wanted.test(step));
    for (const step of [
      'blocks.allocated',
      'blocks.punched',
      'blocks.give',
      'blocks.cursor',
      'list.written',
      'list.set',
    ]) {
      assert.ok(passed.includes(step), `${step} is passed`);
    }
    for (const step of passed) {
      for (const turn of [1, 7]) {
        await t.test(`${step}, passed ${turn} times`, async () => {
          const list = new ShareableList<ListItem[]>(['a']);
          const value = new SharedValue('int32');
          const died = child(`${step}:${turn}`, list, value);
          await died.join();
          if (died.exit?.signal !== 'SIGKILL') return; // not passed as often
          assert.ok(['a', 'b'.repeat(20_000), 'c'].includes(list.get(0) as string));
          list.set(0, 'still works');
          assert.equal(list.get(0), 'still works');
          assert.equal(typeof value.add(1), 'number');
          const arrays = Array.from({ length: 20 }, (_, i) => new SharedArray(Uint8Array, 1 + i * 3000));
          for (const [i, array] of arrays.entries()) {
            assert.ok(array.view.every((byte) => byte === 0));
            array.view.fill(i);
          }
          for (const [i, array] of arrays.entries()) assert.ok(array.view.every((byte) => byte === i));
          await child('none', list, value).result();
        });
      }
    }
  });
});
