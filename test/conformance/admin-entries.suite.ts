/**
 * The live layer: block, unblock and clear, and when the edge shows them.
 */
import { describe, expect, it } from 'vitest';
import type { EntryInfo, EntryPage } from '../../shared/admin/entries.ts';
import { HANG_MS } from '../shared/support/hang.ts';
import { current, promote, stage } from './support/releases.ts';
import {
  adminValue,
  change,
  changedState,
  checkOnceVisible,
  expectAdminRefused,
  sendAdmin,
} from './support/send-admin.ts';

const NOW = '+821075000001';
const LISTED = '+821075000002';
const ALLOWED = '+821075000003';
const BRIEFLY = '+821075000004';
const STACKED = '+821075000005';
const SENDER = '+821075000006';
const RESERVED = '+821075000007';

const secondsFromNow = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

async function find(item: object): Promise<EntryInfo[]> {
  return (await adminValue<{ entries: EntryInfo[] }>('entries/find', { token: 'read', body: item })).entries;
}

async function seqNow(): Promise<number> {
  return (await adminValue<{ seq: number }>('status')).seq;
}

describe('POST /v1/admin/entries', () => {
  it('a number in national form is blocked from the seq of the change on', async () => {
    const body = { op: 'block', items: [{ number: '010-7500-0001' }], reason: 'ticket 4711' };
    const before = await seqNow();
    const done = await adminValue<{ seq: number }>('entries', { token: 'entries', body });
    expect(done).toEqual({ changed: 1, seq: before + 1, operation: expect.any(Number) });
    const { verdict, reasons } = await checkOnceVisible(done.seq, { from: NOW });
    const live = { list: 'live', match: 'exact', effect: 'block', authority: 'kisa', until: null };
    expect([verdict, reasons]).toEqual([
      'block',
      [{ subject: 'from', code: 'SENDER_REPORTED', ...live, appeal: expect.any(String) }],
    ]);
  });

  it('the newest entry for a subject decides', async () => {
    const release = await stage({ blocked: [LISTED, RESERVED], allowed: [ALLOWED], base: await current() });
    await promote(release.release, await current());
    await change('unblock', [{ number: LISTED }, { number: NOW }]);
    await change('block', [{ number: NOW }, { number: SENDER }], {
      subjects: ['from'],
      code: 'SUBSCRIBER_DNO',
    });
    await change('block', [{ number: ALLOWED }]);
    await change('block', [{ number: RESERVED }]);
    const seq = await change('clear', [{ number: RESERVED }]);
    const verdicts: [string, string, string, string | null][] = [
      ['to', LISTED, 'allow', 'ALLOW_OVERRIDE'],
      ['to', NOW, 'allow', 'ALLOW_OVERRIDE'],
      ['from', NOW, 'block', 'SUBSCRIBER_DNO'],
      ['from', SENDER, 'block', 'SUBSCRIBER_DNO'],
      ['to', SENDER, 'allow', null],
      // An allow list wins over a live block.
      ['to', ALLOWED, 'allow', 'ALLOW_OVERRIDE'],
      // Cleared, so only the release decides.
      ['to', RESERVED, 'block', 'NUMBER_SUSPENDED'],
    ];
    for (const [subject, number, verdict, code] of verdicts) {
      const answer = await checkOnceVisible(seq, { [subject]: number });
      expect([subject, number, answer.verdict, answer.reasons[0]?.code ?? null]).toEqual([
        ...[subject, number, verdict, code],
      ]);
    }
  });

  it('each spelling of a sender ID is blocked and cleared', async () => {
    const seq = await change('block', [{ source: 'PARCEL-KR' }], { code: 'OVERSEAS_SOURCE_LISTED' });
    const asSenders = { client: 'senders' } as const;
    const answer = await checkOnceVisible(seq, { from: 'parcel – KR' }, asSenders);
    expect(answer.reasons).toMatchObject([{ list: 'live', match: 'source', code: 'OVERSEAS_SOURCE_LISTED' }]);
    expect(await find({ source: 'Parcel-KR' })).toMatchObject([
      { source: 'PARCEL-KR', number: null, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    const cleared = await change('clear', [{ source: 'PARCEL-KR' }]);
    expect((await checkOnceVisible(cleared, { from: 'PARCEL-KR' }, asSenders)).verdict).toBe('allow');
  });

  it('an entry expires on time, and the entry below it decides again', async () => {
    await change('block', [{ number: STACKED }]);
    const { entries } = await changedState();
    // The edge must show the entry before it expires. On a busy machine, try again with twice the time.
    const untilOf = async (seconds: number): Promise<string> => {
      const until = secondsFromNow(seconds);
      const seq = await change('unblock', [{ number: STACKED }], { until });
      await change('block', [{ number: BRIEFLY }], { until });
      const answers = [
        await checkOnceVisible(seq, { to: STACKED }),
        await checkOnceVisible(seq + 1, { to: BRIEFLY }),
      ];
      if (Date.now() >= Date.parse(until)) return untilOf(2 * seconds);
      expect(answers.map(({ verdict }) => verdict)).toEqual(['allow', 'block']);
      expect(answers[1]!.reasons[0]!.until).toBe(
        new Date(Math.floor(Date.parse(until) / 1000) * 1000).toISOString(),
      );
      return until;
    };
    const until = await untilOf(14);
    while (Date.now() < Date.parse(until)) await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await checkOnceVisible(0, { to: STACKED })).verdict).toBe('block');
    expect((await checkOnceVisible(0, { to: BRIEFLY })).verdict).toBe('allow');
    expect(await find({ number: BRIEFLY })).toEqual([]);
    expect(await find({ number: STACKED })).toMatchObject([{ op: 'block', until: null }]);
    // The coordinator removes ended entries later, which raises `seq`. Wait, so that the next test is not affected.
    await expect.poll(changedState, { timeout: HANG_MS }).toMatchObject({ entries });
  });

  it('10,000 items are one change, and each of them shows', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => ({ number: `+${821_076_000_000 + index}` }));
    const before = await seqNow();
    const overrides = ['whole-block', 'large-operation'];
    const seq = await change('block', items, { subjects: ['to'], overrides });
    expect(seq).toBe(before + 1);
    await checkOnceVisible(seq, { to: items[0]!.number });
    for (const index of [0, 4_999, 9_999]) {
      const answer = await checkOnceVisible(seq, { to: items[index]!.number });
      expect([index, answer.verdict, answer.reasons[0]?.list]).toEqual([index, 'block', 'live']);
    }
    expect((await checkOnceVisible(seq, { to: '+821076010000' })).verdict).toBe('allow');
    const listed = await allEntries();
    expect(listed.filter((entry) => entry.seq === seq)).toHaveLength(10_000);
  });
});

