/** Decisions of the rules as reports arrive and are withdrawn, and how the desk gets them. */
import { evictDurableObject, runDurableObjectAlarm, runInDurableObject } from 'cloudflare:test';
import { beforeEach, expect, test, vi } from 'vitest';
import {
  REPORT_RETRY_MS_MAX,
  REPORTS_KEPT_DAYS,
  REPORTS_PER_PARTNER_MAX,
  REPORTS_PER_REPORTER_MAX,
} from '../../../shared/limits/intake.ts';
import type { PartnerKind } from '../../../shared/reports/partner.ts';
import { ReportKeys } from '../../../shared/reports/report-keys.ts';
import { DEFAULT_RULES, type Rule } from '../../../shared/reports/rule.ts';
import { DAY_MS } from '../../../shared/time.ts';
import { type CountRow, shardOf } from '../../../workers/storage/reports-port.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import {
  AT,
  type FakeDesk,
  fakeDesk,
  keyed,
  REPORT_KEY,
  subjects,
  subjectsStub,
  withDesk,
} from '../support/reports.ts';

const SUBJECT = keyed('Victim');
const SHARD = shardOf(SUBJECT);
const NUMBER = { kind: 'number', n: 821020000001 } as const;
/** Three reporters, at most one of them from each partner. */
const RULE: Rule = {
  ...DEFAULT_RULES[0]!,
  id: 'three',
  version: 4,
  distinct: 3,
  maxShare: 0.4,
  weightMin: 0,
};

let desk: FakeDesk;
let seal: string;
let numbers: Map<string, number>;
let seq: number;

beforeEach(async () => {
  vi.useFakeTimers({ toFake: ['Date'] });
  vi.setSystemTime(AT);
  vi.spyOn(console, 'warn').mockImplementation(() => undefined);
  desk = fakeDesk([RULE]);
  desk.weights = { kt: 1, skt: 1, lgu: 1, kisa: 1, leaked: 1 };
  await withDesk(desk, SHARD);
  seal = await (await ReportKeys.open(REPORT_KEY)).seal(NUMBER);
  numbers = new Map();
  seq = 0;
});

interface Given {
  readonly partner?: string;
  readonly kind?: PartnerKind;
  readonly reporter?: string;
  readonly subject?: string;
  readonly rest?: object;
}

/** Each call is a flush of one report. @returns the number of the flush */
async function give({ partner = 'kt', kind = 'subscriber', reporter, subject = SUBJECT, rest }: Given = {}) {
  seq++;
  const row: CountRow = {
    ...{ op: 'report', seq, subject, reporter: keyed(reporter ?? `R${seq}`), at: Date.now() },
    ...{ channel: 'sms', spam: 'gambling', origin: 'domestic', isCounted: true },
    ...rest,
  };
  await flush(partner, kind, [row]);
  return seq;
}

async function takeBack(partner: string, reported: number, subject = SUBJECT): Promise<void> {
  await flush(partner, 'subscriber', [
    { op: 'withdraw', seq: reported, subject, spam: 'gambling', isCounted: true },
  ]);
}

async function flush(partner: string, kind: PartnerKind, rows: readonly CountRow[]): Promise<void> {
  const n = (numbers.get(partner) ?? 0) + 1;
  numbers.set(partner, n);
  const seals = Object.fromEntries(rows.map(({ subject }) => [subject, seal]));
  const source = { intake: partner, id: partner, kind, mock: false };
  expect(await subjects(SHARD).apply(source, n, rows, seals)).toEqual({ last: n });
}

/** Waits until the desk has this many decisions, and returns them as `<event> <subject>`. */
async function decided(count: number): Promise<string[]> {
  const all = () => desk.taken.flatMap(({ decisions }) => decisions);
  await vi.waitFor(() => expect(all()).toHaveLength(count), HANG_MS);
  return all().map(({ event, subjectKey }) => `${event} ${subjectKey === SUBJECT ? 'victim' : subjectKey}`);
}

