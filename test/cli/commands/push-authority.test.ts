/**
 * Pushes of organisations with their own signing keys, in turn. Each one changes only its own lists. A push that would change
 * more is refused before anything is uploaded.
 */
import '../support/workspace.ts';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import type { BuildResult } from '../../../cli/commands/build.ts';
import { formatPlan, plan } from '../../../cli/commands/plan.ts';
import { type PushSettings, pushStaged } from '../../../cli/commands/push.ts';
import { newKey } from '../../../cli/secrets.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import { releaseKey, SHARD_PREFIX } from '../../../shared/release/kv-keys.ts';
import type { Manifest } from '../../../shared/release/manifest.ts';
import { failureOf } from '../support/failing.ts';
import {
  admins,
  block,
  buildAs,
  buildOwn,
  catalogueOf,
  HOLDERS,
  pushAs,
  pushFirst,
  root,
  service,
} from '../support/organisations.ts';

const current = async (): Promise<string> => (await root.get<StatusInfo>('status')).current!.release;
const valuesInKv = async (): Promise<number> => (await service.kv.keys(SHARD_PREFIX)).length;

beforeAll(async () => void (await pushFirst()));

describe('two organisations with keys of their own', () => {
  const countsNow = async (): Promise<number[]> => {
    const { lists } = await root.get<{ lists: Manifest['lists'] }>('lists');
    return lists.filter(({ name }) => !name.startsWith('live-')).map(({ numbers }) => numbers);
  };

  it('push in turn, through the API and with wrangler alone, and change only their own lists', async () => {
    // Live entries of both organisations, which stay in the live layer.
    await block('ktoa', '+821030000003');
    await block('acme', '+821030000004');
    const ktoa = await buildOwn('ktoa', 3_200);
    const [text] = formatPlan(await plan(ktoa.folder, admins.ktoa!));
    expect(stripVTControlCharacters(text)).toMatch(/ktoa-list.*3 of 4 lists are unchanged.*no guard is hit/s);
    expect(await pushAs(admins.ktoa!, ktoa)).toMatchObject({ state: 'promoted' });
    expect(await countsNow()).toEqual([3_201, 3_001]);
    const acme = await buildOwn('acme', 3_300);
    await pushStaged(acme.folder, service.kv, { unproven: true });
    await service.runCron();
    expect(await current()).toBe(acme.manifest.release);
    expect(await countsNow()).toEqual([3_201, 3_301]);
    await pushAs(admins.ktoa!, await buildOwn('ktoa', 3_400));
    expect(await countsNow()).toEqual([3_401, 3_301]);
    expect((await root.get<StatusInfo>('status')).live.entries).toBeGreaterThanOrEqual(2);
  });

  describe('whose base moves in between', () => {
    let late: BuildResult;
    let now: string;

    beforeAll(async () => {
      late = await buildOwn('ktoa', 3_500);
      const acme = await buildOwn('acme', 3_350);
      await pushAs(admins.acme!, acme);
      now = acme.manifest.release;
    });

    it('are refused by name before the upload', async () => {
      const before = await valuesInKv();
      const { message, exitCode } = await failureOf(() =>
        pushAs(admins.ktoa!, late, { overrides: ['older-base'] }),
      );
      const { base } = late.manifest;
      expect([exitCode, message]).toEqual([
        4,
        `BASE_MOVED: its lists of other authorities are those of ${base}, but ${now} is current: build again`,
      ]);
      expect(await valuesInKv()).toBe(before);
      expect(await current()).toBe(now);
    });

    it('are refused by the cron, with the reason', async () => {
      await pushStaged(late.folder, service.kv, { unproven: true });
      await service.runCron();
      expect(await current()).toBe(now);
      const { releases } = await root.get<{
        releases: { release: string; refusal: { code: string; message: string } }[];
      }>('releases');
      const { refusal } = releases.find(({ release }) => release === late.manifest.release)!;
      expect(refusal.code).toBe('BASE_MOVED');
      expect(refusal.message).toContain('build and plan again');
    });
  });
});

describe('a push that changes lists of another authority', () => {
  let before: number;
  const refusal = async (admin: Admin, built: BuildResult, settings: Partial<PushSettings> = {}) => {
    before = await valuesInKv();
    const failure = await failureOf(() => pushAs(admin, built, settings));
    expect(await valuesInKv()).toBe(before);
    expect(await service.kv.get(releaseKey(built.manifest.release))).toBeNull();
    return failure;
  };

  it('is refused before the upload: the token of an operator', async () => {
    const built = await buildAs(null, catalogueOf(HOLDERS, 2_500));
    const { message, extras } = await refusal(admins.ktoa!, built);
    expect(message).toContain(
      'AUTHORITY_FOREIGN: the release changes lists of "acme" (acme-list, live-sender',
    );
    expect(message).toMatch(/which your token may not change: build with --authority ktoa$/);
    expect(extras).toMatchObject({ code: 'AUTHORITY_FOREIGN', authorities: ['acme'] });
    const [text, value] = formatPlan(await plan(built.folder, admins.ktoa!));
    expect(text).toContain('A push of this build would be refused: AUTHORITY_FOREIGN');
    expect(value).not.toHaveProperty('command');
  });

  it('is refused before the upload: the key of an organisation, whatever the token', async () => {
    const built = await buildAs('ktoa', catalogueOf(HOLDERS, 2_400));
    const { message, extras } = await refusal(root, built, { overrideAuthorities: ['acme'] });
    expect(message).toContain('RELEASE_REFUSED: SIGNER_FOREIGN: it changes lists of "acme" (acme-list');
    expect(message).toContain('build with --authority ktoa, or sign it with a key of the installation');
    expect(extras).toMatchObject({ code: 'RELEASE_REFUSED', refusal: 'SIGNER_FOREIGN' });
  });

  it('is refused before the upload: an override of guards by a token without that scope', async () => {
    const built = await buildOwn('ktoa', 4_300);
    const { message } = await refusal(admins.ktoa!, built, { overrides: ['adds'] });
    expect(message).toBe('PERMISSION_DENIED: --override needs a token with the scope "guards"');
  });

  it('is allowed to a token that names it, and the plan has the command', async () => {
    const organisation = { id: 'kisa', displayName: 'kisa', authority: 'kisa', roles: ['regulator'] };
    await root.change('PUT', 'organisations/kisa', { organisation, reason: 'a test' });
    const { key, secretSha256 } = await newKey('kisa');
    const token = { id: 'kisa', secretSha256: [secretSha256], role: 'regulator', organisation: 'kisa' };
    await root.change('PUT', 'tokens/kisa', { token, reason: 'a test' });
    const kisa = new Admin({ url: service.url, token: key });
    const built = await buildAs(null, catalogueOf(HOLDERS, 3_390));
    const { message } = await refusal(kisa, built);
    expect(message).toContain(
      'to act for them: --override-authority acme --override-authority ktoa --reason "…"',
    );
    const [, value] = formatPlan(await plan(built.folder, kisa));
    expect(value).toMatchObject({
      command: expect.stringContaining('--override-authority acme --override-authority ktoa --reason "…"'),
    });
    const done = await pushAs(kisa, built, { overrides: [], overrideAuthorities: ['acme', 'ktoa'] });
    expect(done).toMatchObject({ state: 'promoted' });
  });
});
