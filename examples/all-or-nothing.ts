/**
 * All succeed or all fail, as the lecture has it of synchronous tasks (同步): money is moved between accounts by several
 * transfers at once. When one of them cannot be made, those that were made already are taken back.
 *
 *     npm run example -- all-or-nothing             all of them can be made
 *     npm run example -- all-or-nothing --fail      the last one cannot, and nothing is moved
 */

import { Event, Lock, SharedValue, TaskGroup } from 'manyhands';

type Account = SharedValue<'int32'>;

interface Transfer {
  readonly from: Account;
  readonly to: Account;
  readonly amount: number;
}

function move({ from, to, amount }: Transfer): void {
  from.value -= amount;
  to.value += amount;
}

/** Makes a transfer, and stands by it until all are made: then it stays; when it is cancelled before, it takes it back. */
async function transfer(order: Transfer, lock: Lock, made: Account, total: number, all: Event): Promise<string> {
  await lock.run(() => {
    if (order.from.value < order.amount) throw new RangeError(`only ${order.from.value} of ${order.amount} are there`);
    move(order);
    if (++made.value === total) all.set();
  });
  try {
    await all.wait();
  } catch (cancelled) {
    // A coroutine that was cancelled may wait again: for what it needs to leave everything as it was.
    await lock.run(() => move({ from: order.to, to: order.from, amount: order.amount }));
    throw cancelled;
  }
  return `moved ${order.amount}`;
}

async function main(isToFail: boolean): Promise<void> {
  const [alice, bob, carol] = [100, 50, 0].map((amount) => new SharedValue('int32', amount)) as [
    Account,
    Account,
    Account,
  ];
  const show = (when: string): void =>
    console.log(`${when.padEnd(7)} Alice ${alice.value}, Bob ${bob.value}, Carol ${carol.value}`);
  const orders: Transfer[] = [
    { from: alice, to: bob, amount: 30 },
    { from: bob, to: carol, amount: 20 },
    { from: alice, to: carol, amount: isToFail ? 1000 : 10 },
  ];
  const lock = new Lock({ name: 'accounts' });
  const made = new SharedValue('int32', 0);
  const all = new Event({ name: 'all transfers' });

  show('before');
  const group = new TaskGroup({ name: 'transfers' });
  for (const order of orders) group.coroutine(transfer, order, lock, made, orders.length, all);
  try {
    console.log((await group.join()).join(', '));
  } catch (error) {
    for (const { message } of (error as AggregateError).errors as Error[]) console.log(`  ${message}`);
  }
  show('after');
}

if (import.meta.main) await main(process.argv.includes('--fail'));
