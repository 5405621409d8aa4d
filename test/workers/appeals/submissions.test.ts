/** Appeals as people send and follow them: what is stored, what is joined, and what an unknown reference reveals. */
import { runInDurableObject } from 'cloudflare:test';
import { describe, expect, test, vi } from 'vitest';
import { RECEIVED, REJECTED_BEFORE, STATE_TEXTS } from '../../../shared/appeals/texts.ts';
import {
  APPEAL_AGAIN_MS,
  APPEAL_KEPT_MS,
  APPEAL_REQUESTS_MAX,
  APPEAL_STATEMENTS_MAX,
  APPEAL_UNMATCHED_MS,
  APPEALS_OPEN_MAX,
  APPEALS_PER_HOUR_MAX,
  APPEALS_PER_SUBJECT_MAX,
} from '../../../shared/limits/appeals.ts';
import { logged, send } from '../support/admin.ts';
import {
  appealed,
  appealsStub,
  blocked,
  freshAppeals,
  people,
  queue,
  referenceOf,
  STATEMENT,
  statusOf,
  stored,
} from '../support/appeals.ts';
import { HOUR, NOON } from '../support/room.ts';

freshAppeals();

/** A reference that no key opens. */
const FORGED = `${'A'.repeat(55)}_`;
const reject = (id: number) => send('root', `POST appeals/${id}/reject`, { code: 'REPORTS_CONFIRMED' });

describe('an appeal', () => {
  test('waits for a reviewer, and shows nothing of its block meanwhile', async () => {
    const token = await appealed(await blocked(), { contact: 'desk@acme.example' });
    expect(await statusOf(token)).toEqual({
      ...{ state: 'received', receivedAt: new Date(NOON).toISOString(), decidedAt: null, seq: null },
      ...{ message: STATE_TEXTS.received, block: null, rejection: null },
    });
    const { answer } = await send('root', 'GET appeals/1');
    expect(answer).toMatchObject({
      ...{ number: '+821030000001', code: 'SENDER_REPORTED', list: 'live', authority: 'root' },
      statements: [{ statement: STATEMENT, contact: 'desk@acme.example' }],
      blocks: [{ list: 'live', authority: 'root' }],
    });
  });

  test('against the same block joins the first one, with its own token', async () => {
    const reference = await blocked();
    const tokens = [];
    for (let at = 0; at < APPEAL_STATEMENTS_MAX + 1; at++) tokens.push(await appealed(reference));
    expect(new Set(tokens).size).toBe(tokens.length);
    expect(await queue()).toMatchObject([{ id: 1, appellants: tokens.length }]);
    expect(await stored('statements')).toBe(APPEAL_STATEMENTS_MAX);
    await reject(1);
    for (const token of tokens) expect(await statusOf(token)).toMatchObject({ state: 'rejected' });
  });

  test('against a rejected block joins it for a week, and is a new one then', async () => {
    const reference = await blocked();
    await appealed(reference);
    await reject(1);
    vi.setSystemTime(NOON + HOUR);
    const joined = { state: 'rejected', message: REJECTED_BEFORE };
    expect(await statusOf(await appealed(reference))).toMatchObject(joined);
    expect(await stored('statements')).toBe(1);
    vi.setSystemTime(NOON + APPEAL_AGAIN_MS);
    expect(await statusOf(await appealed(reference))).toMatchObject({ state: 'received' });
    expect(await queue()).toMatchObject([{ id: 2, appellants: 1 }]);
  });

  test('beyond the bound of one number joins its newest, in all spellings of a sender ID', async () => {
    const party = (at: number) => (at % 2 === 0 ? 'Parcel-KR' : 'PARCEL–kr');
    for (let at = 0; at <= APPEALS_PER_SUBJECT_MAX; at++)
      await appealed(referenceOf({ party: party(at), seq: null, list: `list-${at}` }));
    const found = await queue();
    expect(found.map(({ appellants }) => appellants)).toEqual([1, 1, 1, 1, 2]);
  });
});

