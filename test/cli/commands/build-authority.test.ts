/**
 * `numgate build --authority`: two organisations with signing keys of their own push in turn, and each changes only
 * its own lists. Pushes that would change more are refused before anything is uploaded.
 */
import '../support/workspace.ts';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { stripVTControlCharacters } from 'node:util';
import { beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { type BuildResult, build, formatBuild } from '../../../cli/commands/build.ts';
import { formatPlan, plan } from '../../../cli/commands/plan.ts';
import { prove } from '../../../cli/commands/prove.ts';
import { type PushSettings, push, pushStaged } from '../../../cli/commands/push.ts';
import { originsFor } from '../../../cli/import/carried-lists.ts';
import { foldedIn, readLists } from '../../../cli/import/release-lists.ts';
import { fileOfKey } from '../../../cli/publish/build-folder.ts';
import { listKeys, newKey } from '../../../cli/secrets.ts';
import type { StatusInfo } from '../../../shared/admin.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { releaseKey, SHARD_PREFIX } from '../../../shared/release/kv-keys.ts';
import { blobsOf, type Manifest, signManifest } from '../../../shared/release/manifest.ts';
import { failureOf } from '../support/failing.ts';
import { startTestService, type TestService } from '../support/service.ts';
import { BUILDS, catalogue, SECRETS, SIGNING_KEY, SUSPENDED, write } from '../support/workspace.ts';

const HOLDERS = ['ktoa', 'acme'] as const;
type Holder = (typeof HOLDERS)[number];
/** Every listed number, and so few others that a proof takes a second. */
const STEP = 5_000;
const PUSH: PushSettings = { unproven: true, reason: 'a test' };

const signing: Record<string, string> = {};
const admins: Record<string, Admin> = {};
let service: TestService;
let root: Admin;

async function bindKey(holder: Holder): Promise<string> {
  const pair = await crypto.subtle.generateKey('Ed25519', true, ['sign', 'verify']);
  const exported = async (format: 'pkcs8' | 'raw', key: CryptoKey): Promise<string> =>
    toBase64(new Uint8Array(await crypto.subtle.exportKey(format, key)));
  signing[holder] = await exported('pkcs8', pair.privateKey);
  return `${holder}:${await exported('raw', pair.publicKey)}`;
}

async function addHolder(holder: Holder): Promise<void> {
  const organisation = { id: holder, displayName: holder, authority: holder, roles: ['operator'] };
  await root.change('PUT', `organisations/${holder}`, { organisation, reason: 'a test' });
  const { key, secretSha256 } = await newKey(holder);
  const token = { id: holder, secretSha256: [secretSha256], role: 'operator', organisation: holder };
  await root.change('PUT', `tokens/${holder}`, { token, reason: 'a test' });
  admins[holder] = new Admin({ url: service.url, token: key });
}

beforeAll(async () => {
  const bound = await Promise.all(HOLDERS.map(bindKey));
  const RELEASE_PUBLIC_KEYS = [SECRETS.RELEASE_PUBLIC_KEYS, ...bound].join(',');
  process.env.RELEASE_PUBLIC_KEYS = RELEASE_PUBLIC_KEYS;
  service = await startTestService({ RELEASE_PUBLIC_KEYS });
  root = service.admin;
  for (const holder of HOLDERS) await addHolder(holder);
});

/** Numbers, some with dates, a range and a source. @param step distinguishes the numbers of a list */
function linesOf(holder: Holder, count: number): string {
  const step = holder === 'ktoa' ? 17_971 : 19_973;
  const numbers = Array.from({ length: count }, (_, index) => `+8210${20_000_000 + index * step},`);
  const dated = [
    '+821099990001,2099-01-01T00:00:00Z',
    `+14155550${holder === 'ktoa' ? 100 : 101},2098-01-01T00:00:00Z`,
  ];
  const others = ['+639171234567', '+442079460000..+442079460999', `PARCEL-${holder.toUpperCase()}`];
  return ['number,until', ...numbers, ...dated, ...others.map((line) => `${line},`)].join('\n');
}

const listOf = (holder: Holder) => ({
  ...SUSPENDED,
  name: `${holder}-list`,
  authority: holder,
  sources: true,
});

/** @param holders whose lists the catalogue has @param count numbers of each list */
function catalogueOf(
  holders: readonly Holder[],
  count: number,
  lines: Partial<Record<Holder, string>> = {},
): string {
  const name = `${holders.join('-')}-${count}${Object.keys(lines).join('')}`;
  const inputs = holders.map((holder) => ({
    file: write(`${name}/${holder}.csv`, lines[holder] ?? linesOf(holder, count)),
    list: `${holder}-list`,
  }));
  return catalogue(`${name}/lists.json`, { lists: holders.map(listOf), inputs });
}

/** A build that the key of an organisation signs, or of the installation. */
async function buildAs(signer: Holder | null, path: string, authority?: string): Promise<BuildResult> {
  process.env.RELEASE_SIGNING_KEY = signer === null ? SECRETS.RELEASE_SIGNING_KEY : signing[signer]!;
  try {
    const admin = signer === null ? root : admins[signer]!;
    return await build({ catalogue: path, builds: join(BUILDS, 'bound'), maxRejects: 0, admin, authority });
  } finally {
    process.env.RELEASE_SIGNING_KEY = SECRETS.RELEASE_SIGNING_KEY;
  }
}

/** The own list of an organisation with so many numbers, on the current release. */
const buildOwn = (holder: Holder, count: number): Promise<BuildResult> =>
  buildAs(holder, catalogueOf([holder], count), holder);

const pushAs = (admin: Admin, { folder }: BuildResult, settings: Partial<PushSettings> = {}) =>
  push(folder, { admin, kv: service.kv }, { ...PUSH, ...settings });

const current = async (): Promise<string> => (await root.get<StatusInfo>('status')).current!.release;
const valuesInKv = async (): Promise<number> => (await service.kv.keys(SHARD_PREFIX)).length;
const block = (holder: Holder, number: string): Promise<unknown> =>
  admins[holder]!.change('POST', 'entries', {
    op: 'block',
    items: [{ number }],
    code: 'SENDER_REPORTED',
    reason: 'a test',
  });

/** Every entry of the lists that a release has of others, by list. */
async function entriesOf({ folder, manifest }: BuildResult, isWanted: (authority: string) => boolean) {
  const wanted = [...manifest.lists.entries()].filter(([, { authority }]) => isWanted(authority));
  const entries = new Map(wanted.map(([list]) => [list, [] as string[]]));
  const sinks = [...entries].map(([list, found]) => {
    const add = (...parts: readonly unknown[]): void =>
      void found.push(
        parts
          .map((part) => JSON.stringify(part, (_, each) => (typeof each === 'bigint' ? String(each) : each)))
          .join(' '),
      );
    return [list, { addNumber: add, addRange: add, addSource: add }] as const;
  });
  await readLists({ manifest, load: async ({ key }) => folder.value(key) }, new Map(sinks), await listKeys());
  return wanted.map(([list, info]) => ({ info, entries: entries.get(list)!.sort() }));
}

describe('a build for one authority', () => {
  let first: BuildResult;

  beforeAll(async () => {
    // The live entries become folded lists of the first release.
    await block('ktoa', '+821030000001');
    await block('acme', '+821030000002');
    first = await buildAs(null, catalogueOf(HOLDERS, 3_000));
    await pushAs(root, first);
  });

  it('replaces its own lists, and carries all others over with every entry', async () => {
    const built = await buildOwn('ktoa', 3_100);
    const { manifest } = built;
    expect(manifest.lists.map(({ name, numbers }) => [name, numbers])).toEqual([
      ['ktoa-list', 3_101],
      ['acme-list', 3_001],
      ['live-sender-reported-acme', 1],
      ['live-sender-reported-ktoa', 1],
    ]);
    const { release, foldedSeq } = first.manifest;
    expect(manifest).toMatchObject({ base: release, foldedSeq });
    const ofAcme = (authority: string): boolean => authority === 'acme';
    expect(await entriesOf(built, ofAcme)).toEqual(await entriesOf(first, ofAcme));
    const [before, after] = [first, built].map(async ({ folder, manifest: its }) =>
      foldedIn({ manifest: its, load: async ({ key }) => folder.value(key) }, await listKeys()),
    );
    expect(await after).toEqual(await before);
    const [text, value] = formatBuild(built);
    expect(text).toContain(`3 of them as ${release} has them; live entries are not folded in`);
    expect(value).toMatchObject({ carried: 3 });
  });

  it('with the same input as its base changes nothing in the shards', async () => {
    const built = await buildOwn('ktoa', 3_000);
    expect(built.manifest.shards).toEqual(first.manifest.shards);
  });

  it('is proven against its inputs and against its base', async () => {
    const built = await buildOwn('ktoa', 3_050);
    const offline = (): never => {
      throw new Error('the service was read');
    };
    expect(await prove(built.folder, STEP, offline)).toMatchObject({ wrong: 0, complete: false });
  });

  it('with other numbers in a carried list is wrong', async () => {
    const built = await buildOwn('ktoa', 3_070);
    const { folder, manifest } = built;
    // As many numbers of acme as the base has, but one of them is another one.
    const path = catalogueOf(HOLDERS, 3_070, {
      acme: linesOf('acme', 3_000).replace('+821020000000,', '+821020000001,'),
    });
    const other = await buildAs(null, path);
    for (const { key } of blobsOf(other.manifest))
      writeFileSync(join(folder.path, 'values', fileOfKey(key)), other.folder.value(key));
    const { shards, ranges, sources } = other.manifest;
    const signed = await signManifest({ ...manifest, shards, ranges, sources }, SIGNING_KEY);
    writeFileSync(join(folder.path, 'manifest.json'), JSON.stringify(signed));
    expect((await prove(folder, STEP, () => root)).wrong).toBeGreaterThan(0);
  });

  it('whose carried lists differ from the base is not proven', async () => {
    const built = await buildOwn('ktoa', 3_060);
    // The lists of acme are not those of this other base.
    const other = await buildAs(null, catalogueOf(HOLDERS, 2_000));
    const at = (name: string): string => join(built.folder.path, name);
    writeFileSync(at('base.json'), readFileSync(join(other.folder.path, 'manifest.json')));
    const { message } = await failureOf(() => prove(built.folder, STEP, () => root));
    expect(message).toBe(`base.json is not the base of ${built.manifest.release}: build again`);
  });

  it('keeps the order of all other lists', () => {
    const base = (...names: readonly string[]) =>
      ({
        lists: names.map((name) => ({ name, authority: name.replace(/^live-|\d$/g, '') })),
      }) as unknown as Manifest;
    const own = { lists: [{}, {}], inputs: [] } as unknown as Parameters<typeof originsFor>[1];
    const orderIn = (...names: readonly string[]): string[] =>
      originsFor('b', own, base(...names)).map(({ from, index }) =>
        from === 'base' ? names[index]! : `new${index}`,
      );
    expect(orderIn('a1', 'b1', 'c1', 'b2', 'live-a', 'live-b')).toEqual([
      'a1',
      'new0',
      'new1',
      'c1',
      'live-a',
      'live-b',
    ]);
    expect(orderIn('a1', 'live-a', 'live-b')).toEqual(['a1', 'new0', 'new1', 'live-a', 'live-b']);
    expect(orderIn('a1')).toEqual(['a1', 'new0', 'new1']);
    expect(orderIn()).toEqual(['new0', 'new1']);
  });
});

describe('two organisations with keys of their own', () => {
  const countsNow = async (): Promise<number[]> => {
    const { lists } = await root.get<{ lists: Manifest['lists'] }>('lists');
    return lists.filter(({ name }) => !name.startsWith('live-')).map(({ numbers }) => numbers);
  };

  it('push in turn, through the API and with wrangler alone, and change only their own lists', async () => {
    // Live entries of both, which stay in the live layer.
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
        `BASE_MOVED: it has the lists of others as ${base} has them, and ${now} is current: build again`,
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

describe('build --authority refuses', () => {
  it('an authority that no organisation has', async () => {
    const { message } = await failureOf(() => buildAs('ktoa', catalogueOf(['ktoa'], 10), 'ktao'));
    expect(message).toContain('--authority: no organisation has the authority ktao; they have acme, ');
    expect(message).toContain('See npx numgate organisations list');
  });

  it('a catalogue with lists of another authority', async () => {
    const path = catalogueOf(HOLDERS, 10);
    const { message } = await failureOf(() => buildAs('ktoa', path, 'ktoa'));
    expect(message).toBe(
      `${path}: lists of other authorities than ktoa: acme-list (acme). Remove them from the catalogue: ` +
        'a build with --authority takes the lists of others from the current release',
    );
  });

  it('a list with the name of another authority’s list', async () => {
    const path = catalogue('named.json', { lists: [{ ...listOf('ktoa'), name: 'acme-list' }] });
    const { message } = await failureOf(() => buildAs('ktoa', path, 'ktoa'));
    expect(message).toMatch(/list acme-list: \S+ has a list of acme with this name\. Choose another name$/);
  });
});
