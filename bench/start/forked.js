const reached = process.hrtime.bigint();
process.send(String(reached));
