/** Clients of the feed, and their requests to a control plane with a fake store. */
import { createExecutionContext } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import * as v from 'valibot';
import { sha256Hex } from '../../../shared/bytes.ts';
import { clientSchema } from '../../../shared/clients.ts';
import worker from '../../../workers/control.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { FeedObject } from '../../../workers/storage/feed-port.ts';
import { asAdmin, coordinator, unwrap } from './coordinator.ts';
import { ANY } from './room.ts';

const SECRET = 'secret-of-a-consumer';

/** @param rest further settings */
export async function addConsumer(id: string, feed: object | null, rest: object = {}): Promise<void> {
  const secretSha256 = [await sha256Hex(SECRET)];
  const client = v.parse(clientSchema, { id, secretSha256, rights: ['feed'], feed, ...rest });
  unwrap(await coordinator().putClient(asAdmin(), id, client, ANY));
}

export function keyOf(id: string): string {
  return `${id}.${SECRET}`;
}

/** Sends a request to the control plane as a client. */
export function fetchAs(
  id: string | null,
  path: string,
  feed: FeedObject,
  { headers = {}, bindings = {} }: { headers?: Record<string, string>; bindings?: Partial<ControlEnv> } = {},
): Promise<Response> {
  const authorization: Record<string, string> = id === null ? {} : { authorization: `Bearer ${keyOf(id)}` };
  const request = new Request(`https://numgate.test${path}`, { headers: { ...authorization, ...headers } });
  const all = { ...env, FEED: { getByName: () => feed }, ...bindings } as unknown as ControlEnv;
  return worker.fetch(request as Parameters<typeof worker.fetch>[0], all, createExecutionContext());
}
