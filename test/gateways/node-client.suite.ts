/** examples/node against the real service. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';
import { PROJECT } from '../../cli/paths.ts';
import { makeClient, type NumgateClient } from '../../examples/node/client.ts';
import { gatewayService } from './support/service.ts';

const run = promisify(execFile);

const ABROAD = { channel: 'sms', ingress: { type: 'international' } } as const;
/** Longer than any test, so that a slow machine does not cause a timeout. */
const UNHURRIED = { timeoutMs: 3_600_000, deadlineMs: 3_600_000 } as const;
const KR_FIXED = '+82212345678';
const PH_MOBILE = '+639171234567';

describe('the Node client against the real service', () => {
  const real = (): NumgateClient =>
    makeClient({ url: gatewayService().url, key: gatewayService().key, failPolicy: 'open', ...UNHURRIED });

  it('checks one text', async () => {
    expect(await real().check({ to: '010-4444-0001' })).toMatchObject({
      verdict: 'block',
      reasons: [{ code: 'NUMBER_SUSPENDED' }],
    });
  });

  it('checks as a gateway', async () => {
    expect(await real().checkGateway({ ...ABROAD, from: KR_FIXED })).toMatchObject({
      verdict: 'block',
      smpp: { commandStatus: 10 },
    });
    expect(await real().checkGateway({ ...ABROAD, from: PH_MOBILE })).toMatchObject({
      verdict: 'label',
      label: '[국제발신]',
    });
  });

  it('checks a batch, whose results are in order, with an error only for a bad item', async () => {
    const items = [{ from: PH_MOBILE }, { from: 'A-SENDER-TOO-LONG' }, { from: KR_FIXED }];
    expect(await real().checkGatewayBatch(items, { defaults: ABROAD })).toMatchObject([
      { verdict: 'label' },
      { error: { field: 'from' } },
      { verdict: 'block' },
    ]);
  });

  it('checks a batch over the bound of the service', async () => {
    const items = Array.from({ length: 10_001 }, (_, index) => ({ id: String(index), to: '010-4444-0001' }));
    const results = await real().checkBatch(items);
    expect(results.map((result) => 'id' in result && result.id)).toEqual(items.map(({ id }) => id));
    expect(results.at(-1)).toMatchObject({ verdict: 'block', seq: expect.any(Number) });
  });

  it('streams one result for each line, whatever the line is', async () => {
    const lines = ['', '{', 'null', `{"id":"long","to":"${'0'.repeat(2_000)}"}`, '{"id":"a","to":"JOHN"}'];
    const item = { id: 'b', to: '010-4444-0001' };
    const results: unknown[] = [];
    for await (const result of real().checkStream([...lines, item])) results.push(result);
    const errors = lines.map(() => ({ error: { code: expect.any(String), field: expect.any(String) } }));
    expect(results).toMatchObject([...errors, { id: 'b', verdict: 'block', release: expect.any(String) }]);
  });

  it('streams in several requests', async () => {
    const items = Array.from({ length: 11_000 }, (_, index) => ({ id: String(index), to: '010-4444-0001' }));
    const ids: unknown[] = [];
    for await (const { id } of real().checkStream(items)) ids.push(id);
    expect(ids).toEqual(items.map(({ id }) => id));
  });

  it('never lets an unreadable sender choose the fail policy, and names the invalid field', async () => {
    expect(await real().checkGateway({ ...ABROAD, from: 'A-SENDER-TOO-LONG' })).toMatchObject({
      ...{ verdict: 'indeterminate', action: 'closed', source: 'local', why: 'refused' },
      problem: { status: 400, field: 'from' },
    });
    // Any other invalid field is a programming error, so the fail policy decides.
    const ingress = { type: 'domestic', country: 'PH' } as const;
    expect(await real().checkGateway({ from: KR_FIXED, ingress })).toMatchObject({
      ...{ action: 'open', why: 'refused', problem: { field: 'ingress.country' } },
    });
    const stranger = makeClient({
      ...{ url: gatewayService().url, key: 'nobody.0000', failPolicy: 'closed', ...UNHURRIED },
    });
    expect(await stranger.checkGateway({ ...ABROAD, from: KR_FIXED })).toMatchObject({
      ...{ action: 'closed', source: 'local', why: 'refused', problem: { status: 401 } },
    });
  });

  it.each([
    ['53 spaces', KR_FIXED + ' '.repeat(53)],
    ['5,000 spaces', KR_FIXED + ' '.repeat(5_000)],
    ['5,000 zeros', KR_FIXED + '0'.repeat(5_000)],
    ['64 control characters', KR_FIXED + '\0'.repeat(64)],
  ])('rejects a sender or recipient followed by %s, and nothing else', async (_what, party) => {
    const held = { verdict: 'indeterminate', action: 'closed', label: null, source: 'local', why: 'tooLong' };
    const from = { ...held, problem: { code: 'NUMBER_TOO_LONG', field: 'from' } };
    const to = { ...held, problem: { code: 'NUMBER_TOO_LONG', field: 'to' } };
    expect(await real().check({ from: party })).toMatchObject(from);
    expect(await real().checkGateway({ ...ABROAD, from: party })).toMatchObject(from);
    expect(await real().checkGateway({ ...ABROAD, from: PH_MOBILE, to: party })).toMatchObject(to);
    const items = [{ from: party }, { from: PH_MOBILE }, { from: PH_MOBILE, to: party }, { from: KR_FIXED }];
    const expected = [from, { verdict: 'label' }, to, { verdict: 'block' }];
    expect(await real().checkGatewayBatch(items, { defaults: ABROAD })).toMatchObject(expected);
    expect(await real().checkGatewayBatch([{}], { defaults: { ...ABROAD, from: party } })).toMatchObject([
      from,
    ]);
  });

  it('checks a sender of 64 characters', async () => {
    const answer = await real().checkGateway({ ...ABROAD, from: KR_FIXED.padEnd(64) });
    expect(answer).toMatchObject({ verdict: 'block' });
  });

  it('runs from the command line', async () => {
    const { url: NUMGATE_URL, key: NUMGATE_KEY } = gatewayService();
    const env = { ...process.env, NUMGATE_URL, NUMGATE_KEY, DEADLINE_MS: String(UNHURRIED.deadlineMs) };
    const { stdout } = await run(process.execPath, ['examples/node/check.ts', KR_FIXED], {
      ...{ cwd: PROJECT, env },
    });
    expect(JSON.parse(stdout)).toMatchObject({ verdict: 'block', from: KR_FIXED });
  });
});
