import { parentPort } from 'node:worker_threads';

const reached: bigint = process.hrtime.bigint();
parentPort?.postMessage(reached);
