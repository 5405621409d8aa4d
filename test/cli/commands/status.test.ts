/** What `numgate status` shows about the coordinator's storage and the audit log. */
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import { formatStatus, type Status } from '../../../cli/commands/status.ts';
import type { RegistrationsInfo } from '../../../shared/admin/status.ts';
import { STORAGE_BYTES_MAX } from '../../../shared/limits/control.ts';
import { storageLevel } from '../../../shared/storage-level.ts';

const STATUS: Status = {
  ...{ seq: 1, changedAt: null, current: null, candidate: null, clients: 0, kvSeq: 1, url: 'http://x' },
  ...{ live: { entries: 0, segments: 0, tail: 0 }, audit: { n: 5_000, hash: 'f'.repeat(64) } },
  ...{ propagation: [], lists: [], edges: [], me: null, text: null },
};

function linesOf(more: Partial<Status>): string[] {
  const [text] = formatStatus({ ...STATUS, ...more });
  return stripVTControlCharacters(text).split('\n');
}

describe('the storage in the status', () => {
  it.each([
    [0.0001, 'the coordinator stores 1 of 10,000 MB'],
    [0.5, 'the coordinator stores 5,000 of 10,000 MB, more than half: run audit export, then audit trim'],
    [
      0.8,
      'the coordinator stores 8,000 of 10,000 MB, and will soon reject blocks and releases: run audit export, then audit trim',
    ],
    [
      0.9,
      'the coordinator stores 9,000 of 10,000 MB, and rejects blocks and releases: run audit export, then audit trim',
    ],
  ])('at a share of %d shows the right warning', (share, line) => {
    const storage = { storageBytes: share * STORAGE_BYTES_MAX, storageBytesMax: STORAGE_BYTES_MAX };
    expect(linesOf({ ...storage, storageLevel: storageLevel(share) })).toContain(line);
  });

  it('is omitted if the service does not report it', () => {
    expect(linesOf({}).filter((line) => line.includes('stores'))).toEqual([]);
    expect(linesOf({ storageBytes: 5 }).filter((line) => line.includes('stores'))).toEqual([]);
  });

  it('shows the unsealed entries of the live layer', () => {
    expect(linesOf({ live: { entries: 20_000, segments: 2, tail: 5 } })).toContain(
      '20,000 live entries in 2 segments, 5 unsealed; 0 clients',
    );
  });

  it('counts one of a thing in the singular', () => {
    expect(linesOf({ live: { entries: 20_000, segments: 2, tail: 5, rules: 1_200 } })).toContain(
      '20,000 live entries in 2 segments, 5 unsealed, 1,200 of rules; 0 clients',
    );
    expect(linesOf({ live: { entries: 1, segments: 1, tail: 0 }, clients: 1 })).toContain(
      '1 live entry in 1 segment, 0 unsealed; 1 client',
    );
  });

  it('shows the text release, its canary and the confirmed campaigns', () => {
    const text: NonNullable<Status['text']> = {
      ...{
        version: 7,
        published: 7,
        current: 't-2',
        candidate: null,
        campaigns: { observed: 9, confirmed: 1 },
      },
      ...{ textKeyId: null, listKeyIds: [] },
    };
    const lineOf = (more: Partial<typeof text>): string[] =>
      linesOf({ text: { ...text, ...more } }).filter((line) => line.startsWith('text risk'));
    expect(lineOf({})).toEqual(['text risk: release t-2; 1 confirmed campaign']);
    expect(lineOf({ candidate: { release: 't-3', share: 0.1 }, published: 6 })).toEqual([
      'text risk: release t-2; t-3 is the canary in 10 % of the data centres; 1 confirmed campaign; ' +
        'the data centres still get state 6 instead of 7',
    ]);
    expect(lineOf({ current: null, campaigns: {} })).toEqual([
      'text risk: no release; 0 confirmed campaigns',
    ]);
    expect(lineOf({ version: 0 })).toEqual([]);
  });

  it('names the next command of a rotation of LIST_KEY', () => {
    const [old, fresh] = ['a'.repeat(16), 'b'.repeat(16)];
    const rotating = (ids: string[], current: string, rotated: NonNullable<Status['listKeys']>['rotated']) =>
      linesOf({ listKeys: { ids, current, rotated } }).filter((line) => line.includes('LIST_KEY'));
    const done = { from: old, to: fresh, at: '2026-11-24T03:12:09.000Z' };
    const begun = `LIST_KEY is being rotated: the service has the keys ${old}, ${fresh}; next: npx numgate list-key`;
    expect(rotating([old, fresh], old, null)).toEqual([`${begun} rotate <catalogue> --reason "…"`]);
    expect(rotating([fresh, old], fresh, done)[0]).toMatch(/; next: npx numgate list-key finish$/);
    expect(rotating([fresh], fresh, done)).toEqual([]);
  });

  it('shows the last checkpoint, and how far the export has come', () => {
    const audit = { n: 5_000, hash: 'f'.repeat(64), checkpointKey: 'a+00000000+AQ==', checkpoint: null };
    expect(linesOf({ audit })).toContain('no checkpoint yet');
    expect(linesOf({ audit: { ...audit, checkpointKey: null } })).toContain(
      'no checkpoints: CHECKPOINT_KEY is not set',
    );
    const at = '2026-11-24T03:12:09.000Z';
    const exports = [
      { sink: 'r2' as const, n: 5_000, at, error: null, failures: 0 },
      { sink: 'https' as const, n: 0, at: null, error: 'not reachable', failures: 1_000 },
    ];
    expect(linesOf({ audit: { ...audit, checkpoint: { size: 4_990, at }, exports } })).toEqual(
      expect.arrayContaining([
        `last checkpoint: 4,990 records, at ${at}`,
        `export to r2: 5,000 of 5,000 records, at ${at}`,
        'export to https: 0 of 5,000 records; 1,000 failed attempts: not reachable',
      ]),
    );
    // Older services report neither value.
    expect(linesOf({}).filter((line) => /checkpoint|export/.test(line))).toEqual([]);
  });

  it('shows the trimmed records of the audit log', () => {
    const hash = 'f'.repeat(64);
    expect(linesOf({})).toContain(`audit log: 5,000 records, last hash ${hash}`);
    expect(linesOf({ audit: { n: 5_000, hash, trimmedTo: 4_000 } })).toContain(
      `audit log: 5,000 records, last hash ${hash}; records up to 4,000 were trimmed`,
    );
  });
});

