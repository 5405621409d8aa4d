/**
 * `numgate list-key`: show the keys in LIST_KEY, rotate to a new one, and remove the old one. The steps are in
 * cli/commands/key-rotation.ts.
 */
import { accessSync, constants } from 'node:fs';
import type { Command } from 'commander';
import { adminOfEnvironment } from '../admin.ts';
import { CommandFailure, describeFileError } from '../failure.ts';
import { readCatalogue } from '../import/catalogue.ts';
import { listKeyStore } from '../local/list-key-store.ts';
import { BUILDS } from '../paths.ts';
import { kvOf, putSecret } from '../publish/wrangler.ts';
import { listKeyRing, publicKeys, signingKey } from '../secrets.ts';
import { note, print, type Report } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import { RESEAL_TEXTS } from '../text/key-needs.ts';
import { build, DROP_UNKNOWN, formatBuild, SOURCE_NAMES } from './build.ts';
import {
  finish,
  type RotationPorts,
  type RotationState,
  rotate,
  rotationState,
  type STEPS,
} from './key-rotation.ts';
import { examples, requireReason, share } from './options.ts';
import { formatProof, prove } from './prove.ts';
import { formatPush, push } from './push.ts';
import { edgeOption, healthOf, urlsOf } from './watch.ts';

interface TargetOptions {
  readonly remote: boolean;
  readonly env: readonly string[];
  readonly url: readonly string[];
  readonly keyFile?: string;
}

interface RotateOptions extends TargetOptions {
  readonly reason: string;
  readonly maxRejects: number;
  readonly sourceNames?: string;
  readonly dropUnknownSources: boolean;
}

interface FinishOptions extends TargetOptions {
  readonly dropReleases: boolean;
  readonly dropRecords: boolean;
}

const PLAN = `How "list-key rotate" rotates from key A to key B:
  1/4 every Worker gets both keys, and still writes with A; the command waits until all have both
  2/4 every Worker writes with B
  3/4 the coordinator re-keys what it stores, in one transaction
  4/4 build, prove and push the lists with B
Then "list-key finish" removes A, once nothing needs it. To continue after an interruption, run the same command.
`;

export function addListKey(program: Command): void {
  const command = program.command('list-key').description('rotate LIST_KEY without downtime');

  addKeyFile(command.command('status'))
    .description('show the keys, the next step of a rotation, and what still needs the old key')
    .addHelpText('after', examples('list-key status'))
    .action(async ({ keyFile }: Pick<TargetOptions, 'keyFile'>) => {
      const state = await rotationState({
        admin: adminOfEnvironment(),
        store: listKeyStore(keyFile ?? null, false),
      });
      print(...formatState(state));
    });

  addTarget(requireReason(command.command('rotate').argument('<catalogue>', 'catalogue of the lists (JSON)')))
    .description('make a new key, and move everything to it; after an interruption, run it again to continue')
    .option('--max-rejects <share>', 'share of the lines of a file that may be rejected', share, 0.01)
    .option('--source-names <file>', SOURCE_NAMES)
    .option('--drop-unknown-sources', DROP_UNKNOWN, false)
    .addHelpText('after', examples('list-key rotate my.lists.json --reason "yearly rotation"'))
    .action(async (catalogue: string, options: RotateOptions) => {
      const ports = portsOf(options, () => publish(catalogue, options));
      await checkInputs(catalogue, options);
      note(PLAN);
      print(...formatState(await rotate(ports, options)));
    });

  addTarget(command.command('finish'))
    .description('remove the old key from every Worker, once nothing needs it')
    .option('--drop-releases', 'finish even if a rollback could still need a release with the old key', false)
    .option(
      '--drop-records',
      'finish even if block records with the old key are kept, which then become unreadable',
      false,
    )
    .addHelpText('after', examples('list-key finish --drop-records'))
    .action(async (options: FinishOptions) => {
      const ports = portsOf(options, async () => undefined);
      print(...formatState(await finish(ports, options)));
    });
}

function addKeyFile(command: Command): Command {
  return command.option(
    '--key-file <file>',
    'file that stores the keys, if LIST_KEY comes from the environment',
  );
}

