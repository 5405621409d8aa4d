/** Appeals as people send them, and blocks to appeal against. Import admin.ts too, because it starts each test. */
import { createExecutionContext, env, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect } from 'vitest';
import type { AppealInfo } from '../../../shared/admin/appeals.ts';
import type { AppealStatus } from '../../../shared/appeals/appeal.ts';
import { type AppealedBlock, sealReference } from '../../../shared/screening/appeal-reference.ts';
import { appealLimits } from '../../../workers/appeals/routes.ts';
import type { ControlEnv } from '../../../workers/env.ts';
import worker from '../../../workers/main.ts';
import { APPEALS_NAME } from '../../../workers/storage/appeals-port.ts';
import { testKeys } from '../../shared/support/test-keys.ts';
import { freshControl, send } from './admin.ts';

export const NUMBER = '+821030000001';
export const STATEMENT = '우리 회사 대표번호입니다';

export const appealsStub = () => (env as unknown as ControlEnv).APPEALS.getByName(APPEALS_NAME);

export interface Received {
  readonly status: number;
  readonly retryAfter: string | null;
  readonly answer: Record<string, unknown>;
}

/** Sends a request without credentials. */
export async function people(
  request: string,
  {
    body,
    token,
    bindings = {},
    address = '203.0.113.77',
  }: { body?: object; token?: string; bindings?: object; address?: string } = {},
): Promise<Received> {
  const [method = '', path = ''] = request.split(' ');
  const response = await worker.fetch(
    new Request(`https://numgate.test/v1/${path}`, {
      method,
      headers: {
        'cf-connecting-ip': address,
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...(token === undefined ? {} : { authorization: `Bearer ${token}` }),
      },
      ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    }) as never,
    { ...env, PLATFORM: 'cloudflare', ...bindings } as never,
    createExecutionContext(),
  );
  const answer = (await response.json()) as Record<string, unknown>;
  return { status: response.status, retryAfter: response.headers.get('retry-after'), answer };
}

/** Blocks a number or sender ID by a live entry. @returns the reference that a check shows */
export async function blocked(
  item: object = { number: NUMBER },
  subject = 'from',
  id = 'root',
): Promise<string> {
  const body = { op: 'block', items: [item], subjects: [subject] };
  const done = await send(id, 'POST entries', body);
  expect(done.status).toBe(200);
  return referenceOf({ seq: done.answer.seq as number });
}

export function referenceOf(changed: Partial<AppealedBlock> = {}): string {
  const block: AppealedBlock = {
    ...{ subject: 'from', party: Number(NUMBER.slice(1)), seq: 1, list: 'live' },
    ...{ code: 'SENDER_REPORTED', authority: 'root', ...changed },
  };
  return sealReference(block, testKeys.appealKey);
}

/** @returns the token of the appeal */
export async function appealed(reference: string, more: object = {}): Promise<string> {
  const { status, answer } = await people('POST appeals', {
    body: { reference, statement: STATEMENT, ...more },
  });
  expect([status, Object.keys(answer)]).toEqual([202, ['appeal', 'message']]);
  return answer.appeal as string;
}

export async function statusOf(token: string): Promise<AppealStatus> {
  const { status, answer } = await people('GET appeals/status', { token });
  expect(status).toBe(200);
  return answer as unknown as AppealStatus;
}

export async function queue(show = 'open', id = 'root'): Promise<readonly AppealInfo[]> {
  const { answer } = await send(id, `GET appeals?show=${show}`);
  return answer.appeals as readonly AppealInfo[];
}

/** The number of rows in a table of the store. */
export function stored(table: string): Promise<number> {
  return runInDurableObject(
    appealsStub() as never,
    (_: unknown, { storage }: DurableObjectState) =>
      storage.sql.exec<{ many: number }>(`SELECT COUNT(*) AS many FROM ${table}`).one().many,
  );
}

/** Each test of the file begins like those of the admin API, and with unused budgets. */
export function freshAppeals(): void {
  freshControl();
  beforeEach(() => {
    appealLimits.submissions.reset();
    appealLimits.reads.reset();
  });
}