/** Reads all pages of the live layer. */
async function allEntries(): Promise<EntryInfo[]> {
  const entries: EntryInfo[] = [];
  let page = await adminValue<EntryPage>('entries?limit=1000', { token: 'read' });
  for (;;) {
    entries.push(...page.entries);
    if (page.next === null) return entries;
    page = await adminValue<EntryPage>(`entries?after=${page.next}&upTo=${page.upTo}&limit=1000`);
  }
}

describe('GET /v1/admin/entries', () => {
  it('pages contain each entry once, by rising seq, without later entries', async () => {
    const first = await adminValue<EntryPage>('entries?limit=2');
    expect(first.entries).toHaveLength(2);
    const late = await change('block', [{ number: '+821075000099' }]);
    expect(late).toBeGreaterThan(first.upTo);
    const entries = await allEntries();
    const seqs = entries.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    const names = entries.map(({ number, source, seq }) => `${number ?? source} ${seq}`);
    expect(new Set(names).size).toBe(names.length);
    const rest = await adminValue<EntryPage>(`entries?after=${first.next}&upTo=${first.upTo}`);
    expect(rest.entries.map(({ seq }) => seq)).not.toContain(late);
    await change('clear', [{ number: '+821075000099' }]);
  });

  it.each([
    ['entries?after=x', 'after'],
    ['entries?upTo=-1', 'upTo'],
    ['entries?limit=many', 'limit'],
  ])('%s is rejected with the name of the parameter', async (path, field) => {
    await expectAdminRefused([path, {}], [400, 'FIELD_VALUE', field]);
  });

  it('find returns the entries of one number, newest first, with author and reason', async () => {
    const [newest] = await find({ number: '010 7500 0006' });
    expect(newest).toMatchObject({
      ...{ number: SENDER, op: 'block', code: 'SUBSCRIBER_DNO', subjects: ['from'] },
      ...{ authority: 'root', by: 'token:root', reason: 'a test' },
    });
    expect(await find({ number: '+821075009999' })).toEqual([]);
    const { json } = await expectAdminRefused(
      ['entries/find', { body: { number: 'none' } }],
      [422, 'ENTRY_INVALID'],
    );
    expect(json.message).toBe('the number or source is not a number');
  });

  it('find returns nothing for numbers that cannot have an entry', async () => {
    for (const number of ['112', '1335', '02-119', '010-0000-0003'])
      expect(await find({ number })).toEqual([]);
  });
});

