/** A child of `fork` that counts messages: after each so many it sends the time, by the machine's clock. */

const count: number = Number(process.argv[2]);
let got = 0;
process.on('message', () => {
  if (++got % count === 0) process.send?.(String(process.hrtime.bigint()));
});
