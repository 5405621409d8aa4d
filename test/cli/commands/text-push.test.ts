/** Text releases against the real service: plan, push, canary, promotion and rollback, and the state after a failure. */
import '../support/workspace.ts';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import { buildText, type TextBuildResult } from '../../../cli/commands/text-build.ts';
import { planText } from '../../../cli/commands/text-plan.ts';
import { pushText } from '../../../cli/commands/text-push.ts';
import { needsOldKey } from '../../../cli/text/key-needs.ts';
import { readModelFolder } from '../../../cli/text/model-folder.ts';
import { modelInForce, releaseInFolder, releaseInForce } from '../../../cli/text/open-release.ts';
import { parseHostsOption } from '../../../cli/text/text-catalogue.ts';
import type { TextReleaseList, TextStatus } from '../../../shared/admin/text.ts';
import { toBase64 } from '../../../shared/bytes.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { failureOf } from '../support/failing.ts';
import { startTestService } from '../support/service.ts';
import { FACTS, modelFolder, ORDINARY, SPAM } from '../support/texts.ts';
import { file, rows } from '../support/training.ts';
import { BUILDS, FOLDER, SECRETS, write } from '../support/workspace.ts';

const builds = join(BUILDS, 'text');
const hosts = (lines: readonly string[]) =>
  parseHostsOption(`phishing=${write('hosts.txt', lines.join('\n'))}:block:kisa`)!;
const MANY = Array.from({ length: 100 }, (_, index) => `phish-${index}.example.com`);
/** Long enough to have a fingerprint. */
const LONG = `${SPAM} Reply with your name and address before midnight, or the next winner gets it instead.`;
let admin: Admin;
let canaryTexts: string;
let first: TextBuildResult;
let second: TextBuildResult;

const text = (...args: string[]): Promise<CommandResult> => numgate('text', ...args);
const status = (): Promise<TextStatus> => admin.get('text/status');
const states = async (): Promise<Record<string, string>> => {
  const { releases } = await admin.get<TextReleaseList>('text/releases');
  return Object.fromEntries(releases.map(({ release, state }) => [release, state]));
};

beforeAll(async () => {
  ({ admin } = await startTestService());
  canaryTexts = write('canaries.txt', ORDINARY);
  first = await buildText({ builds, admin, model: modelFolder('model'), hosts: [hosts(MANY)], canaryTexts });
});

