/** Shared objects in messages, those of this folder included: what whoever decodes messages of others imports. */

import { kinds } from '../arena/object-words.ts';
import { registerClass } from '../sync/handles.ts';
import { Connection } from './connection.ts';
import { Queue } from './queue.ts';

registerClass(kinds.queue, Queue);
registerClass(kinds.connection, Connection);

export { decodeHandle, HandleReader, type Handles, HandleWriter, letGo, takeOver } from '../data/handles.ts';