describe('the identity in the status', () => {
  const me = { name: 'token:ktoa-push', organisation: 'ktoa', authority: 'ktoa', root: false } as const;
  it.each([
    [
      { ...me, scopes: ['read', 'releases'] },
      'signed in as token:ktoa-push of ktoa, which may change lists and entries of ktoa; scopes: read, releases',
    ],
    [
      { ...me, authority: null, scopes: [] },
      'signed in as token:ktoa-push of ktoa, which has no authority; scopes: none',
    ],
    [
      { name: 'token:root', organisation: null, authority: 'root', root: true, scopes: ['read'] },
      'signed in as token:root, for all authorities',
    ],
  ] as const)('of %o is one line', (identity, line) => {
    expect(linesOf({ me: identity })).toContain(line);
  });

  it('is omitted if the service does not report it', () => {
    expect(linesOf({}).filter((line) => line.includes('signed in'))).toEqual([]);
  });
});

describe('registered senders in the status', () => {
  const registrations: RegistrationsInfo = {
    ...{
      version: 812,
      droppedVersion: 0,
      changes: 5_000,
      additionsMax: 750_000,
      changesMax: 1_000_000,
      waiting: [],
      refused: [],
      used: {
        ...{ pairs: 4_900_000, pairsMax: 10_000_000, ranges: 99_999, rangesMax: 200_000 },
        mostPairs: [{ organisation: 'shop', pairs: 2_500_000, ranges: 1 }],
        mostRanges: [{ organisation: 'bank', pairs: 3, ranges: 50_000 }],
      },
    },
  };
  const line = (more: Partial<RegistrationsInfo>) =>
    linesOf({ registrations: { ...registrations, ...more } }).filter((each) =>
      each.startsWith('registered senders:'),
    );

  it.each([
    [{}, '5,000 of 750,000 changes since the releases'],
    [
      { changes: 375_000 },
      '375,000 of 750,000 changes since the releases: build, push and promote a release soon',
    ],
    [
      { changes: 750_000, waiting: [{ organisation: 'shop', since: '2099-01-01T00:00:00.000Z' }] },
      '750,000 of 750,000 changes since the releases; additions wait (shop since 2099-01-01T00:00:00.000Z): build, push and promote a release, three times',
    ],
    [
      { changes: 1_000_000 },
      '1,000,000 of 750,000 changes since the releases; nothing more is published: build, push and promote a release, three times',
    ],
  ] as [Partial<RegistrationsInfo>, string][])('with %j are shown with what to do', (more, shown) => {
    expect(line(more)).toEqual([`registered senders: version 812, ${shown}`]);
  });

  const used = (more: Partial<RegistrationsInfo['used']>) =>
    linesOf({ registrations: { ...registrations, used: { ...registrations.used, ...more } } }).find((each) =>
      each.startsWith('registered senders in force'),
    );
  const inForce = (pairs: string, ranges: string) =>
    `registered senders in force: ${pairs} of 10,000,000 pairs of number and client, ${ranges} of 200,000 ranges`;

  it('are shown as a build takes them, and from half of the room on with the organisations that have most', () => {
    expect(used({})).toBe(inForce('4,900,000', '99,999'));
    expect(used({ pairs: 5_000_000, ranges: 100_000 })).toBe(
      `${inForce('5,000,000', '100,000')}; most pairs: shop 2,500,000; most ranges: bank 50,000; above these limits, builds fail`,
    );
  });

  it('name an organisation whose changes the registry refuses', () => {
    const refused = [{ organisation: 'shop', since: '2099-01-01T00:00:00.000Z' }];
    expect(linesOf({ registrations: { ...registrations, refused } })).toContain(
      'the registry has refused the changes of shop since 2099-01-01T00:00:00.000Z because of a defect in the service: newer changes of shop are not published',
    );
  });

  it('are omitted without any, and by older services', () => {
    expect(line({ version: 0, changes: 0 })).toEqual([]);
    expect(linesOf({}).filter((each) => each.includes('registered'))).toEqual([]);
  });
});

