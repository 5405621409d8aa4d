/**
 * The live layer: what is blocked, unblocked and cleared now, and when the edge shows it.
 */
import { describe, expect, it } from 'vitest';
import type { EntryInfo, EntryPage } from '../../shared/admin.ts';
import { askAdmin, change, checkFrom, refusedAdmin, told } from './support/ask-admin.ts';
import { current, promote, stage } from './support/releases.ts';

const NOW = '+821075000001';
const LISTED = '+821075000002';
const ALLOWED = '+821075000003';
const BRIEFLY = '+821075000004';
const STACKED = '+821075000005';
const SENDER = '+821075000006';
const RESERVED = '+821075000007';

const secondsFromNow = (seconds: number): string => new Date(Date.now() + seconds * 1000).toISOString();

async function find(item: object): Promise<EntryInfo[]> {
  return (await told<{ entries: EntryInfo[] }>('entries/find', { token: 'read', body: item })).entries;
}

async function seqNow(): Promise<number> {
  return (await told<{ seq: number }>('status')).seq;
}

describe('POST /v1/admin/entries', () => {
  it('blocks a number, as it is written, from its seq on', async () => {
    const body = { op: 'block', items: [{ number: '010-7500-0001' }], reason: 'ticket 4711' };
    const before = await seqNow();
    const done = await told<{ seq: number }>('entries', { token: 'entries', body });
    expect(done).toEqual({ changed: 1, seq: before + 1 });
    const { verdict, reasons } = await checkFrom(done.seq, { from: NOW });
    const live = { list: 'live', match: 'exact', effect: 'block', authority: 'kisa', until: null };
    expect([verdict, reasons]).toEqual(['block', [{ subject: 'from', code: 'SENDER_REPORTED', ...live }]]);
  });

  it('lets the newest entry decide: unblock, block again, clear; as sender alone, with its own code', async () => {
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
      // A list that allows comes before a live block.
      ['to', ALLOWED, 'allow', 'ALLOW_OVERRIDE'],
      // Cleared: the release alone decides.
      ['to', RESERVED, 'block', 'NUMBER_SUSPENDED'],
    ];
    for (const [subject, number, verdict, code] of verdicts) {
      const answer = await checkFrom(seq, { [subject]: number });
      expect([subject, number, answer.verdict, answer.reasons[0]?.code ?? null]).toEqual([
        ...[subject, number, verdict, code],
      ]);
    }
  });

  it('blocks and clears a sender id, however it is written', async () => {
    const seq = await change('block', [{ source: 'PARCEL-KR' }], { code: 'OVERSEAS_SOURCE_LISTED' });
    const asSenders = { client: 'senders' } as const;
    const answer = await checkFrom(seq, { from: 'parcel – KR' }, asSenders);
    expect(answer.reasons).toMatchObject([{ list: 'live', match: 'source', code: 'OVERSEAS_SOURCE_LISTED' }]);
    expect(await find({ source: 'Parcel-KR' })).toMatchObject([
      { source: 'PARCEL-KR', number: null, fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/) },
    ]);
    const cleared = await change('clear', [{ source: 'PARCEL-KR' }]);
    expect((await checkFrom(cleared, { from: 'PARCEL-KR' }, asSenders)).verdict).toBe('allow');
  });

  it('ends an entry on time, and lets what lay under it decide again', async () => {
    await change('block', [{ number: STACKED }]);
    // Seen before it ends: on a machine that is too busy for that, once more with twice the time.
    const untilOf = async (seconds: number): Promise<string> => {
      const until = secondsFromNow(seconds);
      const seq = await change('unblock', [{ number: STACKED }], { until });
      await change('block', [{ number: BRIEFLY }], { until });
      const answers = [await checkFrom(seq, { to: STACKED }), await checkFrom(seq + 1, { to: BRIEFLY })];
      if (Date.now() >= Date.parse(until)) return untilOf(2 * seconds);
      expect(answers.map(({ verdict }) => verdict)).toEqual(['allow', 'block']);
      expect(answers[1]!.reasons[0]!.until).toBe(
        new Date(Math.floor(Date.parse(until) / 1000) * 1000).toISOString(),
      );
      return until;
    };
    const until = await untilOf(14);
    while (Date.now() < Date.parse(until)) await new Promise((resolve) => setTimeout(resolve, 200));
    expect((await checkFrom(0, { to: STACKED })).verdict).toBe('block');
    expect((await checkFrom(0, { to: BRIEFLY })).verdict).toBe('allow');
    expect(await find({ number: BRIEFLY })).toEqual([]);
    expect(await find({ number: STACKED })).toMatchObject([{ op: 'block', until: null }]);
  });

  it('takes 10,000 at once, in one change, and every one of them shows', async () => {
    const items = Array.from({ length: 10_000 }, (_, index) => ({ number: `+${821_076_000_000 + index}` }));
    const before = await seqNow();
    const seq = await change('block', items, { subjects: ['to'] });
    expect(seq).toBe(before + 1);
    await checkFrom(seq, { to: items[0]!.number });
    for (const index of [0, 4_999, 9_999]) {
      const answer = await checkFrom(seq, { to: items[index]!.number });
      expect([index, answer.verdict, answer.reasons[0]?.list]).toEqual([index, 'block', 'live']);
    }
    expect((await checkFrom(seq, { to: '+821076010000' })).verdict).toBe('allow');
    const told = await allEntries();
    expect(told.filter((entry) => entry.seq === seq)).toHaveLength(10_000);
  });
});

