/** What the programs of examples/lecture print, run by the command that their README gives. */

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type Ended, root, runProgram } from '../support/program.ts';

const folder = join(root, 'examples/lecture');
const seen = new Set<string>();

async function run(name: string): Promise<Ended & { readonly lines: string[] }> {
  seen.add(name);
  const ended = await runProgram(join(root, 'dist/cli/bin.js'), { args: ['run', join(folder, name)] });
  assert.equal(ended.stderr, '');
  assert.equal(ended.code, 0);
  return { ...ended, lines: ended.stdout.replace(/\n$/, '').split('\n') };
}

// They mostly wait, up to five seconds each.
describe('the programs of the lecture', { concurrency: true }, () => {
  test('1: a child prints ten times beside the stars of its parent', async () => {
    const { lines, pid } = await run('1-create.ts');
    assert.equal(lines[0], `主进程 ${pid} ${process.pid}`);
    assert.deepEqual(
      lines.slice(1).filter((line) => !line.startsWith('子进程')),
      Array.from({ length: 10 }, (_, i) => '*'.repeat(i)),
    );
    const ofChild = lines.filter((line) => line.startsWith('子进程'));
    assert.equal(ofChild.length, 10);
    assert.match(ofChild[0]!, new RegExp(`^子进程 \\d+ ${pid}$`));
    assert.equal(new Set(ofChild).size, 1);
    assert.ok(lines.indexOf('*') < lines.lastIndexOf(ofChild[0]!), 'the parent did not wait for the child');
  });

  test('2: a child gets arguments', async () => {
    assert.deepEqual((await run('2-arguments.ts')).lines, ['300']);
  });

  test('3: the count of the child is not that of the parent', async () => {
    assert.deepEqual((await run('3-isolation.ts')).lines, ['子进程 99', '主进程 100']);
  });

  test('4: five children tell their names', async () => {
    const { lines } = await run('4-many.ts');
    assert.deepEqual(
      lines.sort(),
      ['我是学员陈绪东', '我是学员饭团', '我是学员生鲜鱼白', '我是学员阿莫西林', '我是学员一帆'].sort(),
    );
  });

  test('5: the program ends after all of its children, though its parent has reached its end', async () => {
    const { lines, pid } = await run('5-parent-and-child.ts');
    const first = lines.filter((line) => /^子进程\d/.test(line));
    const numbers = first.map((line) => {
      const [, number, child] = new RegExp(`^子进程(\\d): {2}(\\d+) ${pid}$`).exec(line) ?? assert.fail(line);
      return { number: Number(number), child };
    });
    assert.deepEqual(
      numbers.map(({ number }) => number).sort((a, b) => a - b),
      Array.from({ length: 10 }, (_, i) => i),
    );
    assert.equal(new Set(numbers.map(({ child }) => child)).size, 10);
    assert.equal(lines.filter((line) => line === '子进程end').length, 10);
    assert.ok(lines.includes('父进程*****'));
    assert.ok(lines.indexOf('父进程*****') < lines.indexOf('子进程end'));
    assert.equal(lines.length, 21);
  });

  after(() => {
    const programs = readdirSync(folder).filter((name) => name.endsWith('.ts'));
    assert.deepEqual([...seen].sort(), programs.sort(), 'each program has a test');
  });
});