describe('a text release', () => {
  it('is planned without being sent', async () => {
    const compared = await text('train', 'none.csv', '--out', join(FOLDER, 'never'), '--in-force');
    expect([compared.code, compared.errors]).toEqual([1, expect.stringContaining('no model is in force')]);
    const plan = await planText(first.folder, admin);
    expect(plan).toMatchObject({ base: null, guards: [] });
    expect(plan.hostLists).toEqual([
      { list: 'phishing', added: 100, removed: 0, before: null, after: 'block' },
    ]);
    expect(await states()).toEqual({});
    const ours = write('text.txt', LONG);
    const alone = await text('explain', '--campaigns', '--file', ours, '--json');
    expect([alone.code, JSON.parse(alone.out)]).toMatchObject([
      0,
      { release: null, score: null, hostListsLookedUp: false, campaignState: 'none', sent: true },
    ]);
    const without = await text('explain', '--file', ours);
    expect([without.code, without.errors]).toEqual([
      1,
      expect.stringContaining('only campaigns with --campaigns'),
    ]);
    const short = ['--file', write('short.txt', `${LONG}\nhi\n`), '--until', '30d', '--reason', 'a test'];
    expect((await text('campaigns', 'add', ...short)).errors).toMatch(/short\.txt, line 2: is too short/);
    const { code, out } = await text('plan', first.folder.path);
    expect([code, out]).toEqual([0, expect.stringContaining('no text release is in force')]);
  });

  it('is pushed once, however often the command runs', async () => {
    const { release } = first.manifest;
    const one = await text('push', first.folder.path, '--json');
    const two = await text('push', first.folder.path, '--json');
    expect([one.code, two.code, JSON.parse(one.out)]).toMatchObject([0, 0, { release, state: 'pushed' }]);
    expect(JSON.parse(two.out)).toEqual(JSON.parse(one.out));
    expect(await states()).toEqual({ [release]: 'pushed' });
    expect((await status()).current).toBeNull();
  });

  it('is promoted, and its model and hosts come back as they were built', async () => {
    const { release } = first.manifest;
    const { code, out } = await text('promote', release);
    expect([code, out]).toEqual([0, `${release} is in force in all data centres\n`]);
    expect((await status()).current).toBe(release);
    const inForce = await releaseInForce(admin);
    expect([...inForce!.hosts!.table.rows()].length).toBe(100);
    expect(await modelInForce(admin)).toEqual(readModelFolder(join(FOLDER, 'model')));
    const listed = await text('releases');
    expect(listed.out).toMatch(new RegExp(`${release} │ in force`));
    const shown = (await text('status')).out;
    expect(shown).toContain(`in force: ${release}`);
    expect(shown).toMatch(/\nID of TEXT_KEY: [0-9a-f]{16}\nstate 1\n/);
  });

  it('has the model that others are compared with', async () => {
    const given = ['evaluate', join(FOLDER, 'model'), file('labelled.csv', rows), '--in-force', '--json'];
    const { code, out } = await text(...given);
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      // Both are the same model.
      { comparisons: [{ name: 'tested', leftOut: null, recalls: [{ difference: { difference: 0 } }] }] },
    ]);
  });

  it('explains a text on this machine: score, band, families, hosts', async () => {
    const path = write('text.txt', `${SPAM} https://www.phish-7.example.com/x\n`);
    const { code, out } = await text('explain', '--file', path, '--json');
    expect([code, JSON.parse(out)]).toMatchObject([
      0,
      {
        ...{
          release: first.manifest.release,
          model: 'tested',
          band: 'suspicious',
          sent: false,
          campaign: null,
        },
        hosts: [{ host: 'www.phish-7.example.com', list: 'phishing', effect: 'block' }],
      },
    ]);
    const shown = await text('explain', first.folder.path, '--file', write('ordinary.txt', ORDINARY));
    expect(shown.out).toMatch(/band ordinary[\s\S]*no host\n[\s\S]*the text was not sent anywhere\n$/);
  });

  it('explains the campaign of a text with the service, which then gets the text', async () => {
    const until = new Date(Date.now() + 86_400_000).toISOString();
    await admin.change('POST', 'text/campaigns', { texts: [LONG], until, reason: 'a test' });
    const path = write('similar.txt', LONG.replace('900', '1,200'));
    const { code, out } = await text('explain', '--file', path, '--campaigns', '--json');
    expect([code, JSON.parse(out)]).toMatchObject([0, { campaign: 'c-1', sent: true }]);
    expect((await text('status')).out).toContain('campaigns: 1 confirmed\n');
  });

  it('needs the old key while it is in force', async () => {
    const { listKeyIds } = await status();
    expect(listKeyIds.length).toBe(1);
    expect(await needsOldKey(admin, listKeyIds[0]!)).toBe(false);
    expect(await needsOldKey(admin, 'another')).toBe(true);
  });

  it('is sealed with the new key of a rotation as it was, with the counts of its canary texts', async () => {
    const { LIST_KEY = '' } = process.env;
    const added = toBase64(Uint8Array.from({ length: 32 }, () => 9));
    try {
      process.env.LIST_KEY = `${added},${LIST_KEY}`;
      const settings = { builds: join(BUILDS, 'again'), admin, keepModel: true, keepHosts: true };
      const { folder, manifest } = await buildText(settings);
      process.env.LIST_KEY = added;
      const { model, hosts: again } = await releaseInFolder(folder);
      expect(model?.info).toEqual({ ...FACTS, value: manifest.model?.value });
      expect([...again!.table.rows()].map(({ host }) => host)).toEqual([...MANY].sort());
      expect(manifest.canaryTexts).toEqual({ texts: 1, blocked: 0, suspicious: 0 });
      expect(manifest.model?.value).not.toEqual(first.manifest.model?.value);
    } finally {
      process.env.LIST_KEY = LIST_KEY;
    }
  });

  it('keeps the model in force, and hits a guard if it loses hosts', async () => {
    second = await buildText({
      builds,
      admin,
      keepModel: true,
      hosts: [hosts(MANY.slice(0, 50))],
      canaryTexts,
    });
    expect(second.manifest).toMatchObject({ base: first.manifest.release, model: FACTS });
    const plan = await planText(second.folder, admin);
    expect(plan.hostLists).toEqual([
      { list: 'phishing', added: 0, removed: 50, before: 'block', after: 'block' },
    ]);
    expect(plan.guards.map(({ guard }) => guard)).toEqual(['fewer-hosts']);
    const refused = await text('push', second.folder.path, '--canary', '0.5');
    expect([refused.code, refused.errors]).toEqual([
      3,
      expect.stringMatching(/GUARD_HIT: [\s\S]*fewer-hosts: phishing: .* --override fewer-hosts\n/),
    ]);
    const { release } = second.manifest;
    expect(refused.errors).toContain(`${release} was sent to the service, but was not put into force\n`);
    const next = `npx numgate text promote ${release} --share 0.5 --override fewer-hosts --reason "…"`;
    expect(refused.errors).toContain(`to put it into force anyway:\n  ${next}\n`);
    const both = ['--override', 'older-base', '--reason', 'a test'];
    const again = await failureOf(() =>
      pushText(second.folder, admin, { share: 1, reason: 'a test', overrides: ['older-base'] }),
    );
    expect(again.details).toMatchObject({
      ...{ code: 'GUARD_HIT', exitCode: 3, pushed: release },
      command: `npx numgate text promote ${release} --override older-base --override fewer-hosts --reason "…"`,
    });
    const dryPush = (...given: string[]) => text('push', second.folder.path, '--dry-run', ...given);
    const { path } = second.folder;
    const all = await dryPush('--promote', ...both);
    expect([all.code, all.out]).toEqual([
      0,
      expect.stringContaining(
        `data centres:\n  npx numgate text push ${path} --promote --override fewer-hosts --reason "…"\n`,
      ),
    ]);
    expect(all.out).toContain('--override older-base was not needed: the release does not hit this guard\n');
    expect((await dryPush('--canary', '0.3')).out).toMatch(
      /to 30 % of the data centres:\n.* --canary 0.3 --o/,
    );
    expect((await dryPush()).out).toContain(`To send it to the service:\n  npx numgate text push ${path}\n`);
    expect((await status()).candidate).toBeNull();
    const dry = await text('promote', second.manifest.release, '--dry-run');
    expect([dry.code, dry.out]).toEqual([
      0,
      expect.stringMatching(/nothing was changed\nguards are hit:\n {2}fewer-hosts: /),
    ]);
  });

  it('becomes a canary with an override and a reason, is withdrawn, and is rolled back', async () => {
    const { release } = second.manifest;
    const override = ['--override', 'fewer-hosts'];
    const without = await text('promote', release, '--share', '0.5', ...override);
    expect([without.code, without.errors]).toEqual([
      2,
      expect.stringContaining('--override requires --reason'),
    ]);
    const canary = await text(
      'promote',
      release,
      '--share',
      '0.5',
      ...override,
      '--reason',
      'sites are gone',
    );
    expect([canary.code, canary.out]).toEqual([
      0,
      expect.stringContaining('is the canary in 50 % of the data centres'),
    ]);
    expect(canary.out).toContain(`promote ${release} --override fewer-hosts --reason "…"\n`);
    expect(canary.out).not.toContain('was not needed');
    expect((await status()).candidate).toEqual({ release, share: 0.5 });
    const withdrawn = await text('withdraw', release, '--reason', 'a test');
    expect(withdrawn.out).toBe(`${release} was withdrawn; ${first.manifest.release} is in force\n`);
    const pushed = await text('push', second.folder.path, '--promote', ...override, '--reason', 'a test');
    expect([pushed.code, (await status()).current]).toEqual([0, release]);
    const inForce = await text('plan', second.folder.path);
    expect(inForce.out).toMatch(/\nit is already in force: a push changes nothing\n$/);
    expect(inForce.out).not.toContain('guard');
    const back = await text('rollback', '--reason', 'a test');
    expect([back.code, (await status()).current]).toEqual([0, first.manifest.release]);
    expect(await states()).toMatchObject({ [release]: 'withdrawn', [first.manifest.release]: 'current' });
  });

  it('hits a guard with canary texts of the plan, which are not sent', async () => {
    const ours = write('ours.txt', [ORDINARY, SPAM].join('\n'));
    const shown = await text('plan', second.folder.path, '--canary-texts', ours);
    expect(shown.out).toContain('0 of 2 canary texts blocked, 1 suspicious: line 2\n');
    const plan = await text('plan', second.folder.path, '--canary-texts', ours, '--json');
    const { guards, hitLines, canaryTexts: counts } = JSON.parse(plan.out);
    expect(guards.map(({ guard }: { guard: string }) => guard)).toContain('canary-text');
    expect([hitLines, counts]).toEqual([[2], { texts: 2, blocked: 0, suspicious: 1 }]);
    expect(plan.out).not.toContain('prize');
  });
});

