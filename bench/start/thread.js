import { parentPort } from 'node:worker_threads';

const reached = process.hrtime.bigint();
parentPort.postMessage(reached);
