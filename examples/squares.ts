import { Process, Queue } from 'manyhands';

async function square(numbers: Queue<number>, squares: Queue<number>): Promise<void> {
  for await (const n of numbers) await squares.put(n * n);
}

if (import.meta.main) {
  const numbers = new Queue<number>({ name: 'numbers', maxItems: 100 });
  const squares = new Queue<number>();
  const processes = [0, 1].map(() => new Process({ target: square, args: [numbers, squares] }));
  for (const process of processes) process.start();
  for (let n = 1; n <= 1000; n++) await numbers.put(n);
  numbers.close();
  for (const process of processes) await process.join();
  let sum = 0;
  for (let item = squares.tryGet(); item !== undefined; item = squares.tryGet()) sum += item.value;
  console.log(sum); // 333833500
}