/** Every page of the live layer. */
async function allEntries(): Promise<EntryInfo[]> {
  const entries: EntryInfo[] = [];
  let page = await told<EntryPage>('entries?limit=1000', { token: 'read' });
  for (;;) {
    entries.push(...page.entries);
    if (page.next === null) return entries;
    page = await told<EntryPage>(`entries?after=${page.next}&upTo=${page.upTo}&limit=1000`);
  }
}

describe('GET /v1/admin/entries', () => {
  it('tells all entries in pages, by rising seq, each once, and nothing that comes meanwhile', async () => {
    const first = await told<EntryPage>('entries?limit=2');
    expect(first.entries).toHaveLength(2);
    const late = await change('block', [{ number: '+821075000099' }]);
    expect(late).toBeGreaterThan(first.upTo);
    const entries = await allEntries();
    const seqs = entries.map(({ seq }) => seq);
    expect(seqs).toEqual([...seqs].sort((a, b) => a - b));
    const names = entries.map(({ number, source, seq }) => `${number ?? source} ${seq}`);
    expect(new Set(names).size).toBe(names.length);
    const rest = await told<EntryPage>(`entries?after=${first.next}&upTo=${first.upTo}`);
    expect(rest.entries.map(({ seq }) => seq)).not.toContain(late);
    await change('clear', [{ number: '+821075000099' }]);
  });

  it.each([
    ['entries?after=x', 'after'],
    ['entries?upTo=-1', 'upTo'],
    ['entries?limit=many', 'limit'],
  ])('refuses %s by the name of the parameter', async (path, field) => {
    await refusedAdmin([path, {}], [400, 'FIELD_VALUE', field]);
  });

  it('finds the entries of one number with a body, newest first, with author and reason', async () => {
    const [newest] = await find({ number: '010 7500 0006' });
    expect(newest).toMatchObject({
      ...{ number: SENDER, op: 'block', code: 'SUBSCRIBER_DNO', subjects: ['from'] },
      ...{ authority: 'root', by: 'token:root', reason: 'a test' },
    });
    expect(await find({ number: '+821075009999' })).toEqual([]);
    const { json } = await refusedAdmin(
      ['entries/find', { body: { number: 'none' } }],
      [422, 'ENTRY_INVALID'],
    );
    expect(json.message).toBe('the number or source is not a number');
  });

  it('finds nothing of what never has an entry', async () => {
    for (const number of ['112', '1335', '02-119', '010-0000-0003'])
      expect(await find({ number })).toEqual([]);
  });
});