const fire = async () => [
  await give({ partner: 'kt' }),
  await give({ partner: 'skt' }),
  await give({ partner: 'lgu' }),
];

test('a rule fires once, with what decided and the number in clear', async () => {
  await fire();
  expect(await decided(1)).toEqual(['fired victim']);
  await give({ partner: 'kt' });
  await give({ partner: 'skt' });
  expect(await decided(1)).toEqual(['fired victim']);
  expect(desk.taken[0]).toEqual({
    n: 1,
    decisions: [
      {
        ...{ subjectKey: SUBJECT, subject: NUMBER, channel: 'sms', rule: 'three@4', event: 'fired' },
        ...{ distinct: 3, kinds: ['subscriber'], byPartner: { kt: 1, skt: 1, lgu: 1 } },
        ...{ decidedAt: AT, resetAt: 0, shadow: false, mock: false },
      },
    ],
  });
});

test('an independent kind confirms, and when its report is withdrawn the confirmation is gone', async () => {
  await fire();
  const confirming = await give({ partner: 'kisa', kind: 'police' });
  expect(await decided(2)).toEqual(['fired victim', 'confirmed victim']);
  await takeBack('kisa', confirming);
  expect(await decided(3)).toEqual(['fired victim', 'confirmed victim', 'unconfirmed victim']);
});

test('when reports are withdrawn, what rested on them loses its support, and nothing else does', async () => {
  const [first] = await fire();
  const other = keyed('Vother');
  for (const partner of ['kt', 'skt', 'lgu']) await give({ partner, subject: other });
  await give({ partner: 'leaked', subject: other });
  expect(await decided(2)).toEqual(['fired victim', `fired ${other}`]);
  await takeBack('kt', first!);
  // The rule of the other subject still has three partners without this report.
  await takeBack('leaked', seq, other);
  expect(await decided(3)).toEqual(['fired victim', `fired ${other}`, 'unsupported victim']);
  await give({ partner: 'kisa' });
  expect(await decided(4)).toContain('fired victim');
});

test('after a reset, earlier reports count no more', async () => {
  await fire();
  await decided(1);
  await subjects(SHARD).reset(SUBJECT, AT + 1);
  vi.setSystemTime(AT + 2);
  await give({ partner: 'kt' });
  await give({ partner: 'skt' });
  expect(await decided(1)).toEqual(['fired victim']);
  await give({ partner: 'lgu' });
  expect(await decided(2)).toEqual(['fired victim', 'fired victim']);
});

test('a reset that comes again does not end what was decided since', async () => {
  await fire();
  await subjects(SHARD).reset(SUBJECT, AT + 1);
  vi.setSystemTime(AT + 2);
  const [first] = await fire();
  await subjects(SHARD).reset(SUBJECT, AT + 1);
  await takeBack('kt', first!);
  expect(await decided(3)).toEqual(['fired victim', 'fired victim', 'unsupported victim']);
  expect(desk.taken.map(({ decisions }) => decisions[0]!.resetAt)).toEqual([0, AT + 1, AT + 1]);
});

test('a decision that has ended can be made again', async () => {
  await fire();
  await decided(1);
  vi.setSystemTime(AT + 4 * DAY_MS);
  await fire();
  expect(await decided(2)).toEqual(['fired victim', 'fired victim']);
});

test('what the desk does not take is sent again, in order, also by a new object and after a set back', async () => {
  let isDown = true;
  desk.take = ({ n }) => {
    if (isDown) throw new Error('down');
    // The desk already has five batches that this shard does not know.
    return Math.max(n, 5);
  };
  await fire();
  await give({ partner: 'kisa', kind: 'police' });
  await evictDurableObject(subjectsStub(SHARD));
  isDown = false;
  await withDesk(desk, SHARD);
  vi.setSystemTime(AT + REPORT_RETRY_MS_MAX);
  await runDurableObjectAlarm(subjectsStub(SHARD));
  expect(await decided(2)).toEqual(['fired victim', 'confirmed victim']);
  expect(desk.taken.map(({ n }) => n)).toEqual([6, 7]);
});

