/** The store of notices of one organisation, called over RPC like the routes do, and a receiver of its webhooks. */
import { abortAllDurableObjects, runDurableObjectAlarm } from 'cloudflare:test';
import { env } from 'cloudflare:workers';
import { expect, vi } from 'vitest';
import type { WebhookInfo, WebhookSecret } from '../../../shared/admin/webhooks.ts';
import type { NewNotice } from '../../../shared/notices/notice.ts';
import { bareOrganisation, type Organisation } from '../../../shared/organisations.ts';
import type { Failure, Result } from '../../../shared/result.ts';
import { noticeStore } from '../../../workers/admin/webhooks.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import type { StoreRequest } from '../../../workers/storage/store-request.ts';
import { asAdmin, coordinator } from './coordinator.ts';

export const ORGANISATION = 'acme';
export const HOST = 'hooks.acme.example';
/** After the real time, so that alarms run only when a test runs them. */
export const START = Date.UTC(2040, 0, 1);

export function stub(): DurableObjectStub {
  return (env as unknown as ControlEnv).NOTICES.getByName(ORGANISATION) as unknown as DurableObjectStub;
}

export function store(): ReturnType<typeof noticeStore> {
  return noticeStore(env as unknown as ControlEnv, ORGANISATION);
}

export function request(key: string | null = null): StoreRequest {
  const actor = { name: 'token:acme', organisation: ORGANISATION, authority: null, scopes: [], root: false };
  return { actor, reason: 'test', repeat: key === null ? null : { key, sha256: 'same' } };
}

export function accepted<Value>(result: Result<Value, Failure>): Value {
  if (!result.ok) throw new Error(`${result.code}: ${result.message}`);
  return result.value;
}

/** Sets up the organisation in the coordinator. */
export async function putOrganisation(settings: Partial<Organisation> = {}): Promise<void> {
  const organisation = { ...bareOrganisation(ORGANISATION), webhookHosts: [HOST], ...settings };
  const condition = { match: null, absent: false };
  accepted(await coordinator().putOrganisation(asAdmin(), ORGANISATION, organisation, condition));
}

export function notice(key: string, rest: Partial<NewNotice> = {}): NewNotice {
  return {
    ...{ key, type: 'sender.blocked', at: Date.now(), subject: `reference-${key}` },
    ...{ data: { number: '+821012345678', code: 'SENDER_REPORTED' }, mock: false, respondBy: null },
    ...rest,
  };
}

let batches = 0;
/** Adds notices as one batch of a sender. */
export async function add(...notices: NewNotice[]): Promise<void> {
  batches = (await store().add(ORGANISATION, 'router', batches + 1, notices)).last;
}

export function resetBatches(): void {
  batches = 0;
}

export async function addWebhook(path = 'one', types: WebhookInfo['types'] = []): Promise<WebhookSecret> {
  const added = { url: `https://${HOST}/${path}`, types: types as never };
  return accepted(await store().addWebhook(request(), ORGANISATION, added));
}

export async function info(id: string): Promise<WebhookInfo> {
  return accepted(await store().webhook(id));
}

/** A request to a receiver. */
export interface Received {
  /** Path of the URL, without the slash. */
  readonly path: string;
  readonly id: string;
  readonly version: number;
  readonly headers: Headers;
  readonly body: string;
  readonly redirect: string | undefined;
}

/** How a receiver answers: a status, with headers, or a failure of the connection. */
export type Answer =
  | number
  | { readonly status: number; readonly headers: Record<string, string> }
  | 'hang'
  | Error;

export class Receiver {
  readonly received: Received[] = [];
  /** Accepted requests, as `<path> <version>`. */
  readonly accepted: string[] = [];
  answer: (received: Received) => Answer = () => 204;
  #released = 0;

  constructor() {
    vi.spyOn(globalThis, 'fetch').mockImplementation(async (input, init) => {
      const url = new URL(String(input));
      expect(url.hostname).toBe(HOST);
      const headers = new Headers(init?.headers);
      const id = headers.get('webhook-id') ?? '';
      const received = {
        ...{ path: url.pathname.slice(1), id, version: Number(id.split('-').at(-1)), headers },
        ...{ body: String(init?.body), redirect: init?.redirect },
      };
      this.received.push(received);
      const answer = this.answer(received);
      if (answer === 'hang') {
        const before = this.#released;
        // Only the object's own timers may end its wait.
        while (this.#released === before) await new Promise((resolve) => setTimeout(resolve, 1));
        throw new Error('the connection was closed');
      }
      if (answer instanceof Error) throw answer;
      const { status, headers: sent } = typeof answer === 'number' ? { status: answer, headers: {} } : answer;
      if (status >= 200 && status < 300) this.accepted.push(`${received.path} ${received.version}`);
      return new Response(null, { status, headers: sent });
    });
  }

  /** Closes the hanging connections. */
  release(): void {
    this.#released++;
  }

  /** The versions that one of its paths has received, in order and with repeats. */
  versions(path = 'one'): number[] {
    return this.received.filter((each) => each.path === path).map(({ version }) => version);
  }
}

/** Runs the alarm now. */
export async function deliver(): Promise<void> {
  await runDurableObjectAlarm(stub());
}

/** Lets this time pass, and then runs the alarm. */
export async function pass(ms: number): Promise<void> {
  vi.setSystemTime(Date.now() + ms);
  await deliver();
}

/** Kills all objects, in the middle of whatever they are doing. */
export async function kill(): Promise<void> {
  await abortAllDurableObjects();
}
