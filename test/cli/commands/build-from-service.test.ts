/** Registered senders in `numgate build`, taken from the service or from the current release. */
import '../support/workspace.ts';
import { beforeAll, describe, expect, it } from 'vitest';
import { Admin } from '../../../cli/admin.ts';
import { type BuildResult, build, formatBuild } from '../../../cli/commands/build.ts';
import { plan } from '../../../cli/commands/plan.ts';
import { prove } from '../../../cli/commands/prove.ts';
import { listKeys } from '../../../cli/secrets.ts';
import { blobsOf } from '../../../shared/release/manifest.ts';
import { Release } from '../../../shared/release/release.ts';
import { ShardMemory } from '../../../shared/release/shard-memory.ts';
import { failureOf } from '../support/failing.ts';
import { admins, buildOwn, catalogueOf, HOLDERS, pushAs, root } from '../support/organisations.ts';
import { addSender, allPublished, register, SENDER, SENDER_CLIENT } from '../support/registrations.ts';
import { BUILDS, write } from '../support/workspace.ts';

const NUMBER = '+8215881234';
const RANGE = '+82221230000..+82221230099';
const CLIENT = `${SENDER}/${SENDER_CLIENT}`;
const lists = (): string => catalogueOf(HOLDERS, 3_000);

async function built(registrations?: string | false, admin: Admin | null = root): Promise<BuildResult> {
  return build({ catalogue: lists(), builds: BUILDS, maxRejects: 0, admin, registrations });
}

/** The entries of a release for these numbers of the client. */
async function found({ folder, manifest }: BuildResult, numbers: readonly number[]): Promise<string[]> {
  const release = new Release(manifest, await listKeys(), new ShardMemory(100_000_000));
  for (const blob of blobsOf(manifest)) await release.install(blob, folder.value(blob.key));
  return numbers.map((n) => release.registrations?.find(n, CLIENT) ?? 'no part');
}
const NUMBERS = [82_15_881_234, 82_15_881_235, 822_2123_0000, 822_2123_0099, 822_2123_0100];

let first: BuildResult;
beforeAll(async () => {
  first = await built();
  await pushAs(root, first);
  await addSender(root);
  await register(root, NUMBER);
  await register(root, RANGE, 'delegated');
  await allPublished(root);
});

describe('a build', () => {
  let current: BuildResult;

  it('of an installation without registrations has no part for them', () => {
    expect(first.manifest.registrations).toBeUndefined();
  });

  it('takes those of the service, with the version up to which it has all changes', async () => {
    current = await built();
    expect(await found(current, NUMBERS)).toEqual(['own', 'none', 'registered', 'registered', 'none']);
    const { version } = current.manifest.registrations!;
    expect(version).toBeGreaterThan(0);
    expect(formatBuild(current)[0]).toContain('registered senders: 1 number (1 own) and 1 range of 1 client');
    expect(await prove(current.folder, 5_000)).toMatchObject({ wrong: 0 });
    await pushAs(root, current);
  });

  it('keeps those of the current release with --no-registrations, byte for byte', async () => {
    await register(root, '+8215885678');
    await allPublished(root);
    const kept = await built(false);
    expect(kept.manifest.registrations).toEqual(current.manifest.registrations);
    expect(await found(kept, NUMBERS)).toEqual(await found(current, NUMBERS));
    expect(await prove(kept.folder, 5_000)).toMatchObject({ wrong: 0 });
    const newer = await built();
    expect(newer.manifest.registrations!.ranges).toBe(3);
    expect(newer.manifest.registrations!.version).toBeGreaterThan(current.manifest.registrations!.version);
  });

  it('without the service has none, and with a token that may not read them names the way out', async () => {
    expect((await built(undefined, null)).manifest.registrations).toBeUndefined();
    const reader = new Admin({ url: root.url, token: 'auditor:nothing' });
    const { message } = await failureOf(() => built(undefined, reader));
    expect(message).toMatch(/^UNAUTHENTICATED/);
  });

  it('with changes that the service does not have is refused by the plan', async () => {
    const header = JSON.stringify({ version: 1_000 });
    const ahead = await built(write('ahead.ndjson', `${header}\n`));
    expect((await plan(ahead.folder, root)).refusal?.code).toBe('REGISTRATIONS_AHEAD');
  });

  describe('for one authority', () => {
    it('carries them over, and its key may push it', async () => {
      const own = await buildOwn('ktoa', 3_200);
      expect(own.manifest.registrations).toEqual(current.manifest.registrations);
      expect(await pushAs(admins.ktoa!, own)).toMatchObject({ state: 'promoted' });
    });
  });
});
