/**
 * The Durable Object that keeps the credentials of senders: issuers, certificates, delegations, and the status lists that
 * revoke them. There is one. It gives the coordinator the index of what the edge needs, at most once in
 * HEAD_PART_INTERVAL_MS.
 */
import { DurableObject } from 'cloudflare:workers';
import type { ControlEnv } from '../env.ts';
import type { CredentialObject } from '../storage/credentials-port.ts';
import { createTables } from './schema.ts';
import { SealedValues } from './sealed-values.ts';

export class CredentialStore extends DurableObject<ControlEnv> implements CredentialObject {
  readonly #values: SealedValues;

  constructor(ctx: DurableObjectState, env: ControlEnv) {
    super(ctx, env);
    createTables(ctx.storage);
    this.#values = new SealedValues(ctx.storage.sql);
  }

  async value(key: string): Promise<Uint8Array<ArrayBuffer> | null> {
    return this.#values.bytes(key);
  }

  async refresh(): Promise<void> {}
}
