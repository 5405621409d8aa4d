/**
 * Monitoring: the audit log and its verification, status, releases, guards, and changes as they arrive. Also
 * the errors without a service or a valid token.
 */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { formatDetections } from '../../../cli/commands/enumeration.ts';
import { formatReleases } from '../../../cli/commands/releases.ts';
import type { ReleaseInfo } from '../../../shared/admin/releases.ts';
import type { DetectionInfo } from '../../../shared/admin/status.ts';
import { ABROAD, HOME, inputsOf } from '../support/builds.ts';
import { numgate, start } from '../support/command.ts';
import { E164, type Installation, makeChange, NUMBER, startInstallation } from '../support/installation.ts';
import { VISIBLE_WAIT_MS } from '../support/service.ts';
import { BUILDS, SECRETS, write } from '../support/workspace.ts';

let service: Installation;
beforeAll(async () => {
  service = await startInstallation();
  await makeChange('block', NUMBER);
});

describe('enumeration', () => {
  it('is listed by day and organisation, with words for each kind', async () => {
    expect(await numgate('enumeration')).toMatchObject({ code: 0, out: 'no enumeration was detected\n' });
    const [at, found] = ['2026-11-24T03:12:09.000Z', [{ kind: 'fullBlocks', count: 12 }] as const];
    const detections: DetectionInfo[] = [{ organisation: 'relays', day: '2026-11-24', at, found }];
    const [text, value] = formatDetections(detections);
    expect(stripVTControlCharacters(text)).toMatch(/2026-11-24 .*relays .*12 blocks checked completely/);
    expect(value).toEqual({ detections });
  });
});

describe('the audit log', () => {
  it('has every change and is intact', async () => {
    const exported = await numgate('audit', 'export');
    expect(exported.code).toBe(0);
    expect(exported.out).not.toContain(E164);
    const path = write('audit.ndjson', exported.out);
    const count = exported.out.trimEnd().split('\n').length;
    for (const verified of [
      await numgate('audit', 'verify', path, '--json'),
      await numgate('audit', 'verify', '--json'),
    ])
      expect([verified.code, JSON.parse(verified.out)]).toMatchObject([0, { records: count, broken: null }]);
    const text = (await numgate('audit', 'verify', path)).out;
    const kept = /up to (\d+:[0-9a-f]{64})$/m.exec(text)?.[1];
    expect((await numgate('audit', 'verify', '--known', kept!)).code).toBe(0);
    const altered = write('altered.ndjson', exported.out.replace('ticket 4711', 'ticket 4712'));
    const { code, out, errors } = await numgate('audit', 'verify', altered);
    expect([code, errors]).toEqual([1, 'error: audit log verification failed\n']);
    expect(out).toMatch(/^ALTERED: record \d+ /m);
  });
});

describe('status, releases, guards and watch', () => {
  it('show the current release and the state of the edge', async () => {
    const text = await numgate('status');
    expect(text.code).toBe(0);
    const { current, seq, edges } = JSON.parse((await numgate('status', '--json')).out) as {
      current: ReleaseInfo;
      seq: number;
      edges: object[];
    };
    expect(edges).toMatchObject([{ url: service.url, health: { status: 'ok', release: current.release } }]);
    expect(text.out).toContain(`${current.release} is current since ${current.promotedAt}, by token:root`);
    expect(text.out).toContain(`seq ${seq}, changed `);
    const gone = await numgate('status', '--url', 'http://127.0.0.1:1', '--json');
    expect(JSON.parse(gone.out)).toMatchObject({ edges: [{ url: 'http://127.0.0.1:1', health: null }] });
    expect([gone.code, gone.errors]).toEqual([
      1,
      'error: no response from http://127.0.0.1:1: check --url\n',
    ]);
  });

  it('show releases, the newest first, and refusals', async () => {
    const { out } = await numgate('releases', '--json');
    const [newest] = (JSON.parse(out) as { releases: ReleaseInfo[] }).releases;
    expect(newest).toMatchObject({ by: 'token:root' });
    const refusal = { code: 'SIGNATURE_INVALID', message: 'not signed' };
    const text = stripVTControlCharacters(formatReleases({ releases: [{ ...newest!, refusal }] })[0]);
    const begin = `${newest!.release} was refused: SIGNATURE_INVALID: not signed\n┌`;
    expect(text.slice(0, begin.length)).toBe(begin);
    const same = { ...refusal, message: 'SIGNATURE_INVALID: not signed' };
    expect(stripVTControlCharacters(formatReleases({ releases: [{ ...newest!, refusal: same }] })[0])).toBe(
      text,
    );
  });

  it('show and change guards by name', async () => {
    const before = (await numgate('guards', 'show')).out;
    const [first] = before.trimEnd().split('\n');
    const set = await numgate('guards', 'set', first!, '--reason', 'as it was');
    expect([set.code, set.out]).toEqual([0, before]);
    for (const [pair, words] of [
      [
        'nosuch=1',
        '"nosuch" is not a guard setting; settings: addShare, removeShare, protectedNumbers, operationItems, hourlyItems, hourlyUnblocks, operatorShare, operatorRanges',
      ],
      ['addShare=2', 'addShare must be at most 1'],
      ['addShare', 'addShare must be written as addShare=value'],
    ] as const) {
      const { code, errors } = await numgate('guards', 'set', pair, '--reason', 'x');
      expect([code, errors]).toEqual([2, expect.stringContaining(words)]);
    }
  });

  it(
    'follow the edge, change by change, until they are stopped',
    async () => {
      const { child, result } = start(['watch', '--json']);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      const seq = await makeChange('clear', NUMBER);
      await new Promise((resolve) => child.stdout!.once('data', resolve));
      child.kill('SIGINT');
      const { code, out } = await result;
      const seen = out
        .trimEnd()
        .split('\n')
        .map((line) => (JSON.parse(line) as { seq: number }).seq);
      expect([code, seen.at(-1)]).toEqual([130, seq]);
      expect(seen.length).toBeGreaterThan(1);
    },
    VISIBLE_WAIT_MS,
  );

  it('give up on a change that never arrives', async () => {
    const { code, errors } = await numgate('watch', '--seq', '999999', '--timeout', '0');
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/shows seq \d+ after \d+ s: seq 999999 is not visible/),
    ]);
  });
});

describe('without a valid token', () => {
  it('names the variable of the token, and not the token', async () => {
    process.env.NUMGATE_TOKEN = 'nobody.secret-of-nobody';
    const { code, errors } = await numgate('status');
    process.env.NUMGATE_TOKEN = SECRETS.ADMIN_TOKEN;
    expect([code, errors]).toEqual([
      1,
      expect.stringMatching(/^error: UNAUTHENTICATED: .*\n.*NUMGATE_TOKEN/),
    ]);
    expect(errors).not.toMatch(/secret-of-nobody/);
    expect(errors).not.toContain(SECRETS.ADMIN_TOKEN);
  });

  it('or without a service, says so and how to build anyway', async () => {
    process.env.NUMGATE_URL = 'http://127.0.0.1:1';
    const { code, errors } = await numgate('build', inputsOf('alone', HOME, ABROAD), '--out', BUILDS);
    process.env.NUMGATE_URL = service.url;
    expect(code).toBe(1);
    expect(errors).toMatch(
      /^error: http:\/\/127\.0\.0\.1:1 does not respond: .*\nto build a first release without/,
    );
  });
});