describe('an unknown reference', () => {
  /** The effects of one submission: calls of objects, transactions, and whether it wrote. */
  async function traceOf(reference: string) {
    const calls: string[] = [];
    const watched = new Proxy(appealsStub(), {
      get: (target, name) => {
        calls.push(String(name));
        return Reflect.get(target, name) as unknown;
      },
    });
    const used = () =>
      runInDurableObject(appealsStub() as never, (_: unknown, { storage }: DurableObjectState) => {
        const [row] = storage.sql.exec("SELECT value FROM meta WHERE key = 'hourUsed'").toArray();
        return Number(row?.value ?? 0);
      });
    const before = await used();
    let transactions = 0;
    await runInDurableObject(appealsStub() as never, (_: unknown, { storage }: DurableObjectState) => {
      const run = storage.transactionSync.bind(storage);
      storage.transactionSync = (change) => {
        transactions++;
        return run(change);
      };
    });
    const { status, answer } = await people('POST appeals', {
      body: { reference, statement: STATEMENT },
      bindings: { APPEALS: { getByName: () => watched } },
    });
    const { appeal, ...rest } = answer;
    const token = appeal as string;
    return { calls, transactions, counted: (await used()) - before, status, rest, length: token.length };
  }

  test('makes the same calls and transactions as a known one, counts the same, and gets the same answer', async () => {
    const known = await blocked();
    const trace = await traceOf(known);
    expect(trace).toEqual({
      ...{ calls: ['submit'], transactions: 1, counted: 1, status: 202, length: 56 },
      rest: { message: RECEIVED },
    });
    expect(await traceOf(FORGED)).toEqual(trace);
    expect([await stored('appeals'), await stored('statements')]).toEqual([1, 1]);
  });

  test('looks like one that waits for three days, then it is named as wrong, and at last forgotten', async () => {
    const [known, unknown] = [await appealed(await blocked()), await appealed(FORGED)];
    expect(await statusOf(unknown)).toEqual(await statusOf(known));
    vi.setSystemTime(NOON + APPEAL_UNMATCHED_MS - 1);
    expect(await statusOf(unknown)).toEqual(await statusOf(known));
    vi.setSystemTime(NOON + APPEAL_UNMATCHED_MS);
    expect(await statusOf(unknown)).toMatchObject({ state: 'unmatched', message: STATE_TEXTS.unmatched });
    vi.setSystemTime(NOON + APPEAL_UNMATCHED_MS + APPEAL_KEPT_MS + 1);
    expect((await people('GET appeals/status', { token: unknown })).status).toBe(401);
  });
});

test.each(['', 'A'.repeat(56), 'not-a-token'])('the token %j was not issued here', async (token) => {
  const { status, answer } = await people('GET appeals/status', { token });
  expect([status, answer.code]).toEqual([401, 'UNAUTHENTICATED']);
});

test('a decided appeal is removed with its statements after 90 days', async () => {
  const token = await appealed(await blocked());
  await reject(1);
  vi.setSystemTime(NOON + APPEAL_KEPT_MS + 1);
  await appealsStub().sweep();
  expect([await stored('appeals'), await stored('statements')]).toEqual([0, 0]);
  expect((await people('GET appeals/status', { token })).status).toBe(401);
});

describe('too many appeals', () => {
  test('of one address are refused, and others are not', async () => {
    const submit = (address: string) =>
      people('POST appeals', { body: { reference: FORGED, statement: 'x' }, address });
    for (let at = 0; at < APPEAL_REQUESTS_MAX; at++) expect((await submit('203.0.113.1')).status).toBe(202);
    expect(await submit('203.0.113.1')).toMatchObject({ status: 429, retryAfter: '60' });
    expect((await submit('203.0.113.2')).status).toBe(202);
  });

  test.each([
    ['in an hour', `INSERT OR REPLACE INTO meta VALUES ('hourUsed', '${APPEALS_PER_HOUR_MAX}')`],
    ['that wait', `INSERT OR REPLACE INTO totals VALUES ('open', ${APPEALS_OPEN_MAX})`],
  ])('%s are refused, known references and unknown ones alike', async (_, full) => {
    const reference = await blocked();
    await appealed(FORGED);
    await runInDurableObject(appealsStub() as never, (__: unknown, { storage }: DurableObjectState) => {
      storage.sql.exec(full);
    });
    for (const each of [reference, FORGED]) {
      const { status, retryAfter, answer } = await people('POST appeals', {
        body: { reference: each, statement: STATEMENT },
      });
      expect([status, retryAfter, answer.code]).toEqual([429, '3600', 'APPEALS_TOO_MANY']);
    }
    expect(await stored('appeals')).toBe(0);
  });
});

test('a store that does not respond is 503, and its error stays in the log', async () => {
  const failing = async () => {
    throw new Error('overloaded');
  };
  const bindings = { APPEALS: { getByName: () => ({ submit: failing, status: failing }) } };
  const body = { reference: FORGED, statement: STATEMENT };
  for (const sent of [
    await people('POST appeals', { body, bindings }),
    await people('GET appeals/status', { token: 'A'.repeat(56), bindings }),
  ])
    expect([sent.status, sent.answer.code]).toEqual([503, 'UNAVAILABLE']);
  expect(logged.map(({ event }) => event)).toEqual(['appealsFailed', 'appealsFailed']);
});

test('a store without LIST_KEY does not take appeals', async () => {
  const { status, answer } = await people('POST appeals', {
    body: { reference: FORGED, statement: STATEMENT },
    bindings: { LIST_KEY: '' },
  });
  expect([status, answer.code]).toEqual([503, 'NOT_CONFIGURED']);
});
