/** `text campaigns`: the requests that it sends, and its output. No message contains a text. */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { describe, expect, it } from 'vitest';
import type { CampaignInfo } from '../../../shared/admin/text.ts';
import { numgate, spawnNumgate } from '../support/command.ts';
import { fakeService, problem, type ReceivedRequest, type Reply } from '../support/fake-service.ts';
import { write } from '../support/workspace.ts';

const AT = '2026-11-24T03:12:09.000Z';
const UNTIL = '2026-12-24T03:12:09.000Z';
const FINGERPRINT = `${'A'.repeat(171)}=`;
const KEY_ID = '00112233445566ff';

const CAMPAIGN: CampaignInfo = {
  ...{ id: 'c-17', state: 'confirmed', authority: 'numgate', rule: 'campaign-30@1', stage: 'provisional' },
  ...{ firstSeen: AT, lastSeen: AT, reports: 52, reporters: 34, until: UNTIL },
  ...{ fingerprint: FINGERPRINT, textKeyId: KEY_ID },
  changed: { by: 'numgate', at: AT, reason: '34 reporters' },
};

/** Runs a command against a service with these replies. */
async function run(reply: (request: ReceivedRequest) => Reply, ...args: string[]) {
  const { url, requests } = await fakeService(reply);
  process.env.NUMGATE_URL = url;
  process.env.NUMGATE_TOKEN = 'ktoa.secret';
  const { code, out, errors } = await numgate('text', 'campaigns', ...args);
  const sent = requests.map(({ method, path, body }) => [method, path.replace('/v1/admin/', ''), body]);
  return { code, out: stripVTControlCharacters(out), errors, sent };
}

/** The error that a command prints with `--json`, in a new process. */
async function errorOf(reply: (request: ReceivedRequest) => Reply, ...args: string[]) {
  process.env.NUMGATE_URL = (await fakeService(reply)).url;
  process.env.NUMGATE_TOKEN = 'ktoa.secret';
  const { out } = await spawnNumgate('text', 'campaigns', ...args, '--json');
  return JSON.parse(out).error;
}

const REASON = ['--reason', 'ticket 4711'];

