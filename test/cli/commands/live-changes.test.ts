/**
 * The live layer from the command line, through the real service. Changes become visible at the edge and are folded into the
 * next release.
 */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { build } from '../../../cli/commands/build.ts';
import type { EntryInfo } from '../../../shared/admin/entries.ts';
import { ABROAD, HOME, inputsOf } from '../support/builds.ts';
import { numgate } from '../support/command.ts';
import { E164, type Installation, makeChange, NUMBER, startInstallation } from '../support/installation.ts';
import { VISIBLE_WAIT_MS } from '../support/service.ts';
import { BUILDS, write } from '../support/workspace.ts';

let service: Installation;

/** Another number that no input lists. */
const OTHER = '010-9999-4321';

beforeAll(async () => {
  service = await startInstallation();
});

interface Verdict {
  readonly verdict: string;
  readonly seq: number;
  readonly reasons: readonly { readonly code: string; readonly list: string | null }[];
}

/** The edge's verdict once it shows a change. The check is for a call, because a sender ID may not send domestic texts. */
async function check(seq: number, request: object = { to: NUMBER }): Promise<Verdict> {
  const { code } = await numgate('watch', '--seq', String(seq));
  expect(code).toBe(0);
  const response = await fetch(`${service.url}/v1/check`, {
    method: 'POST',
    headers: { authorization: `Bearer ${service.key}`, 'content-type': 'application/json' },
    body: JSON.stringify({ channel: 'voice', ...request }),
  });
  return (await response.json()) as Verdict;
}

async function entries(...args: string[]): Promise<EntryInfo[]> {
  const { out } = await numgate('entries', ...args, '--json');
  return (JSON.parse(out) as { entries: EntryInfo[] }).entries;
}

describe('an entry', () => {
  it(
    'blocks, unblocks and is cleared, also from a file',
    async () => {
      const file = write('many.txt', `${HOME.slice(0, 20).join('\n')}\nPARCEL-99\n`);
      await makeChange('block', NUMBER, OTHER);
      await makeChange('clear', OTHER);
      await makeChange('block', '--file', file, 'SENDER-X', '--code', 'OVERSEAS_SOURCE_LISTED');
      expect(await entries()).toHaveLength(2 + 22);
      const unblocked = await makeChange('unblock', HOME[0]!);
      expect(await check(unblocked)).toMatchObject({
        verdict: 'block',
        reasons: [{ code: 'SENDER_REPORTED' }],
      });
      expect(await check(unblocked, { to: OTHER })).toMatchObject({ verdict: 'allow', reasons: [] });
      expect(await check(unblocked, { from: 'Sender-X' })).toMatchObject({
        verdict: 'block',
        reasons: [{ code: 'OVERSEAS_SOURCE_LISTED' }],
      });
      expect(await check(unblocked, { to: HOME[0] })).toMatchObject({ verdict: 'allow' });
      expect(await check(unblocked, { to: HOME[30] })).toMatchObject({ verdict: 'block' });
      await makeChange('clear', '--file', file, 'SENDER-X', NUMBER);
    },
    VISIBLE_WAIT_MS,
  );

  it('is reported with the way to wait for it, and records its author', async () => {
    const { code, out } = await numgate(
      'block',
      NUMBER,
      '--reason',
      'why not',
      '--until',
      '2h',
      '--subject',
      'to',
    );
    expect(code).toBe(0);
    const seq =
      /^1 number blocked until (\S+Z) \(seq (\d+)\)\n {2}to wait until it is visible: npx numgate watch --seq \2\n {2}to undo it: npx numgate undo \d+ --reason "…"\n$/.exec(
        out,
      )?.[2];
    expect(seq).toBeDefined();
    const [entry] = await entries(NUMBER);
    expect(entry).toMatchObject({
      number: E164,
      op: 'block',
      subjects: ['to'],
      by: 'token:root',
      reason: 'why not',
    });
    expect(Date.parse(entry!.until!)).toBeGreaterThan(Date.now());
    await makeChange('clear', NUMBER);
  });

  it('is counted by kind: number or sender ID', async () => {
    const { out } = await numgate('block', NUMBER, OTHER, 'PARCEL-98', '--reason', 'x');
    expect(out).toMatch(/^2 numbers, 1 sender ID blocked \(seq \d+\)\n/);
    const NONE = 'no live entry for';
    const first = (await numgate('clear', 'PARCEL-98', '--reason', 'x')).out;
    expect([first.startsWith('1 sender ID cleared '), first.includes(NONE)]).toEqual([true, false]);
    const again = (await numgate('clear', 'PARCEL-98', NUMBER, '--reason', 'x')).out;
    expect(again).toContain(`\n  ${NONE} PARCEL-98; entries that were folded into a release `);
    await makeChange('clear', NUMBER, OTHER);
    expect(await numgate('entries', '112')).toEqual({ code: 0, out: 'no live entries\n', errors: '' });
  });

  it(
    'is waited for with --wait',
    async () => {
      const { code, out, errors } = await numgate('block', NUMBER, '--wait', '--json', '--reason', 'x');
      const { seq, visible } = JSON.parse(out) as { seq: number; visible: { url: string; seq: number }[] };
      expect([code, errors]).toEqual([0, `1 number blocked (seq ${seq})\n`]);
      expect(visible).toMatchObject([{ url: service.url, seq }]);
      await makeChange('clear', NUMBER);
    },
    VISIBLE_WAIT_MS,
  );

  it(
    'is waited for like a change of a client, including its removal',
    async () => {
      const added = await numgate('clients', 'add', 'leaving', '--url', service.url);
      // The key alone is on standard output, so that a script can keep it.
      expect([added.code, added.out]).toEqual([0, expect.stringMatching(/^leaving\.[\w-]{43}\n$/)]);
      expect(added.errors).toMatch(/ shows seq \d+, release /);
      for (const [command, ...settings] of [['set', '--mode', 'shadow'], ['remove']]) {
        const { code, out } = await numgate('clients', command!, 'leaving', ...settings, '--wait', '--json');
        const { id, seq, visible } = JSON.parse(out) as { id: string; seq: number; visible: object[] };
        expect([code, id]).toEqual([0, 'leaving']);
        expect(visible).toMatchObject([{ url: service.url, seq }]);
      }
    },
    VISIBLE_WAIT_MS,
  );

  it.each([
    [['block', NUMBER], 2, "required option '--reason <text>' not specified"],
    [['block', '--reason', 'x'], 2, 'give a number or a source'],
    [['block', NUMBER, '--reason', 'x', '--until', 'soon'], 2, '--until must be a duration'],
    [['block', NUMBER, '--reason', 'x', '--code', 'SPAM'], 2, 'Allowed choices are NUMBER_FORMAT_INVALID, '],
    [
      ['block', NUMBER, '--reason', 'x', '--code', 'TEST_NUMBER'],
      2,
      'Allowed choices are NUMBER_FORMAT_INVALID, ',
    ],
    [['block', '010-9999-123A', '--reason', 'x'], 1, '  item 1: ENTRY_INVALID: has letters in a number'],
    [['block', 'PARCEL-KR', '--subject', 'to', '--reason', 'x'], 1, 'a recipient must be a number'],
    [['block', 'P'.repeat(65), '--reason', 'x'], 1, 'must have at most 64 characters'],
    [['clear', NUMBER, '--reason', 'x', '--until', '2h'], 2, "unknown option '--until'"],
    [['block', '112', '--reason', 'x'], 1, '  item 1: '],
    [['block', '+82*', '--reason', 'x'], 1, 'ENTRY_'],
    [['block', NUMBER, '010-0000-0001', '--reason', 'x'], 1, '  item 2: '],
    [['block', NUMBER, '--reason', '   '], 1, '"reason" must say why you make the change'],
  ])('that is invalid is refused: %j', async (args, exitCode, words) => {
    const { seq } = await service.admin.get<{ seq: number }>('status');
    const { code, errors } = await numgate(...args);
    expect([code, errors]).toEqual([exitCode, expect.stringContaining(words)]);
    expect(errors).not.toMatch(/9999.?1234/);
    expect(await service.admin.get('status')).toMatchObject({ seq });
  });
});