test('while the desk cannot be read, the last rules serve, also a new object', async () => {
  await give({ partner: 'kt' });
  await evictDurableObject(subjectsStub(SHARD));
  await withDesk(
    {
      ...desk,
      get rules(): never {
        throw new Error('down');
      },
    },
    SHARD,
  );
  await give({ partner: 'skt' });
  await give({ partner: 'lgu' });
  expect(await decided(1)).toEqual(['fired victim']);
});

test('one reporter, however often, is one; and the rows of a subject are bounded', async () => {
  const reported = Array.from({ length: 40 }, (): CountRow => {
    seq++;
    return {
      ...{ op: 'report', seq, subject: SUBJECT, reporter: keyed('Same'), at: AT - seq },
      ...{ channel: 'sms', spam: 'gambling', origin: 'domestic', isCounted: true },
    };
  });
  await flush('kt', 'police', reported);
  const rowCount = () =>
    runInDurableObject(
      subjectsStub(SHARD),
      (_, { storage }) => storage.sql.exec<{ n: number }>('SELECT COUNT(*) AS n FROM reports').one().n,
    );
  expect(await rowCount()).toBe(REPORTS_PER_REPORTER_MAX);
  const many = Array.from({ length: REPORTS_PER_PARTNER_MAX + 50 }, (): CountRow => {
    seq++;
    return { ...reported[0]!, op: 'report', seq, reporter: keyed(`M${seq}`), at: AT } as CountRow;
  });
  desk.rules = [];
  vi.setSystemTime(AT + DAY_MS);
  await flush('kt', 'police', many);
  expect(await rowCount()).toBe(REPORTS_PER_PARTNER_MAX);
  expect(await subjects(SHARD).totalsOf(SUBJECT)).toMatchObject({ received: 1_090, counted: 1_090 });
  expect(desk.taken).toEqual([]);
});

test('a scan has the subjects with enough reports, page by page', async () => {
  const keys = ['V1', 'V2', 'V3'].map(keyed);
  for (const subject of keys) for (const partner of ['kt', 'skt']) await give({ partner, subject });
  await give({ partner: 'kt', subject: keyed('Vfew') });
  const scanned: string[] = [];
  for (let after: string | null = ''; after !== null; ) {
    const page: Awaited<ReturnType<ReturnType<typeof subjects>['scan']>> = await subjects(SHARD).scan(
      after,
      2,
      AT,
      2,
    );
    scanned.push(...page.subjects.map(({ subject, reports }) => `${subject} ${reports.length}`));
    after = page.next;
  }
  expect(scanned).toEqual(keys.map((subject) => `${subject} 2`));
  expect((await subjects(SHARD).scan('', 10, AT + 1, 1)).subjects).toEqual([]);
});

test('reports end after 90 days, and their subject with the last of them', async () => {
  await fire();
  await decided(1);
  vi.setSystemTime(AT + 50 * DAY_MS);
  await give({ partner: 'kt' });
  const left = () =>
    runInDurableObject(subjectsStub(SHARD), (_, { storage }) =>
      ['reports', 'subjects', 'decisions'].map(
        (table) => storage.sql.exec<{ n: number }>(`SELECT COUNT(*) AS n FROM ${table}`).one().n,
      ),
    );
  vi.setSystemTime(AT + REPORTS_KEPT_DAYS * DAY_MS);
  for (let step = 0; step < 2; step++) await runDurableObjectAlarm(subjectsStub(SHARD));
  expect(await left()).toEqual([1, 1, 0]);
  vi.setSystemTime(AT + (50 + REPORTS_KEPT_DAYS) * DAY_MS);
  for (let step = 0; step < 2; step++) await runDurableObjectAlarm(subjectsStub(SHARD));
  expect(await left()).toEqual([0, 0, 0]);
});
