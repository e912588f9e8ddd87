import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { allocateRun, blockBytes, freeRun, offsetOf, PAGE_BYTES } from '../../src/arena/blocks.ts';
import { memory } from '../../src/arena/memory.ts';

const KiB = 2 ** 10;
const GiB = 2 ** 30;

interface Taken {
  readonly page: number;
  readonly sizeBytes: number;
  readonly mark: number;
}

function bytesOf({ page, sizeBytes }: Pick<Taken, 'page' | 'sizeBytes'>): Uint8Array {
  return new Uint8Array(memory().mapping.buffer, offsetOf(page), sizeBytes);
}

function take(sizeBytes: number, mark: number): Taken {
  const taken = { page: allocateRun(sizeBytes), sizeBytes, mark };
  assert.ok(
    bytesOf(taken).every((byte) => byte === 0),
    `a run of ${sizeBytes} bytes begins with 0`,
  );
  bytesOf(taken).fill(mark);
  return taken;
}

function give(taken: Taken): void {
  assert.ok(
    bytesOf(taken).every((byte) => byte === taken.mark),
    'nobody else wrote to it',
  );
  freeRun(taken.page, taken.sizeBytes);
}

/** Park–Miller. */
function random(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 0x7fff_ffff;
    return state % below;
  };
}

describe('the allocator of runs of pages', () => {
  test('hands nothing out twice, and everything as 0', () => {
    const seed = (Date.now() % 0x7fff_fffe) + 1;
    console.log(`seed ${seed}`);
    const below = random(seed);
    const taken: Taken[] = [];
    for (let i = 0; i < 3000; i++) {
      if (taken.length > 40 || (taken.length > 0 && below(2) === 0)) give(taken.splice(below(taken.length), 1)[0]!);
      else taken.push(take(1 + below(200 * KiB), 1 + below(255)));
    }
    for (const run of taken.splice(0)) give(run);
  });

  test('uses again what was freed', () => {
    const first = take(100 * KiB, 1);
    const behind = take(PAGE_BYTES, 2);
    give(first);
    const second = take(100 * KiB, 3);
    assert.equal(second.page, first.page);
    give(second);
    give(behind);
  });

  test('memory goes back to the kernel with the run', async () => {
    const { fstatSync } = await import('node:fs');
    const held = (): number => fstatSync(memory().fd).blocks * 512;
    const before = held();
    const run = take(2000 * KiB, 1);
    assert.ok(held() - before >= 2000 * KiB);
    give(run);
    assert.ok(held() - before < 64 * KiB);
  });

  test('small runs that were freed are merged when the arena is at its end', () => {
    // Address space only: nothing is touched.
    const pieces: number[] = [];
    const size = GiB / 2;
    for (;;) {
      try {
        pieces.push(allocateRun(size));
      } catch (error) {
        assert.equal((error as { code?: string }).code, 'ERR_OUT_OF_MEMORY');
        break;
      }
    }
    assert.ok(pieces.length >= 120, `${pieces.length} pieces of half a GiB`);
    const [last, ...others] = pieces.reverse();
    for (const page of others.sort((a, b) => (a % 7) - (b % 7))) freeRun(page, size);
    const big = allocateRun(5 * GiB);
    assert.ok(big < last!);
    freeRun(big, 5 * GiB);
    freeRun(last!, size);
  });

  test('the end of the arena moves back with the last run', () => {
    const before = blockBytes();
    const run = allocateRun(GiB);
    assert.ok(blockBytes() >= before);
    freeRun(run, GiB);
    assert.equal(blockBytes(), before);
  });

  test('more than the arena is refused', () => {
    for (const size of [64 * GiB, 2 ** 50]) {
      assert.throws(() => allocateRun(size), { name: 'PlatformError', code: 'ERR_OUT_OF_MEMORY' });
    }
  });
});
