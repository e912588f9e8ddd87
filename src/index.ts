/** The public names of Manyhands. */

import './platform/node-version.ts';

export { Connection, type PipeOptions, pipe } from './channels/connection.ts';
export { Queue, type QueueOptions } from './channels/queue.ts';
export { type Waitable, wait } from './channels/wait.ts';
export { ref } from './codec/function-reference.ts';
export type { ListItem } from './data/list-item.ts';
export type { Scalar, ScalarType } from './data/scalar.ts';
export { ShareableList } from './data/shareable-list.ts';
export { SharedArray } from './data/shared-array.ts';
export { SharedMemory, type SharedMemoryOptions } from './data/shared-memory.ts';
export { SharedValue } from './data/shared-value.ts';
export { listSharedMemory, removeStaleSharedMemory, type SharedMemoryInfo } from './data/stale-memory.ts';
export type { TypedArrayConstructor } from './data/typed-array.ts';
export * from './errors.ts';
export type { Exit } from './exit.ts';
export { cpuCount } from './platform/cpu-count.ts';
export { Barrier, type BarrierOptions } from './sync/barrier.ts';
export { Condition, type ConditionOptions } from './sync/condition.ts';
export { type DeadlockReportOptions, setDeadlockReport } from './sync/deadlock-report.ts';
export { type Deadlock, type DeadlockedUnit, deadlocks } from './sync/deadlocks.ts';
export { Event, type EventOptions } from './sync/event.ts';
export type { Lease } from './sync/lease.ts';
export { Lock, type LockOptions } from './sync/lock.ts';
export { RLock } from './sync/rlock.ts';
export { BoundedSemaphore, Semaphore, type SemaphoreOptions } from './sync/semaphore.ts';
export type { WaitOptions } from './sync/waiting.ts';
export { checkpoint } from './units/coroutine/checkpoint.ts';
export { Coroutine } from './units/coroutine/coroutine.ts';
export {
  type CurrentProcess,
  currentProcess,
  isMainProcess,
  type ParentProcess,
  parentProcess,
} from './units/current.ts';
export { type CurrentUnit, currentUnit } from './units/current-unit.ts';
export type { TaskGroupOptions } from './units/group/options.ts';
export { TaskGroup } from './units/group/task-group.ts';
export { activeChildren } from './units/process/children.ts';
export type { ProcessOptions, ProcessStdio } from './units/process/options.ts';
export { Process } from './units/process/process.ts';
export { keepSpareProcesses, type SpareProcesses, spareProcesses } from './units/process/spares.ts';
export { Thread } from './units/thread/thread.ts';
export type { Unit, UnitOptions, UnitState } from './units/unit.ts';
