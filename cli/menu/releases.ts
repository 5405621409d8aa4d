/** Commands that turn files into a current release. */
import { type Command, Option } from 'commander';
import type { Promote } from '../../shared/admin.ts';
import type { Guard } from '../../shared/release/guards.ts';
import { adminOfEnvironment } from '../admin.ts';
import { build } from '../commands/build.ts';
import { type PlanResult, plan } from '../commands/plan.ts';
import { prove, QUICK_STEP } from '../commands/prove.ts';
import { type PushSettings, push, pushStaged } from '../commands/push.ts';
import { listReleases, promote, rollback } from '../commands/releases.ts';
import { sample } from '../commands/sample.ts';
import { CommandFailure } from '../failure.ts';
import { type CliOptions, withOverrideHint } from '../override-hint.ts';
import { BUILDS, DEMO_CATALOGUE } from '../paths.ts';
import { kvOf, type Target } from '../publish/wrangler.ts';
import * as report from '../report.ts';
import * as releaseReport from '../report-releases.ts';
import { count } from '../terminal/figures.ts';
import {
  addReasonOption,
  addTargetOptions,
  addWaitOptions,
  canaryShare,
  example,
  folderOf,
  guards,
  type Print,
  printChange,
  reasonOf,
  share,
  type Waiting,
  wholeNumber,
} from './options.ts';

export function addReleases(program: Command, print: Print): void {
  const building = program
    .command('build')
    .description('build a signed release from a catalogue and the current live entries')
    .argument('[catalogue]', 'catalogue of lists and inputs (JSON)', DEMO_CATALOGUE)
    .option('--out <folder>', 'folder for built releases', BUILDS)
    .option('--max-rejects <share>', 'share of a file that may be rejected', share, 0.01)
    .option('--allow-empty', 'accept an input file without entries', false)
    .option('--offline', 'do not contact the service: no live entries, no base release', false)
    .action(async (catalogue: string, { out, offline, ...options }: BuildOptions) => {
      const admin = offline ? null : adminOfEnvironment();
      print(...report.buildReport(await build({ catalogue, builds: out, admin, ...options })));
    });
  example(building, 'build my.lists.json');

  const proving = program
    .command('prove')
    .description('check a build: every number of 010 and every listed number; 0 may be wrong')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .option(
      '--quick',
      `check one 010 number in ${QUICK_STEP} and every listed number; push does not accept this as proof`,
      false,
    )
    .action(async (path: string | undefined, { quick }: { quick: boolean }) => {
      const result = await prove(folderOf(path), quick ? QUICK_STEP : 1);
      print(...report.proofReport(result));
      if (result.wrong !== 0) throw new CommandFailure('the release must not be published');
    });
  example(proving, 'prove');

  const planning = program
    .command('plan')
    .description('show what a push would change and which guards it would hit')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .action(async (path: string | undefined) => {
      print(...releaseReport.planned(await plan(folderOf(path), adminOfEnvironment())));
    });
  example(planning, 'plan');

  addPush(program, print);
  addSteps(program, print);

  const sampling = program
    .command('sample')
    .description('write a seeded sample list of suspended and terminated Korean numbers')
    .option('--size <numbers>', 'how many, up to 40,000,000', wholeNumber, 1_000_000)
    .option('--seed <number>', 'the same seed gives the same list', wholeNumber, 1)
    .option('--out <file>', 'gzipped CSV to write', 'build/demo/kr-sample.csv.gz')
    .action(async (options: { size: number; seed: number; out: string }) => {
      await sample(options);
      print(`${count(options.size)} numbers in ${options.out}\n`, options);
    });
  example(sampling, 'sample --size 5000000');
}

interface BuildOptions {
  readonly out: string;
  readonly offline: boolean;
  readonly maxRejects: number;
  readonly allowEmpty: boolean;
}

interface PushOptions extends Target, Waiting, Pick<PushSettings, 'unproven' | 'all' | 'share'> {
  readonly plan?: string;
  readonly reason?: string;
  readonly override: Guard[];
  readonly staged: boolean;
}

