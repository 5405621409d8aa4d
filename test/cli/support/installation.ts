/** A service with a small release and a client. Tests change it through the command line. */
import { expect } from 'vitest';
import { type BuildResult, build } from '../../../cli/commands/build.ts';
import { push } from '../../../cli/commands/push.ts';
import { ABROAD, HOME, inputsOf } from './builds.ts';
import { numgate } from './command.ts';
import { startTestService, type TestService } from './service.ts';
import { BUILDS } from './workspace.ts';

/** A number that no input lists. */
export const NUMBER = '010-9999-1234';
export const E164 = '+821099991234';

export interface Installation extends TestService {
  /** Key of a client that may check. */
  readonly key: string;
  /** Builds on the current release and makes the new release current. */
  publish(): Promise<BuildResult>;
}

export async function startInstallation(): Promise<Installation> {
  const service = await startTestService();
  const key = (await numgate('clients', 'add', 'acme')).out.trim();
  const publish = async (): Promise<BuildResult> => {
    const catalogue = inputsOf('installed', HOME, ABROAD);
    const built = await build({ catalogue, builds: BUILDS, maxRejects: 0, admin: service.admin });
    await push(built.folder, service, {
      ...{ unproven: true, reason: 'a test' },
    });
    return built;
  };
  await publish();
  return { ...service, key, publish };
}

/** Runs a command that makes a change. @returns its `seq` */
export async function makeChange(...args: string[]): Promise<number> {
  const { code, out, errors } = await numgate(...args, '--reason', 'ticket 4711', '--json');
  expect([code, errors]).toEqual([0, '']);
  return (JSON.parse(out) as { seq: number }).seq;
}
