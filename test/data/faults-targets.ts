/** What the processes of faults.test.ts run. */

import { type ListItem, type ShareableList, SharedArray, type SharedValue } from 'manyhands';
import { collectUntil } from './arena-size.ts';

/** Passes every step there is of making, changing and freeing shared data. */
export async function use(list: ShareableList<ListItem[]>, value: SharedValue<'int32'>): Promise<void> {
  for (let round = 0; round < 4; round++) {
    for (let i = 0; i < 10; i++) {
      const array = new SharedArray(Uint8Array, 1 + ((i * 37) % 11) * 5000);
      if (array.view.some((byte) => byte !== 0)) throw new Error('A new array is not 0.');
      array.view.fill(255);
    }
    list.set(0, 'b'.repeat(20_000));
    list.set(0, 'c');
    value.add(1);
    await collectUntil(() => true);
  }
}
