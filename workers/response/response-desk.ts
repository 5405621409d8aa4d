/** The Durable Object that turns decisions of rules into blocks. There is one. */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { ResponseObject, RuleContext } from '../storage/response-port.ts';
import { applySteps } from '../storage/schema-steps.ts';

export class ResponseDesk extends DurableObject<ControlEnv> implements ResponseObject {
  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    applySteps(ctx.storage, ['CREATE TABLE report_key (key BLOB NOT NULL)']);
  }

  async reportKey(): Promise<Uint8Array<ArrayBuffer>> {
    const { sql } = this.ctx.storage;
    const [row] = sql.exec<{ key: ArrayBuffer }>('SELECT key FROM report_key').toArray();
    if (row !== undefined) return new Uint8Array(row.key);
    const key = crypto.getRandomValues(new Uint8Array(32));
    sql.exec('INSERT INTO report_key VALUES (?)', key);
    return key;
  }

  async context(): Promise<RuleContext> {
    return { rules: [], weights: {}, version: 0 };
  }

  async decide(): Promise<never> {
    throw new Error('no rules are installed');
  }
}
