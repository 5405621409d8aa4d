/**
 * Repeats calls of a local KV whose database another process has open. Both processes lock the database. On a busy machine the
 * local KV then returns 500, at once or after 10 s.
 */
import { setTimeout as pause } from 'node:timers/promises';

const ATTEMPTS = 10;
const PAUSE_MS = 50;

export async function retry<Value>(call: () => Promise<Value>): Promise<Value> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await call();
    } catch (error) {
      if (attempt === ATTEMPTS) throw error;
      await pause(PAUSE_MS);
    }
  }
}