describe('rule blocks in the status', () => {
  const none = { proposed: 0, provisional: 0, confirmed: 0, shadow: 0, decisions: 0, unsent: 0 };
  const lines = (more: Partial<NonNullable<Status['response']>>, rules = 0): string[] =>
    linesOf({
      live: { ...STATUS.live, rules },
      response: { ...none, rulesFullSince: null, keyIds: ['a'.repeat(16)], ...more },
    }).filter((line) => /rule|reports/.test(line) && !line.includes('live entries in'));

  it('show the reserve, what waits for a person, and what is wrong', () => {
    expect(lines({})).toEqual([]);
    expect(lines({ provisional: 12, confirmed: 3 }, 15)).toEqual([
      'rule blocks: 12 provisional, 3 confirmed; 15 of 200,000 live entries of rules',
    ]);
    expect(lines({ proposed: 1, provisional: 1, decisions: 2, unsent: 1 })).toEqual([
      'rule blocks: 1 provisional, 0 confirmed; 0 of 200,000 live entries of rules; 3 changes not sent yet',
      '1 rule block waits for a person: npx numgate rule-blocks list --state proposed',
    ]);
    expect(lines({ rulesFullSince: '2026-11-24T03:12:09.000Z', keyIds: [] })).toEqual([
      'rules have proposed blocks instead of setting them since 2026-11-24T03:12:09.000Z, because there is no room: build and push a release',
      'the key of reports is lost: LIST_KEY lacks the key that opens it',
    ]);
  });

  it('are omitted by older services', () => {
    expect(linesOf({}).filter((line) => line.includes('rule'))).toEqual([]);
  });
});
