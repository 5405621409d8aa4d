/** Changes of many entries against a service with canned responses: operations, and what the command knows if one fails. */
import '../support/workspace.ts';
import { describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { formatChange } from '../../../cli/commands/block.ts';
import { changeEntries } from '../../../cli/commands/entry-changes.ts';
import { CommandFailure } from '../../../cli/failure.ts';
import { itemOf, itemsOfWords } from '../../../cli/import/items.ts';
import { BULK_ENTRIES_MAX } from '../../../shared/limits/control.ts';
import { numgate, start } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { fakeService, problem } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

const operation = { op: 'block', reason: 'a test' } as const;
const COMMAND = 'npx numgate block --file n.csv';
const sizeOf = (body: unknown): number => (body as { items: unknown[] }).items.length;

describe('many items', () => {
  const many = Array.from({ length: BULK_ENTRIES_MAX * 2 + 1 }, (_, index) => ({
    item: { number: `+8210${20_000_000 + index}` },
    place: `n.csv, line ${index + 2}`,
  }));

  it('are split into operations that the service accepts', async () => {
    const { url, requests } = await fakeService(({ body }, count) => ({
      body: { seq: count + 5, changed: sizeOf(body) },
    }));
    const done = await changeEntries(
      new Admin({ url, token: 't' }),
      many,
      { ...operation, until: null },
      null,
    );
    expect(done).toEqual({ seq: 8, changed: many.length });
    expect(requests.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX, BULK_ENTRIES_MAX, 1]);
    const items = many.map(({ item }) => item);
    expect(requests.flatMap(({ body }) => (body as { items: unknown[] }).items)).toEqual(items);
    expect(requests[2]!.body).toEqual({ ...operation, until: null, items: items.slice(-1) });
    expect(requests.map(({ path }) => path)).toEqual(Array(3).fill('/v1/admin/entries'));
  });

  it('count twice if they are sources, which may make two entries', async () => {
    const { url, requests } = await fakeService(({ body }, count) => ({
      body: { seq: count, changed: sizeOf(body) },
    }));
    const sources = Array.from({ length: BULK_ENTRIES_MAX / 2 }, (_, index) => ({
      item: { source: `KR-GOV ${index}` },
      place: `s.csv, line ${index + 2}`,
    }));
    await changeEntries(new Admin({ url, token: 't' }), [many[0]!, ...sources], operation, null);
    expect(requests.map(({ body }) => sizeOf(body))).toEqual([BULK_ENTRIES_MAX / 2, 1]);
  });

  it('report how many were changed when they are interrupted', async () => {
    const file = write('many.csv', `number\n${many.map(({ item }) => item.number).join('\n')}\n`);
    const running = { kill: (): void => undefined };
    const { url } = await fakeService(({ path, body }, count) => {
      if (!path.endsWith('/entries')) return { body: {} };
      if (count === 1) return { body: { seq: 6, changed: sizeOf(body) } };
      running.kill();
      return null;
    });
    process.env.NUMGATE_URL = url;
    const { child, result } = start(['block', '--file', file, '--reason', 'tests']);
    running.kill = () => child.kill('SIGINT');
    expect(await result).toEqual({
      ...{ code: 130, out: '' },
      errors:
        `\ninterrupted: items: the first 10,000 of 20,001 are confirmed (seq 6), up to ${file}, line 10001; ` +
        `the next 10,000 may have been changed, up to ${file}, line 20001; the last 1 were not changed\n` +
        `It is safe to repeat the change: run\n  npx numgate block --file ${file} --reason tests\n`,
    });
  });

  it('report how many were changed when one operation is refused', async () => {
    const { url } = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : problem(409, 'LIVE_FULL'),
    );
    const { message, exitCode } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), many, operation, COMMAND),
    );
    expect(message).toBe(`LIVE_FULL: the message of LIVE_FULL\n${CHANGED}`);
    expect(exitCode).toBe(4);
  });

  const CHANGED =
    'items: the first 10,000 of 20,001 are confirmed (seq 6), up to n.csv, line 10001; the others were not changed' +
    `\nIt is safe to repeat the change: run\n  ${COMMAND}`;

  it('report what is known when the service dies', async () => {
    const service = await fakeService(({ body }, count) => {
      if (count === 1) return { body: { seq: 6, changed: sizeOf(body) } };
      void service.close();
      return null;
    });
    const admin = new Admin({ url: service.url, token: 't', pause: async () => undefined });
    const failure = await failureOf(() => changeEntries(admin, many, operation, COMMAND));
    const [first, ...known] = failure.message.split('\n');
    expect(first).toMatch(/^http:\/\/127\.0\.0\.1:\d+ does not respond: /);
    expect(known).toEqual([
      'items: the first 10,000 of 20,001 are confirmed (seq 6), up to n.csv, line 10001; ' +
        'the next 10,000 may have been changed, up to n.csv, line 20001; the last 1 were not changed',
      'It is safe to repeat the change: run',
      `  ${COMMAND}`,
    ]);
    expect(failure.details).toMatchObject({ changed: 10_000, unknown: 10_000, seq: 6, command: COMMAND });
  });

  it.each([
    [{ status: 500, body: '<html>' }, true],
    [{ status: 200, body: '<html>' }, true],
    [problem(503, 'UNAVAILABLE'), true],
    [problem(503, 'NOT_CONFIGURED'), false],
    [problem(507, 'STORAGE_FULL'), false],
    [{ status: 404, body: '<html>' }, false],
    [problem(429, 'BUDGET_EXCEEDED'), false],
  ])('may have been changed after a response that does not say so: %j', async (reply, isUnknown) => {
    const { url } = await fakeService(() => reply);
    const admin = new Admin({ url, token: 't', pause: async () => undefined });
    const { message } = await failureOf(() => changeEntries(admin, many.slice(0, 2), operation, COMMAND));
    expect(message.includes('the first 2 may have been changed')).toBe(isUnknown);
  });

  it('were not changed if the token is missing, because nothing was sent', async () => {
    const token = (): Promise<string> => Promise.reject(new CommandFailure('no token'));
    const admin = new Admin({ url: 'http://127.0.0.1:1', token });
    const { message } = await failureOf(() => changeEntries(admin, many, operation, COMMAND));
    expect(message).toBe('no token');
  });

  it('without any answer are unknown, and a number of the command line is not repeated', async () => {
    const service = await fakeService(() => {
      void service.close();
      return null;
    });
    process.env.NUMGATE_URL = service.url;
    const { errors } = await numgate('block', '010-2000-5036', 'PARCEL-KR', '--reason', 'tests');
    expect(errors).toMatch(
      /does not respond: .*\nitems: none of 2 is confirmed; the first 2 may have been changed, up to item 2\nIt is safe to repeat the change: run the same command again\n$/,
    );
    expect(errors).not.toContain('5036');
  });

  const refused = (index: number) => {
    const items = [{ index, code: 'ENTRY_INVALID', message: 'is not a number' }];
    const message = `items[${index}] is not a number; nothing was changed`;
    return problem(422, 'ENTRY_INVALID', { message, items });
  };

  it('report an invalid item by its place, whichever operation it was in', async () => {
    const first = await fakeService(() => refused(6));
    const whole = await failureOf(() =>
      changeEntries(new Admin({ url: first.url, token: 't' }), many, operation, COMMAND),
    );
    expect(whole.message).toBe(
      'ENTRY_INVALID: 1 item is invalid; nothing was changed\n  n.csv, line 8: ENTRY_INVALID: is not a number',
    );
    const second = await fakeService(({ body }, count) =>
      count === 1 ? { body: { seq: 6, changed: sizeOf(body) } } : refused(6),
    );
    const part = await failureOf(() =>
      changeEntries(new Admin({ url: second.url, token: 't' }), many, operation, COMMAND),
    );
    expect(part.message).toBe(
      `ENTRY_INVALID: 1 item is invalid\n  n.csv, line 10008: ENTRY_INVALID: is not a number\n${CHANGED}`,
    );
    expect(part.details).toMatchObject({
      ...{ code: 'ENTRY_INVALID', exitCode: 1, changed: 10_000, seq: 6 },
      items: [{ place: 'n.csv, line 10008', code: 'ENTRY_INVALID' }],
    });
  });

  it('are not changed at all if any of them is invalid', async () => {
    const { url, requests } = await fakeService(() => ({ body: { seq: 6, changed: 1 } }));
    const mistyped = { item: itemOf('010-6000-000A'), place: 'n.csv, line 20003' };
    const failure = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), [...many, mistyped], operation, COMMAND),
    );
    expect(failure.message).toMatch(
      /at least 1 item is invalid; nothing was changed\n {2}n\.csv, line 20003: .*write only the number$/,
    );
    expect([failure.message.includes('000A'), requests.length]).toEqual([false, 0]);
  });

  it('of one operation are all validated by the service, and its errors are shown in terms of the command line', async () => {
    const { url, requests } = await fakeService(() => {
      const letters = { code: 'ENTRY_INVALID', message: 'has letters; send a number as "number"' };
      const items = [
        { index: 0, code: 'ENTRY_PROTECTED', message: 'is an emergency number' },
        { index: 2, ...letters },
      ];
      return problem(422, 'ENTRY_PROTECTED', { items });
    });
    const items = itemsOfWords(['119', '010-2000-5036', '010-6000-000A']);
    const { message } = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), items, operation, null),
    );
    expect(message).toBe(
      'ENTRY_PROTECTED: 2 items are invalid; nothing was changed\n' +
        '  item 1: ENTRY_PROTECTED: is an emergency number\n' +
        '  item 3: ENTRY_INVALID: has letters in a number: write only the number',
    );
    expect(requests).toHaveLength(1);
  });

  it('must not be empty: that is invalid usage', async () => {
    const admin = new Admin({ url: 'http://127.0.0.1:1', token: 't' });
    expect((await failureOf(() => changeEntries(admin, [], operation, null))).exitCode).toBe(2);
  });
});

