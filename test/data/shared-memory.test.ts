import assert from 'node:assert/strict';
import { execFile, execFileSync } from 'node:child_process';
import { existsSync, readdirSync, statfsSync, statSync, symlinkSync, unlinkSync, writeFileSync } from 'node:fs';
import { afterEach, describe, test } from 'node:test';
import { promisify } from 'node:util';
import {
  ClosedError,
  listSharedMemory,
  PlatformError,
  removeStaleSharedMemory,
  SharedMemory,
  StateError,
  ValidationError,
} from 'manyhands';
import { root } from '../support/program.ts';
import { collectUntil } from './arena-size.ts';
import * as targets from './targets.ts';
import { run } from './targets.ts';

const begin = `manyhands-${process.getuid!()}`;
const unique = (): string => `test-${process.pid}-${Math.random().toString(36).slice(2)}`;
const fileOf = (name: string): string => `/dev/shm/${begin}-${name}`;
const mine = (): string[] => readdirSync('/dev/shm').filter((file) => file.startsWith(`${begin}-test-${process.pid}-`));

const kept: SharedMemory[] = [];

/** Has it closed after the test. */
function keep(memory: SharedMemory): SharedMemory {
  kept.push(memory);
  return memory;
}

afterEach(() => {
  for (const memory of kept.splice(0)) memory.close();
  assert.deepEqual(mine(), [], 'nothing is left in /dev/shm');
});