describe('a push', () => {
  it('sends nothing if a value of the folder was altered', async () => {
    const altered = await buildText({ builds, admin, hosts: [hosts(['new.example.com'])] });
    const values = join(altered.folder.path, 'values');
    const [name] = readdirSync(values) as [string];
    const bytes = readFileSync(join(values, name));
    bytes[bytes.length - 1]! ^= 1;
    write(join(values, name).slice(FOLDER.length + 1), bytes);
    const before = await states();
    const failure = await failureOf(() => pushText(altered.folder, admin, { share: null, reason: 'a test' }));
    expect(failure.message).toMatch(/was altered since the build: build again/);
    expect(await states()).toEqual(before);
  });

  it('of a release that another LIST_KEY sealed is refused by the service', async () => {
    const { LIST_KEY } = process.env;
    process.env.LIST_KEY = toBase64(Uint8Array.from({ length: 32 }, () => 7));
    const foreign = await buildText({ builds, admin: null, hosts: [hosts(['new.example.com'])] });
    process.env.LIST_KEY = LIST_KEY ?? SECRETS.LIST_KEY;
    const failure = await failureOf(() => pushText(foreign.folder, admin, { share: null, reason: 'a test' }));
    expect(failure.details).toMatchObject({ code: 'RELEASE_REFUSED', exitCode: 1 });
    expect(failure.message).toContain('KEY_FOREIGN');
    expect(Object.keys(await states())).not.toContain(foreign.manifest.release);
  });
});