describe('an operation on entries is made whole or not at all', () => {
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
    // Korean without its 0, or a number of Peru.
    ['5112345678', 'ENTRY_INVALID'],
  ])('refuses %s with %s, and says which item it was', async (number, code) => {
    const before = await seqNow();
    const { json } = await refusedAdmin(['entries', block([good, { number }])], [422, code]);
    expect(json).toMatchObject({ items: [{ index: 1, code }] });
    expect([await seqNow(), await find(good)]).toEqual([before, []]);
  });

  it.each([
    ['010-7500-0050', 'is not a sender ID: those have letters'],
    ['', 'is not a sender ID: those have letters'],
    ['P'.repeat(65), 'is longer than 64 characters'],
    ['010-7500-005O', 'write the number alone'],
    ['+82 10 75OO', 'write the number alone'],
  ])('refuses %j as a source, and says why', async (source, words) => {
    const { json } = await refusedAdmin(['entries', block([good, { source }])], [422, 'ENTRY_INVALID']);
    expect(json).toMatchObject({ items: [{ index: 1, message: expect.stringContaining(words) }] });
  });

  it('refuses a sender ID that is written like a number: no sender is read as it', async () => {
    for (const source of ['A7500005', 'sender:A7500005']) {
      const body = { op: 'block', items: [{ source }], reason: 'a test' };
      const { json } = await refusedAdmin(['entries', { body }], [422, 'ENTRY_INVALID']);
      expect(json).toMatchObject({ items: [{ index: 0, message: expect.stringContaining('letters') }] });
    }
  });

  it('refuses to block a sender id as a recipient: it is never one', async () => {
    for (const op of ['block', 'unblock']) {
      const body = { op, items: [{ source: 'PARCEL-KR' }], subjects: ['to'], reason: 'a test' };
      const { json } = await refusedAdmin(['entries', { body }], [422, 'ENTRY_INVALID']);
      expect(json).toMatchObject({ items: [{ index: 0, message: expect.stringContaining('recipient') }] });
    }
    await change('clear', [{ source: 'PARCEL-KR' }], { subjects: ['to'] });
  });

  it('says of each emergency number that it is one', async () => {
    for (const number of ['112', '02-112']) {
      const { json } = await refusedAdmin(['entries', block([{ number }])], [422, 'ENTRY_PROTECTED']);
      expect(json.message).toContain('is an emergency number');
    }
  });

  it('refuses an item that is given twice', async () => {
    const twice = block([good, { number: '010-7500-0050' }]);
    const { json } = await refusedAdmin(['entries', twice], [422, 'ENTRY_INVALID']);
    expect(json).toMatchObject({ items: [{ index: 1 }] });
  });

  it('does not block a number that the guards protect', async () => {
    const guards = { protectedNumbers: [821_075_000_050] };
    await told('guards', { method: 'PUT', body: { guards, reason: 'a test' } });
    await refusedAdmin(['entries', block([good])], [422, 'ENTRY_PROTECTED']);
    await told('guards', { method: 'PUT', body: { guards: {}, reason: 'a test' } });
  });

  it('tells of at most 100 wrong items', async () => {
    const items = Array.from({ length: 150 }, (_, index) => ({ number: `x${index}` }));
    const { json } = await refusedAdmin(['entries', block(items)], [422, 'ENTRY_INVALID']);
    expect((json as unknown as { items: object[] }).items).toHaveLength(100);
  });

  it.each([
    ['an end in the past', { until: '2020-01-01T00:00:00Z' }, 'FIELD_VALUE', 'until'],
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
  ])('refuses %s by the name of the field', async (_what, rest, code, field) => {
    await refusedAdmin(['entries', block([good], rest)], [400, code, field]);
  });

  it('refuses 10,001 items, and one number under more than 8 ends', async () => {
    const many = Array.from({ length: 10_001 }, (_, index) => ({ number: `+${821_077_000_000 + index}` }));
    await refusedAdmin(['entries', block(many)], [400, 'FIELD_VALUE', 'items']);
    const over = { number: '+821075000060' };
    for (let hours = 9; hours > 1; hours--) {
      await change('block', [over], { until: secondsFromNow(hours * 3_600) });
    }
    const { json } = await refusedAdmin(
      ['entries', block([over], { until: secondsFromNow(3_600) })],
      [409, 'LIVE_FULL'],
    );
    expect(json).toMatchObject({ items: [{ index: 0 }] });
    expect((await askAdmin('entries', block([over]))).status).toBe(200);
  });
});