describe('a guard that is hit', () => {
  const items = Array.from({ length: 2 }, (_, index) => ({
    item: { number: `+8210${30_000_000 + index}` },
    place: `n.csv, line ${index + 2}`,
  }));
  const hit = {
    guard: 'protected-number',
    ...{ list: null, figures: { numbers: 1, first: 1 }, override: 'protected-number' },
    message: 'would block 1 protected number, the first is "items[1]"',
  };
  const serve = (scopes: readonly string[]) =>
    fakeService(({ path }) =>
      path.endsWith('/me')
        ? { body: { name: 'token:desk', organisation: 'kisa', authority: 'kisa', scopes, root: false } }
        : problem(422, 'GUARD_HIT', { guards: [hit] }),
    );

  it.each([
    [['read', 'entries'], true],
    [['read', 'entries', 'guards'], false],
  ])('names file and line, and with scopes %j who can override it: %s', async (scopes, isHinted) => {
    const { url } = await serve(scopes);
    const failure = await failureOf(() =>
      changeEntries(new Admin({ url, token: 't' }), items, operation, COMMAND),
    );
    expect(failure.message).toContain('the first is n.csv, line 3');
    expect(failure.message).not.toContain('items[');
    expect(failure.message.includes('token:desk may not override guards')).toBe(isHinted);
    expect(failure.exitCode).toBe(3);
  });

  it('is placed in a dry run, which marks the guards that are overridden', async () => {
    const dryRun = { entries: 2, replaced: 0, guards: [hit] };
    const { url } = await fakeService(() => ({ body: { seq: 1, changed: 0, dryRun } }));
    const done = await changeEntries(new Admin({ url, token: 't' }), items, operation, null);
    const change = { op: 'block' as const, items: items.map(({ item }) => item), until: undefined };
    const none = { allowLists: [], unlisted: [], duplicates: 0 };
    const [plain] = formatChange({ ...change, ...none }, done);
    expect(plain).toContain('the first is n.csv, line 3   --override protected-number');
    const [overridden] = formatChange({ ...change, ...none, overrides: ['protected-number'] }, done);
    expect(overridden).toContain('the first is n.csv, line 3   (overridden)');
  });
});