describe('a change with an invalid item', () => {
  const block = (items: readonly object[], rest: object = {}) => ({
    body: { op: 'block', items, reason: 'a test', ...rest },
  });
  const good = { number: '+821075000050' };

  it.each([
    ['119', 'ENTRY_PROTECTED'],
    ['02-119', 'ENTRY_PROTECTED'],
    ['1335', 'ENTRY_PROTECTED'],
    ['010-0000-0003', 'ENTRY_PROTECTED'],
    ['+63917*', 'ENTRY_TOO_WIDE'],
    ['+821000000000..+821000000009', 'ENTRY_TOO_WIDE'],
    ['MYSHOP', 'ENTRY_INVALID'],
    ['', 'ENTRY_INVALID'],
    ['+8210123', 'ENTRY_INVALID'],
    ['x'.repeat(70), 'ENTRY_INVALID'],
    ['0063 917 123 4567', 'ENTRY_INVALID'],
    // Korean without the leading 0, or a number of Peru.
    ['5112345678', 'ENTRY_INVALID'],
  ])('%s is rejected with %s and the index of the item', async (number, code) => {
    const before = await seqNow();
    const { json } = await expectAdminRefused(['entries', block([good, { number }])], [422, code]);
    expect(json).toMatchObject({ items: [{ index: 1, code }] });
    expect([await seqNow(), await find(good)]).toEqual([before, []]);
  });

  it.each([
    ['010-7500-0050', 'is not a sender ID: sender IDs have letters'],
    ['', 'is not a sender ID: sender IDs have letters'],
    ['P'.repeat(65), 'must have at most 64 characters'],
    ['010-7500-005O', 'write only the number'],
    ['+82 10 75OO', 'write only the number'],
  ])('%j is rejected as a source, with the cause', async (source, words) => {
    const { json } = await expectAdminRefused(['entries', block([good, { source }])], [422, 'ENTRY_INVALID']);
    expect(json).toMatchObject({ items: [{ index: 1, message: expect.stringContaining(words) }] });
  });

  it('a sender ID that is written like a number is rejected', async () => {
    for (const source of ['A7500005', 'sender:A7500005']) {
      const body = { op: 'block', items: [{ source }], reason: 'a test' };
      const { json } = await expectAdminRefused(['entries', { body }], [422, 'ENTRY_INVALID']);
      expect(json).toMatchObject({ items: [{ index: 0, message: expect.stringContaining('letters') }] });
    }
  });

  it('a sender ID cannot be blocked as a recipient', async () => {
    for (const op of ['block', 'unblock']) {
      const body = { op, items: [{ source: 'PARCEL-KR' }], subjects: ['to'], reason: 'a test' };
      const { json } = await expectAdminRefused(['entries', { body }], [422, 'ENTRY_INVALID']);
      expect(json).toMatchObject({ items: [{ index: 0, message: expect.stringContaining('recipient') }] });
    }
    await change('clear', [{ source: 'PARCEL-KR' }], { subjects: ['to'] });
  });

  it('the message names an emergency number as such', async () => {
    for (const number of ['112', '02-112']) {
      const { json } = await expectAdminRefused(['entries', block([{ number }])], [422, 'ENTRY_PROTECTED']);
      expect(json.message).toContain('is an emergency number');
    }
  });

  it('a duplicate item is rejected', async () => {
    const twice = block([good, { number: '010-7500-0050' }]);
    const { json } = await expectAdminRefused(['entries', twice], [422, 'ENTRY_INVALID']);
    expect(json).toMatchObject({ items: [{ index: 1 }] });
  });

  it('at most 100 invalid items are reported', async () => {
    const items = Array.from({ length: 150 }, (_, index) => ({ number: `x${index}` }));
    const { json } = await expectAdminRefused(['entries', block(items)], [422, 'ENTRY_INVALID']);
    expect((json as unknown as { items: object[] }).items).toHaveLength(100);
  });

  it.each([
    ['an end in the past', { until: '2020-01-01T00:00:00Z' }, 'FIELD_VALUE', 'until'],
    ['an end on no day', { until: '2099-02-30T00:00:00Z' }, 'FIELD_VALUE', 'until'],
    ['an end that is no time', { until: 'tomorrow' }, 'FIELD_VALUE', 'until'],
    ['an end for clear', { op: 'clear', until: '2099-01-01T00:00:00Z' }, 'FIELD_VALUE', 'until'],
    ['another operation', { op: 'delete' }, 'FIELD_VALUE', 'op'],
    ['an unknown code', { code: 'BECAUSE' }, 'FIELD_VALUE', 'code'],
    ['an unknown subject', { subjects: ['both'] }, 'FIELD_VALUE', 'subjects.0'],
    ['a code of no block', { code: 'TEST_NUMBER' }, 'FIELD_VALUE', 'code'],
    ['a number as operation', { op: 1 }, 'FIELD_TYPE', 'op'],
    ['no subject', { subjects: [] }, 'FIELD_VALUE', 'subjects'],
    ['no item', { items: [] }, 'FIELD_VALUE', 'items'],
    ['an item of another form', { items: [{ n: 1 }] }, 'FIELD_TYPE', 'items.0'],
    ['no reason', { reason: '  ' }, 'FIELD_VALUE', 'reason'],
    ['a reason that is too long', { reason: 'x'.repeat(501) }, 'FIELD_VALUE', 'reason'],
  ])('%s is rejected with the name of the field', async (_what, rest, code, field) => {
    await expectAdminRefused(['entries', block([good], rest)], [400, code, field]);
  });

  it('10,001 items are rejected, and more than 8 ends for one number', async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => ({ number: `+${821_077_000_000 + index}` }));
    await expectAdminRefused(['entries', block(many)], [400, 'FIELD_VALUE', 'items']);
    const over = { number: '+821075000060' };
    for (let hours = 9; hours > 1; hours--) {
      await change('block', [over], { until: secondsFromNow(hours * 3_600) });
    }
    const { json } = await expectAdminRefused(
      ['entries', block([over], { until: secondsFromNow(3_600) })],
      [409, 'LIVE_FULL'],
    );
    expect(json).toMatchObject({ items: [{ index: 0 }] });
    expect((await sendAdmin('entries', block([over]))).status).toBe(200);
  });
});
