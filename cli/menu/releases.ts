/**
 * Commands from files to a release that is current.
 */
import { type Command, Option } from 'commander';
import type { Promote } from '../../shared/admin.ts';
import type { Guard } from '../../shared/release/guards.ts';
import { adminOfEnvironment } from '../admin.ts';
import { build } from '../commands/build.ts';
import { type PlanOutcome, plan } from '../commands/plan.ts';
import { prove, QUICK_STEP } from '../commands/prove.ts';
import { type PushSettings, push, pushStaged } from '../commands/push.ts';
import { listReleases, promote, rollback } from '../commands/releases.ts';
import { sample } from '../commands/sample.ts';
import { CommandFailure } from '../failure.ts';
import { count } from '../figures.ts';
import { type Said, withWayOut } from '../next-step.ts';
import { BUILDS, DEMO_CATALOGUE } from '../paths.ts';
import * as report from '../report.ts';
import * as releaseReport from '../report-releases.ts';
import { kvOf, type Target } from '../wrangler.ts';
import {
  example,
  folderOf,
  guards,
  type Print,
  printChange,
  reasoned,
  reasonOf,
  share,
  targeted,
  trialShare,
  type Waiting,
  waiting,
  wholeNumber,
} from './options.ts';

export function addReleases(program: Command, print: Print): void {
  const building = program
    .command('build')
    .description('build a signed release from the files of a catalogue and the live entries in force')
    .argument('[catalogue]', 'catalogue of lists and inputs (JSON)', DEMO_CATALOGUE)
    .option('--out <folder>', 'folder for built releases', BUILDS)
    .option('--max-rejects <share>', 'share of a file that may be rejected', share, 0.01)
    .option('--allow-empty', 'take a file that lists nothing for what it says', false)
    .option('--offline', 'do not ask the service: without the live entries, upon no release', false)
    .action(async (catalogue: string, { out, offline, ...options }: BuildOptions) => {
      const admin = offline ? null : adminOfEnvironment();
      print(...report.built(await build({ catalogue, builds: out, admin, ...options })));
    });
  example(building, 'build my.lists.json');

  const proving = program
    .command('prove')
    .description('ask a built release every number of 010 and every listed number; wrong answers must be 0')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .option(
      '--quick',
      `ask one number of 010 in ${QUICK_STEP}, and every listed one: no proof for push`,
      false,
    )
    .action(async (path: string | undefined, { quick }: { quick: boolean }) => {
      const outcome = await prove(folderOf(path), quick ? QUICK_STEP : 1);
      print(...report.proven(outcome));
      if (outcome.wrong !== 0) throw new CommandFailure('the release must not be published');
    });
  example(proving, 'prove');

  const planning = program
    .command('plan')
    .description('show what a push would change, and which guards it would hit; changes nothing')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .action(async (path: string | undefined) => {
      print(...releaseReport.planned(await plan(folderOf(path), adminOfEnvironment())));
    });
  example(planning, 'plan');

  addPush(program, print);
  addSteps(program, print);

  const sampling = program
    .command('sample')
    .description('make a seeded list of suspended and terminated Korean numbers')
    .option('--size <numbers>', 'how many, up to 40,000,000', wholeNumber, 1_000_000)
    .option('--seed <number>', 'same seed, same list', wholeNumber, 1)
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
  const pushing = waiting(stepped(targeted(program.command('push'))))
    .description('publish a proven release: upload what is new, then make it current')
    .argument('[folder]', 'folder of the build (default: the newest)')
    .option('--share <share>', 'of the data centres, first; promote takes it to all', trialShare, 1)
    .addOption(
      new Option('--staged', 'upload only, and leave the rest to the cron: needs no token')
        .default(false)
        // The cron promotes to all, hits every guard, and waits for nobody.
        .conflicts(['override', 'plan', 'share', 'reason', 'wait']),
    )
    .option('--all', 'upload every value, also those that are in KV already, as where one is damaged', false)
    .option('--unproven', 'publish without a whole proof', false)
    .action(async (path: string | undefined, options: PushOptions) => {
      const { plan: seen = null, override: overrides, reason: given, ...settings } = options;
      const reason = reasonOf(given, 'lists push', overrides);
      const folder = folderOf(path);
      const kv = kvOf(options);
      if (options.staged) {
        print(...releaseReport.staged(await pushStaged(folder, kv, options)));
        return;
      }
      const ports = { kv, admin: adminOfEnvironment() };
      const onPlan = (made: PlanOutcome): void => void process.stderr.write(releaseReport.planInShort(made));
      const wish = { ...settings, plan: seen, overrides, reason };
      const outcome = await push(folder, ports, wish, onPlan).catch((error: unknown) => {
        throw withWayOut(error, ['push', folder.path], saidOf(options));
      });
      await printChange(print, releaseReport.pushed(outcome, overrides), options);
    });
  example(pushing, 'push --plan 3f0c… --override removes --reason "ticket 4711"', 'push --share 0.1');
}

/** Options of what makes a release current. */
function stepped(command: Command): Command {
  return command
    .option('--plan <hash>', 'only if the plan is still the one that was seen')
    .option(
      '--override <guard>',
      'let the change through a guard that it hits; may be said several times; needs --reason',
      guards,
      [],
    )
    .option('--reason <text>', `why: kept in the audit log (default: "lists ${command.name()}")`);
}

/** What was said, without what is so anyhow. */
function saidOf({ share: part, url, ...options }: PushOptions | StepOptions): Said {
  return { ...options, share: part < 1 ? part : undefined, url };
}

interface StepOptions extends Waiting, Pick<Promote, 'share'> {
  readonly reason?: string;
  readonly plan?: string;
  readonly override: Guard[];
}

function addSteps(program: Command, print: Print): void {
  const promoting = waiting(stepped(program.command('promote')))
    .description('make a release that was pushed current, in a share of the data centres or in all')
    .argument('<release>')
    .option('--share <share>', 'of the data centres', trialShare, 1)
    .addHelpText(
      'after',
      `
From a trial to all, the release is held against the same guards again: say the --override of the trial too.`,
    )
    .action(async (release: string, options: StepOptions) => {
      const { share: part, plan: seen, override: overrides } = options;
      const reason = reasonOf(options.reason, 'lists promote', overrides);
      const wish = { share: part, reason, overrides, ...(seen === undefined ? {} : { plan: seen }) };
      const done = await promote(adminOfEnvironment(), release, wish).catch((error: unknown) => {
        throw withWayOut(error, ['promote', release], saidOf(options));
      });
      await printChange(print, releaseReport.promoted(done, overrides), options);
    });
  example(promoting, 'promote 20261124T0312Z-9f2c1e4b --share 0.5');

  const rolling = waiting(reasoned(program.command('rollback')))
    .description('take the last step back: the release on trial if there is one, else the current one')
    .option('--release <name>', 'only if this is what would be taken back')
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
    .description('show the releases that the authority has, and why one was refused')
    .action(async () => print(...releaseReport.releasesOf(await listReleases(adminOfEnvironment()))));
  example(listing, 'releases');
}