describe('a build', () => {
  const seqNow = async (): Promise<number> => (await service.admin.get<{ seq: number }>('status')).seq;

  it(
    'folds the live entries in, and carries them over until they are cleared',
    async () => {
      await makeChange('clear', NUMBER);
      await makeChange('block', NUMBER, OTHER, 'PARCEL-77');
      await makeChange('unblock', HOME[5]!, '--subject', 'to', '--until', '7d');
      const { manifest, folder } = await service.publish();
      expect(manifest.lists.slice(2).map(({ name }) => name)).toEqual([
        'live-sender-reported-root',
        'live-to-allow-root',
      ]);
      expect(manifest.foldedSeq).toBe((await seqNow()) - 1);
      expect(folder.folded.map(({ entries: all }) => all.length)).toEqual([3, 1]);
      // Once all releases that a rollback can return to have the entries, the live layer drops them.
      for (let round = 0; round < 3; round++) await service.publish();
      expect(await entries()).toEqual([]);
      const folded = await seqNow();
      expect(await check(folded)).toMatchObject({
        verdict: 'block',
        reasons: [{ code: 'SENDER_REPORTED', list: 'live-sender-reported-root' }],
      });
      expect(await check(folded, { from: 'parcel-77' })).toMatchObject({ verdict: 'block' });
      expect(await check(folded, { to: HOME[5] })).toMatchObject({ verdict: 'allow' });
      expect(await check(folded, { from: HOME[5] })).toMatchObject({ verdict: 'block' });
      await makeChange('clear', NUMBER);
      const last = await service.publish();
      expect(last.manifest.lists[2]).toMatchObject({
        name: 'live-sender-reported-root',
        numbers: 1,
        sources: 1,
      });
      const cleared = await seqNow();
      expect(await check(cleared)).toMatchObject({ verdict: 'allow', reasons: [] });
      expect(await check(cleared, { to: OTHER })).toMatchObject({ verdict: 'block' });
    },
    VISIBLE_WAIT_MS,
  );

  it('without the service is refused once only an earlier release has the entries', async () => {
    const offline = await build({
      catalogue: inputsOf('offline', HOME, ABROAD),
      builds: BUILDS,
      maxRejects: 0,
      admin: null,
    });
    const planned = await numgate('plan', offline.folder.path);
    expect([planned.code, planned.out]).toEqual([
      ...[0, expect.stringMatching(/^A push of this build would be refused: FOLD_BEHIND: .*: build again\n/)],
    ]);
    expect(planned.out).not.toContain('To push');
    const overrides = ['older-base', 'shrunken-list'].flatMap((guard) => ['--override', guard]);
    const args = [...overrides, '--reason', 'a test'];
    const { code, errors } = await numgate('push', offline.folder.path, '--unproven', ...args);
    expect([code, errors]).toEqual([1, expect.stringMatching(/^error: RELEASE_REFUSED: FOLD_BEHIND: /m)]);
  });
});
