/**
 * Helpers of the tests of pushing: builds of a sample on the current release, and pushes into the test
 * service.
 */
import { type BuildResult, build } from '../../../cli/commands/build.ts';
import { type PushResult, type PushSettings, push } from '../../../cli/commands/push.ts';
import { sample } from '../../../cli/commands/sample.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import { ABROAD, pathOf } from './builds.ts';
import { startTestService, type TestService } from './service.ts';
import { BUILDS, catalogue, OVERSEAS, SUSPENDED, write } from './workspace.ts';

/** Enough numbers that 010 has its own shards. */
export const SAMPLE_SIZE = 130_000;
export const SETTINGS: PushSettings = {
  ...{ unproven: true, reason: 'a test' },
};

export interface Publishing extends TestService {
  /** Builds the sample, with these numbers and sources abroad. */
  buildWith(abroad: readonly string[]): Promise<BuildResult>;
  /** Builds a release that differs from all previous ones. */
  anotherBuild(): Promise<BuildResult>;
  publish(build: BuildResult, settings?: Partial<PushSettings>): Promise<PushResult>;
  status(): Promise<StatusInfo>;
  /** The current release. */
  current(): Promise<string | undefined>;
}

/** Replaces the sample for all later builds. */
export function sampleOf(size: number, seed: number): Promise<void> {
  return sample({ size, seed, out: pathOf('home.csv.gz') });
}

export async function startPublishing(): Promise<Publishing> {
  const service = await startTestService();
  const { admin } = service;
  await sampleOf(SAMPLE_SIZE, 1);
  let differing = 0;
  const buildWith = (abroad: readonly string[]): Promise<BuildResult> => {
    write('abroad.txt', abroad.join('\n'));
    const home = { ...SUSPENDED, authority: 'sample' };
    const path = catalogue('lists.json', {
      lists: [home, { ...home, name: 'terminated', reason: 'NUMBER_TERMINATED' }, OVERSEAS],
      inputs: [{ file: 'home.csv.gz' }, { file: 'abroad.txt', list: 'overseas' }],
    });
    return build({ catalogue: path, builds: BUILDS, maxRejects: 0, admin });
  };
  const status = (): Promise<StatusInfo> => admin.get('status');
  return {
    ...service,
    buildWith,
    anotherBuild: () => buildWith([...ABROAD, `+1415555${String(2_000 + differing++)}`]),
    publish: ({ folder }, settings = {}) => push(folder, service, { ...SETTINGS, ...settings }),
    status,
    current: async () => (await status()).current?.release,
  };
}
