const reached: bigint = process.hrtime.bigint();
process.send?.(String(reached));