function addPush(program: Command, print: Print): void {
  const pushing = addWaitOptions(stepped(addTargetOptions(program.command('push'))))
    .description('publish a proven release: upload new values, then promote it')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .option(
      '--share <share>',
      'share of the data centres for a canary; promote extends it to all',
      canaryShare,
      1,
    )
    .addOption(
      new Option('--staged', 'upload only; the cron promotes it (needs no token)')
        .default(false)
        // The cron promotes to all data centres, accepts no override, and waits for nobody.
        .conflicts(['override', 'plan', 'share', 'reason', 'wait']),
    )
    .option('--all', 'upload every value, even those already in KV (to repair a damaged one)', false)
    .option('--unproven', 'publish without a full proof', false)
    .action(async (path: string | undefined, options: PushOptions) => {
      const { plan: seen = null, override: overrides, reason: given, ...settings } = options;
      const reason = reasonOf(given, 'numgate push', overrides);
      const folder = folderOf(path);
      const kv = kvOf(options);
      if (options.staged) {
        print(...releaseReport.staged(await pushStaged(folder, kv, options)));
        return;
      }
      const ports = { kv, admin: adminOfEnvironment() };
      const onPlan = (created: PlanResult): void =>
        void process.stderr.write(releaseReport.planSummary(created));
      const operation = { ...settings, plan: seen, overrides, reason };
      const result = await push(folder, ports, operation, onPlan).catch((error: unknown) => {
        throw withOverrideHint(error, ['push', folder.path], cliOptionsOf(options));
      });
      await printChange(print, releaseReport.pushed(result, overrides), options);
    });
  example(pushing, 'push --plan 3f0c… --override removes --reason "ticket 4711"', 'push --share 0.1');
}

/** Options of commands that make a release current. */
function stepped(command: Command): Command {
  return command
    .option('--plan <hash>', 'only if the plan still has this hash')
    .option(
      '--override <guard>',
      'override a guard that the change hits; repeatable; requires --reason',
      guards,
      [],
    )
    .option('--reason <text>', `reason for the audit log (default: "numgate ${command.name()}")`);
}

/** The options that differ from the defaults. */
function cliOptionsOf({ share: part, url, ...options }: PushOptions | StepOptions): CliOptions {
  return { ...options, share: part < 1 ? part : undefined, url };
}

interface StepOptions extends Waiting, Pick<Promote, 'share'> {
  readonly reason?: string;
  readonly plan?: string;
  readonly override: Guard[];
}

function addSteps(program: Command, print: Print): void {
  const promoting = addWaitOptions(stepped(program.command('promote')))
    .description('make a pushed release current, for a share of the data centres or for all')
    .argument('<release>')
    .option('--share <share>', 'share of the data centres', canaryShare, 1)
    .addHelpText(
      'after',
      `
Promoting a canary to all checks the guards again: repeat the --override options of the canary.`,
    )
    .action(async (release: string, options: StepOptions) => {
      const { share: part, plan: seen, override: overrides } = options;
      const reason = reasonOf(options.reason, 'numgate promote', overrides);
      const operation = { share: part, reason, overrides, ...(seen === undefined ? {} : { plan: seen }) };
      const done = await promote(adminOfEnvironment(), release, operation).catch((error: unknown) => {
        throw withOverrideHint(error, ['promote', release], cliOptionsOf(options));
      });
      await printChange(print, releaseReport.promoted(done, overrides), options);
    });
  example(promoting, 'promote 20261124T0312Z-9f2c1e4b --share 0.5');

  const rolling = addWaitOptions(addReasonOption(program.command('rollback')))
    .description('undo the last promotion: withdraw the canary if there is one, else the current release')
    .option('--release <name>', 'only if this release would be withdrawn')
    .action(async ({ release, reason, ...options }: Waiting & { release?: string; reason: string }) => {
      const done = await rollback(adminOfEnvironment(), {
        reason,
        ...(release === undefined ? {} : { release }),
      });
      await printChange(print, releaseReport.rolledBack(done), options);
    });
  example(rolling, 'rollback --reason "blocks customers of one operator" --wait');

  const listing = program
    .command('releases')
    .description('list releases, and why one was refused')
    .action(async () => print(...releaseReport.releasesOf(await listReleases(adminOfEnvironment()))));
  example(listing, 'releases');
}
