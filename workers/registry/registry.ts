/**
 * The Durable Object that knows what changed in the registrations of all organisations. Each accepted batch raises
 * its version by one.
 */
import { DurableObject } from 'cloudflare:workers';
import { type Failure, ok, type Result } from '../../shared/result.ts';
import type { ControlEnv } from '../env.ts';
import type { PublishedChange, QueueChange, RegistryPort } from '../storage/registry-port.ts';

const TABLES = `
  CREATE TABLE IF NOT EXISTS organisations (organisation TEXT PRIMARY KEY, n INTEGER NOT NULL, version INTEGER NOT NULL)
    WITHOUT ROWID;
`;

export class Registry extends DurableObject<ControlEnv> implements RegistryPort {
  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    ctx.storage.sql.exec(TABLES);
  }

  async publish(
    organisation: string,
    n: number,
    _changes: readonly PublishedChange[],
    _queue: readonly QueueChange[],
  ): Promise<Result<{ readonly version: number }, Failure>> {
    const { sql } = this.ctx.storage;
    const [known] = sql
      .exec<{ n: number; version: number }>(
        'SELECT n, version FROM organisations WHERE organisation = ?',
        organisation,
      )
      .toArray();
    if (known !== undefined && known.n >= n) return ok({ version: known.version });
    const { newest } = sql
      .exec<{ newest: number | null }>('SELECT MAX(version) AS newest FROM organisations')
      .one();
    const version = (newest ?? 0) + 1;
    sql.exec('INSERT OR REPLACE INTO organisations VALUES (?, ?, ?)', organisation, n, version);
    return ok({ version });
  }
}