describe('SharedMemory in one process', () => {
  test('is 0 at first, and the same for all who attach', () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 1000 }));
    assert.equal(memory.sizeBytes, 1000);
    assert.equal(memory.buffer.byteLength, 1000);
    assert.equal(memory.buffer, memory.buffer);
    assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 0));
    const other = keep(SharedMemory.attach(memory.name));
    assert.equal(other.sizeBytes, 1000);
    new Uint8Array(memory.buffer)[999] = 7;
    assert.equal(new Uint8Array(other.buffer)[999], 7);
    assert.equal(statSync(fileOf(memory.name)).mode & 0o777, 0o600);
  });

  test('gets a name of its own when it is given none', () => {
    const one = keep(SharedMemory.create({ sizeBytes: 1 }));
    const two = keep(SharedMemory.create({ sizeBytes: 1 }));
    assert.notEqual(one.name, two.name);
    SharedMemory.attach(one.name).close();
  });

  test('names of many letters and kinds work', () => {
    for (const name of ['.', '..', ' ', '-', '子 进程', 'a'.repeat(200), '*', '~', '\n']) {
      const memory = keep(SharedMemory.create({ name: `test-${process.pid}-${name}`, sizeBytes: 10 }));
      const other = keep(SharedMemory.attach(memory.name));
      assert.equal(other.sizeBytes, 10);
    }
  });

  test('a name that is held cannot be made again, and the holder loses nothing', () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 10 }));
    new Uint8Array(memory.buffer).fill(1);
    assert.throws(
      () => SharedMemory.create({ name: memory.name, sizeBytes: 20 }),
      (error) => error instanceof StateError && error.code === 'ERR_EXISTS' && error.message.includes(memory.name),
    );
    assert.equal(keep(SharedMemory.attach(memory.name)).sizeBytes, 10);
    assert.ok(new Uint8Array(memory.buffer).every((byte) => byte === 1));
  });

  test('a name that is not there is told', () => {
    assert.throws(
      () => SharedMemory.attach('nobody-made-this'),
      (error) => error instanceof StateError && error.code === 'ERR_NOT_FOUND',
    );
  });

  test('unlink takes the name, and the memory stays; a second one is told', () => {
    const name = unique();
    const memory = keep(SharedMemory.create({ name, sizeBytes: 10 }));
    memory.unlink();
    assert.throws(() => SharedMemory.attach(name), { code: 'ERR_NOT_FOUND' });
    new Uint8Array(memory.buffer)[0] = 1;
    const second = keep(SharedMemory.create({ name, sizeBytes: 20 }));
    assert.throws(() => memory.unlink(), { code: 'ERR_NOT_FOUND' });
    memory.close();
    assert.equal(keep(SharedMemory.attach(name)).sizeBytes, 20, 'the name is another’s by now');
    assert.equal(new Uint8Array(second.buffer)[0], 0);
    second.unlink();
  });

  test('close empties the views instead of leaving them to crash, and the last close removes the name', () => {
    const name = unique();
    const memory = SharedMemory.create({ name, sizeBytes: 10 });
    const other = SharedMemory.attach(name);
    const view = new Uint8Array(memory.buffer);
    memory.close();
    memory.close();
    assert.equal(view.length, 0);
    assert.equal(view[0], undefined);
    assert.throws(() => memory.buffer, ClosedError);
    assert.ok(existsSync(fileOf(name)));
    other.close();
    assert.ok(!existsSync(fileOf(name)));
  });

  test('a buffer that was transferred away stays usable after close', () => {
    const memory = SharedMemory.create({ name: unique(), sizeBytes: 4096 });
    const moved = (memory.buffer as unknown as { transfer(): ArrayBuffer }).transfer();
    memory.close();
    new Uint8Array(moved).fill(1);
    assert.equal(new Uint8Array(moved)[4095], 1);
  });

  test('is closed when nobody reaches it, and not as long as a view is reached', async () => {
    const name = unique();
    const view = (() => new Uint8Array(SharedMemory.create({ name, sizeBytes: 10 }).buffer))();
    for (let i = 0; i < 5; i++) await collectUntil(() => true);
    assert.ok(existsSync(fileOf(name)));
    view[0] = 1;
    const other = unique();
    (() => SharedMemory.create({ name: other, sizeBytes: 10 }).buffer.byteLength)();
    assert.ok(await collectUntil(() => !existsSync(fileOf(other))));
    keep(SharedMemory.attach(name)).unlink();
    assert.equal(view[0], 1);
  });

  test('misuse is told at the call', () => {
    const bad: unknown[] = ['', 'a/b', 'a\0b', '\ud800', 'x'.repeat(256), 5, null, {}];
    for (const name of bad) {
      assert.throws(() => SharedMemory.create({ name: name as string, sizeBytes: 1 }), ValidationError, String(name));
      assert.throws(() => SharedMemory.attach(name as string), ValidationError, String(name));
    }
    assert.throws(() => SharedMemory.attach(undefined as never), ValidationError);
    for (const sizeBytes of [0, -1, 1.5, Number.NaN, Number.POSITIVE_INFINITY, '1', undefined, 1n, 2 ** 60]) {
      assert.throws(() => SharedMemory.create({ sizeBytes: sizeBytes as number }), ValidationError, String(sizeBytes));
    }
    assert.throws(() => SharedMemory.create(undefined as never), ValidationError);
  });

  test('more than there is room for is refused, and leaves nothing', () => {
    const { bsize, bavail } = statfsSync('/dev/shm');
    const name = unique();
    assert.throws(
      () => SharedMemory.create({ name, sizeBytes: bsize * bavail + 2 ** 40 }),
      (error) => error instanceof PlatformError && error.code === 'ERR_OUT_OF_MEMORY',
    );
    assert.deepEqual(
      listSharedMemory().filter(({ name: found }) => found.startsWith('.new')),
      [],
    );
  });

  test('what is no shared memory of ours is not touched', () => {
    const name = unique();
    const aim = fileOf(unique());
    writeFileSync(aim, 'x');
    symlinkSync(aim, fileOf(name));
    assert.throws(() => SharedMemory.attach(name), PlatformError);
    assert.throws(() => SharedMemory.create({ name, sizeBytes: 1 }), { code: 'ERR_EXISTS' });
    unlinkSync(fileOf(name));
    unlinkSync(aim);
  });
});