describe('text campaigns', () => {
  it('list and show tell the state, who decided, and the reports', async () => {
    const page = {
      body: { campaigns: [CAMPAIGN, { ...CAMPAIGN, id: 'c-18', state: 'observed' }], next: null },
    };
    const list = await run(() => page, 'list', '--state', 'confirmed');
    expect(list.sent).toEqual([['GET', 'text/campaigns?state=confirmed&limit=200', null]]);
    expect(list.out).toMatch(/c-17 +│ confirmed │ campaign-30@1 +│ +52/);
    const show = await run(() => ({ body: CAMPAIGN }), 'show', 'c-17');
    expect(show.out).toContain(`c-17 of numgate is confirmed by campaign-30@1 (provisional) until ${UNTIL}`);
    expect(show.out).toContain(`changed by numgate at ${AT}: 34 reporters`);
    expect(show.out).toContain(FINGERPRINT);
    const { changed, ...older } = CAMPAIGN;
    expect((await run(() => ({ body: older }), 'show', 'c-17')).out).not.toContain('changed by');
    expect((await run(() => page, 'show', '17')).code).toBe(2);
  });

  it('add sends texts in pieces, and never shows one', async () => {
    const texts = Array.from({ length: 250 }, (_, index) => `free prize number ${index}`);
    const file = write('texts.txt', `${texts.join('\n')}\n\n`);
    const done = await run(
      ({ body }) => ({ body: { campaigns: (body as { texts: string[] }).texts.map(() => CAMPAIGN) } }),
      ...['add', '--file', file, '--until', UNTIL, ...REASON],
    );
    expect([done.code, done.errors]).toEqual([0, '']);
    expect(done.sent.map(([, , body]) => (body as { texts: string[] }).texts.length)).toEqual([200, 50]);
    expect(done.sent[0]).toMatchObject(['POST', 'text/campaigns', { until: UNTIL, reason: 'ticket 4711' }]);
    expect(done.out).toContain('250 texts in 1 campaign');
    expect(done.out).not.toContain('prize');
    const lines = write('texts.ndjson', '{"text":"one\\ntwo"}\n{"other":1}\n');
    const bad = await run(() => ({ body: {} }), 'add', '--file', lines, '--until', UNTIL, ...REASON);
    expect([bad.code, bad.sent]).toEqual([1, []]);
    expect(bad.errors).toContain('texts.ndjson, line 2: must be an object with "text"');
    const longText = write('long.txt', `secret ${'x'.repeat(2_000)}\n`);
    const long = await run(() => ({ body: {} }), 'add', '--file', longText, '--until', UNTIL, ...REASON);
    expect(long.errors).toContain('long.txt, line 1: has more than 2000 characters');
    expect(long.errors).not.toContain('secret');
  });

  it('add takes fingerprints, and says what is missing', async () => {
    const reply = () => ({ body: { campaigns: [CAMPAIGN] } });
    const given = ['add', '--fingerprint', FINGERPRINT, '--until', UNTIL, ...REASON];
    const done = await run(reply, ...given, '--key-id', KEY_ID, '--override-authority', 'kisa');
    expect(done.sent).toMatchObject([
      [
        'POST',
        'text/campaigns',
        { fingerprints: [{ fingerprint: FINGERPRINT, textKeyId: KEY_ID }], overrideAuthorities: ['kisa'] },
      ],
    ]);
    expect((await run(reply, ...given)).errors).toContain('--key-id');
    expect((await run(reply, 'add', '--until', UNTIL, ...REASON)).errors).toContain('--file');
    const file = write('texts.txt', 'a text\n');
    expect((await run(reply, 'add', '--file', file, ...REASON)).errors).toContain('--until');
    expect((await run(reply, 'add', '--file', file, '--until', UNTIL)).errors).toContain('--reason');
  });

  it('confirm, reject and revoke change each, with a reason', async () => {
    const reply = () => ({ body: { ...CAMPAIGN, state: 'revoked', until: null } });
    const revoked = await run(reply, 'revoke', 'c-17', 'c-18', ...REASON);
    expect(revoked.sent.map(([, path]) => path)).toEqual([
      'text/campaigns/c-17/revoke',
      'text/campaigns/c-18/revoke',
    ]);
    expect(revoked.out).toBe('c-17 is revoked\nc-17 is revoked\n');
    expect((await run(reply, 'reject', 'c-17', ...REASON)).sent).toEqual([
      ['POST', 'text/campaigns/c-17/reject', { reason: 'ticket 4711' }],
    ]);
    const confirmed = await run(() => ({ body: CAMPAIGN }), 'confirm', 'c-17', '--until', UNTIL, ...REASON);
    expect(confirmed.sent).toEqual([
      ['POST', 'text/campaigns/c-17/confirm', { until: UNTIL, reason: 'ticket 4711' }],
    ]);
  });

  it.each(['confirm', 'reject', 'revoke'])(
    '%s of several names the one that fails, those that were changed, and those that were not tried',
    async (action) => {
      const reply = ({ path }: ReceivedRequest) =>
        path.includes('/c-99/')
          ? problem(404, 'CAMPAIGN_UNKNOWN')
          : { body: { ...CAMPAIGN, id: 'c-1', state: 'rejected', until: null } };
      const until = action === 'confirm' ? ['--until', UNTIL] : [];
      const given = [action, 'c-1', 'c-99', 'c-2', ...until, ...REASON];
      const { code, out, errors, sent } = await run(reply, ...given);
      expect([code, out, sent.length]).toEqual([1, 'c-1 is rejected\n', 2]);
      expect(errors).toContain(
        'c-99: CAMPAIGN_UNKNOWN: the message of CAMPAIGN_UNKNOWN\n  changed: c-1\n  not tried: c-2\n',
      );
      expect(await errorOf(reply, ...given)).toMatchObject({
        ...{ code: 'CAMPAIGN_UNKNOWN', campaign: 'c-99', campaigns: [{ id: 'c-1' }], notTried: ['c-2'] },
        message: expect.stringContaining('changed: c-1'),
      });
      const only = await run(reply, action, 'c-99', ...until, ...REASON);
      expect([only.out, only.errors]).toEqual(['', expect.stringMatching(/c-99: CAMPAIGN_UNKNOWN: .*\n$/)]);
    },
  );

  it('names the line of a text that the service refuses', async () => {
    const lines = Array.from({ length: 203 }, (_, index) => `a text ${index}`).join('\n\n');
    const file = write('texts.txt', `${lines}\n`);
    const refuse = ({ body }: ReceivedRequest) =>
      (body as { texts: string[] }).texts.length === 200
        ? { body: { campaigns: [], matches: [] } }
        : {
            status: 422,
            body: {
              ...{ status: 422, code: 'FIELD_VALUE', field: 'texts.1' },
              message: '"texts.1" is too short: a campaign needs about 25 syllables',
            },
          };
    const added = await run(refuse, 'add', '--file', file, '--until', UNTIL, ...REASON);
    expect(added.errors).toContain(
      'texts.txt, line 403: is too short: a campaign needs about 25 syllables\n',
    );
    expect(added.errors).toContain('the 200 before it were accepted');
    expect(await errorOf(refuse, 'match', '--file', file)).toMatchObject({
      ...{ code: 'FIELD_VALUE', message: expect.stringMatching(/texts\.txt, line 403: is too short.*s$/) },
    });
    const empty = write('texts.ndjson', '{"text":"a text"}\n{"text":" "}\n');
    const given = await run(refuse, 'add', '--file', empty, '--until', UNTIL, ...REASON);
    expect(given.errors).toContain('texts.ndjson, line 2: "text" is empty: remove the line');
  });

  it('match shows the campaigns of lines, and import what became of a feed', async () => {
    const file = write('texts.txt', 'a text\nanother\nhi\n');
    const matches = [
      { campaign: 'c-17', blocks: true, hasFingerprint: true },
      { campaign: null, blocks: false, hasFingerprint: true },
      { campaign: null, blocks: false, hasFingerprint: false },
    ];
    const matched = await run(() => ({ body: { matches } }), 'match', '--file', file);
    expect(matched.sent).toEqual([['POST', 'text/campaigns/match', { texts: ['a text', 'another', 'hi'] }]]);
    expect(matched.out).toMatch(/1 │ c-17 +│ yes/);
    expect(matched.out).toMatch(/3 │ too short │ no/);
    const line = {
      fingerprint: FINGERPRINT,
      textKeyId: KEY_ID,
      state: 'confirmed',
      until: UNTIL,
      authority: 'kisa',
    };
    const pulled = write(
      'campaigns.ndjson',
      `${JSON.stringify(line)}\n${JSON.stringify({ ...line, state: 'revoked', until: null })}\n`,
    );
    const results = [
      { campaign: 'c-1', result: 'confirmed' },
      { campaign: null, result: 'foreignKey' },
    ];
    const imported = await run(() => ({ body: { results } }), 'import', pulled, ...REASON);
    const { authority: _, ...sent } = line;
    expect(imported.sent).toEqual([
      [
        'POST',
        'text/campaigns/import',
        { campaigns: [sent, { ...sent, state: 'revoked', until: null }], reason: 'ticket 4711' },
      ],
    ]);
    expect(imported.out).toMatch(/confirmed: 1\nforeignKey: 1\n/);
    write('campaigns.ndjson', '{"state":"confirmed"}\n');
    expect((await run(() => ({ body: {} }), 'import', pulled, ...REASON)).errors).toContain('line 1');
  });
});