function addTarget(command: Command): Command {
  return addKeyFile(command)
    .option(
      '--remote',
      'rotate the deployed Workers: set their secrets with wrangler, and use their KV',
      false,
    )
    .option(
      '--env <name>',
      'environment of wrangler.toml with a Worker; repeatable (default: the top level)',
      (name: string, before: readonly string[]) => [...before, name],
      [],
    )
    .addOption(edgeOption());
}

function portsOf(
  { remote, env, url, keyFile }: TargetOptions,
  publishNow: () => Promise<void>,
): RotationPorts {
  const workers = env.length === 0 ? [''] : env;
  const store = listKeyStore(keyFile ?? null);
  return {
    admin: adminOfEnvironment(),
    edges: urlsOf(url),
    store,
    deploy: async (listKey) => {
      if (!remote) return store.write(listKey);
      for (const name of workers) await putSecret('LIST_KEY', listKey, name);
    },
    publish: publishNow,
    report: (text) => note(`${styleText('dim', text)}\n`),
  };
}

/**
 * Checks the inputs of step 4 before step 1 changes anything.
 * @throws CommandFailure that names what is missing
 */
async function checkInputs(catalogue: string, { sourceNames, url }: RotateOptions): Promise<void> {
  const { inputs } = readCatalogue(catalogue);
  const named = sourceNames === undefined ? [] : [sourceNames];
  for (const path of [...inputs.map((input) => input.path), ...named]) checkReadable(path);
  await listKeyRing();
  await signingKey();
  await publicKeys();
  for (const edge of urlsOf(url)) {
    if ((await healthOf(edge)) === null) throw new CommandFailure(`no response from ${edge}: check --url`);
  }
}

function checkReadable(path: string): void {
  try {
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw new CommandFailure(`${path}: ${describeFileError(error)}`);
  }
}

async function publish(
  catalogue: string,
  { remote, env, reason, maxRejects, sourceNames, dropUnknownSources }: RotateOptions,
): Promise<void> {
  const admin = adminOfEnvironment();
  const names = { sourceNames: sourceNames ?? null, dropUnknownSources };
  const step = (text: string): void => note(`${styleText('dim', `    ${text}`)}\n`);
  step(`building ${catalogue}`);
  const built = await build({ catalogue, builds: BUILDS, maxRejects, admin, ...names });
  note(formatBuild(built)[0]);
  step('proving: every number of 010 is looked up, which takes minutes');
  note(formatProof(await prove(built.folder, 1))[0]);
  step('pushing');
  const ports = { kv: kvOf({ remote, env: env[0] ?? '' }), admin };
  note(formatPush(await push(built.folder, ports, { reason }), [])[0]);
}

const NEXT: Readonly<Record<(typeof STEPS)[number], string>> = {
  new: 'no rotation is under way',
  readers: 'next: 1/4, every Worker gets both keys',
  writers: 'next: 2/4, every Worker writes with the new key',
  coordinator: 'next: 3/4, the coordinator re-keys what it stores',
  release: 'next: 4/4, a release with the new key',
  finish: 'everything new uses the first key; next: npx numgate list-key finish',
};

export function formatState(state: RotationState): Report<RotationState> {
  const { step, keyIds, service, needs } = state;
  const lines = [
    `${styleText('bold', NEXT[step])}`,
    `keys on this machine: ${keyIds.join(', ')}; in the service: ${service.ids.join(', ')}`,
    `the coordinator stores everything under ${service.current}`,
    ...(keyIds.length > 1 && needs.releases.length > 0
      ? [`finish needs two more pushes, or --drop-releases: ${needs.releases.join(', ')} need the old key`]
      : []),
    ...(keyIds.length > 1 && needs.registrations && step === 'finish'
      ? ['finish has to wait until the registry has sealed its changes again, which takes a minute']
      : []),
    ...(keyIds.length > 1 && needs.texts
      ? [`before finish, seal the text release in force with the new key: ${RESEAL_TEXTS}`]
      : []),
    ...(keyIds.length > 1 && needs.recordsUntil !== null
      ? [
          `finish has to wait until ${needs.recordsUntil}, or needs --drop-records: some block records have the old key`,
        ]
      : []),
  ];
  return [`${lines.join('\n')}\n`, state];
}