describe('SharedMemory among processes', () => {
  test('is attached to by name, in children and grandchildren', async () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 10 }));
    assert.equal(await run(targets.touchMemory, memory.name), 0);
    assert.equal(await run(targets.touchInGrandchild, memory.name), 1);
    assert.equal(new Uint8Array(memory.buffer)[0], 2);
  });

  test('serves programs that know nothing of each other', async () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 10 }));
    const program = `import { SharedMemory } from 'manyhands';
      const memory = SharedMemory.attach(process.argv[1]);
      new Uint8Array(memory.buffer)[1] = 9;`;
    await promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, memory.name], { cwd: root });
    assert.equal(new Uint8Array(memory.buffer)[1], 9);
    assert.ok(existsSync(fileOf(memory.name)), 'the other one’s end took nothing from us');
  });

  test('travels as an argument, also when it has no name any more', async () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 10 }));
    assert.equal(await run(targets.touchGiven, memory), 0);
    memory.unlink();
    assert.equal(await run(targets.touchGiven, memory), 1);
    assert.equal(new Uint8Array(memory.buffer)[0], 2);
  });

  test('comes as a result from a process that has ended', async () => {
    const memory = await run(targets.makeMemory, 100);
    assert.deepEqual([memory.sizeBytes, new Uint8Array(memory.buffer)[99]], [100, 5]);
    memory.unlink();
    memory.close();
  });

  test('closed, it cannot be sent', async () => {
    const memory = SharedMemory.create({ name: unique(), sizeBytes: 10 });
    memory.close();
    await assert.rejects(run(targets.touchGiven, memory), ClosedError);
  });

  test('goes with its last holder, also when that one ends without closing it', async () => {
    const name = unique();
    await run(targets.leaveMemoryOpen, name);
    assert.ok(!existsSync(fileOf(name)));
  });

  test('is not harmed by a holder that is killed', async () => {
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 10 }));
    await assert.rejects(run(targets.dieAttached, memory.name), /SIGKILL/);
    assert.equal(await run(targets.touchMemory, memory.name), 0);
  });

  test('what a killed program left is listed, can be attached to, is never removed from under a user, and is removed', async () => {
    const name = unique();
    await assert.rejects(run(targets.dieWithMemory, name, 1000), /SIGKILL/);
    const find = () => listSharedMemory().find((memory) => memory.name === name);
    assert.deepEqual(find(), { name, sizeBytes: 1000, isHeld: false });
    const memory = SharedMemory.attach(name);
    assert.equal(new Uint8Array(memory.buffer)[999], 3);
    assert.equal(find()?.isHeld, true);
    assert.ok(!removeStaleSharedMemory().some((removed) => removed.name === name));
    memory.close();
    assert.equal(find(), undefined);
    await assert.rejects(run(targets.dieWithMemory, name, 1000), /SIGKILL/);
    assert.deepEqual(
      removeStaleSharedMemory().filter((removed) => removed.name === name),
      [{ name, sizeBytes: 1000, isHeld: false }],
    );
    assert.equal(find(), undefined);
  });

  test('what a killed program left does not stand in the way of a new one', async () => {
    const name = unique();
    await assert.rejects(run(targets.dieWithMemory, name, 1000), /SIGKILL/);
    const memory = keep(SharedMemory.create({ name, sizeBytes: 10 }));
    assert.equal(new Uint8Array(memory.buffer)[0], 0);
  });

  test('the command shows what there is, and removes what is stale', async () => {
    const stale = unique();
    await assert.rejects(run(targets.dieWithMemory, stale, 1000), /SIGKILL/);
    const memory = keep(SharedMemory.create({ name: unique(), sizeBytes: 5 }));
    const shm = (...args: string[]): string =>
      execFileSync(process.execPath, [`${root}/dist/cli/bin.js`, 'shm', ...args], { encoding: 'utf8' });
    assert.match(shm(), new RegExp(`in use +5 bytes +${memory.name}\n`));
    assert.match(shm('list'), new RegExp(`stale +1000 bytes +${stale}\n`));
    const cleaned = shm('clean');
    assert.match(cleaned, new RegExp(`removed +1000 bytes +${stale}\n`));
    assert.ok(!cleaned.includes(memory.name));
    assert.ok(!shm().includes(stale));
  });

  test('a name that many make, attach to and close at once is whole or not there', async () => {
    const name = unique();
    const counts = await Promise.all([1, 2, 3].map(() => run(targets.contend, name, 1500)));
    assert.deepEqual(
      counts.flatMap(({ other }) => other),
      [],
    );
    assert.ok(counts.every(({ created }) => created > 0));
  });

  for (const step of ['memory.created', 'memory.reserved', 'memory.named', 'memory.last']) {
    test(`a death at ${step} leaves at most what can be removed`, async () => {
      const name = unique();
      const program = `import { SharedMemory } from 'manyhands';
        SharedMemory.create({ name: process.argv[1], sizeBytes: 50 }).close();`;
      const env = { ...process.env, MANYHANDS_FAULT: step };
      await assert.rejects(
        promisify(execFile)(process.execPath, ['--input-type=module', '-e', program, name], { cwd: root, env }),
        { signal: 'SIGKILL' },
      );
      SharedMemory.create({ name, sizeBytes: 10 }).close();
      removeStaleSharedMemory();
      assert.deepEqual(
        readdirSync('/dev/shm').filter((file) => file.startsWith(`${begin}.new-`)),
        [],
      );
    });
  }
});
