/**
 * `numgate push`: first registers the release with the coordinator, which then keeps its values. Then it
 * writes the values and the manifest to KV. Then it requests the promotion. If a step fails, a reader sees
 * the old release or the new one. Running the command again completes the push.
 */
import { setTimeout } from 'node:timers/promises';
import { type Command, Option } from 'commander';
import type { ProblemExtras } from '../../shared/admin/problems.ts';
import type { Promote, PromoteDone } from '../../shared/admin/releases.ts';
import { type PushGuard, remainingGuards } from '../../shared/release/guard-settings.ts';
import { SHARD_PREFIX, stagedKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import type { Plan } from '../../shared/release/plan.ts';
import type { Failure } from '../../shared/result.ts';
import { type Admin, adminOfEnvironment } from '../admin.ts';
import { CommandFailure, hasCode } from '../failure.ts';
import { formatGuard } from '../problem.ts';
import type { BuildFolder, Proof } from '../publish/build-folder.ts';
import { Upload, type Uploaded } from '../publish/upload.ts';
import { type Kv, kvOf, type Target } from '../publish/wrangler.ts';
import { listKeyRing } from '../secrets.ts';
import { count } from '../terminal/figures.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { note, print, type Report } from '../terminal/output.ts';
import { styleText } from '../terminal/visible.ts';
import { addFolderArgument, examples, folderOf } from './options.ts';
import { addOverrideOptions, type OverrideOptions, reasonOf, withOverrideHint } from './override.ts';
import { authorityField } from './override-authority.ts';
import { checkForeign, mayUse } from './ownership.ts';
import { type PlanResult, plan, summarizePlan } from './plan.ts';
import { canaryShare, formatState } from './releases.ts';
import { addWaitOptions, printChange, type WaitOptions } from './wait.ts';

type PushOptions = Target & WaitOptions & OverrideOptions & PushSettings & { readonly staged: boolean };

export function addPush(program: Command): void {
  const command = addFolderArgument(program.command('push'))
    .description('publish a proven release: upload new values, then promote it')
    .option('--remote', 'use the KV of your Cloudflare account instead of the local one', false)
    .option('--env <name>', 'environment of wrangler.toml', '');
  addWaitOptions(addOverrideOptions(command))
    .option(
      '--share <share>',
      'share of the data centres for a canary; promote extends it to all',
      canaryShare,
      1,
    )
    .addOption(
      new Option('--staged', 'only upload the release; the cron promotes it (needs no token)')
        .default(false)
        // The cron promotes to all data centres and accepts no override. The command ends before that, so it cannot wait.
        .conflicts(['override', 'overrideAuthority', 'breakGlass', 'plan', 'share', 'reason', 'wait']),
    )
    .option('--all', 'upload every value, even those already in KV (to repair a damaged one)', false)
    .option('--unproven', 'publish without a full proof', false)
    .addHelpText(
      'after',
      examples('push --plan 3f0c… --override removes --reason "ticket 4711"', 'push --share 0.1'),
    )
    .action(async (path: string | undefined, options: PushOptions) => {
      const reason = reasonOf(options, 'numgate push');
      const folder = folderOf(path);
      const kv = kvOf(options);
      if (options.staged) return print(...formatStaged(await pushStaged(folder, kv, options)));
      const overrides = [...(options.override ?? [])];
      const settings = { ...options, ...authorityField(options), overrides, reason };
      const ports = { kv, admin: adminOfEnvironment() };
      const onPlan = (created: PlanResult): void => note(summarizePlan(created));
      const result = await push(folder, ports, settings, onPlan).catch((error: unknown) => {
        throw withOverrideHint(error, process.argv.slice(2), options);
      });
      await printChange(formatPush(result, overrides), options);
    });
}

/** How long to wait for values to become visible, and the pause between tries, in ms. */
const VISIBLE_WAIT_MS = 180_000;
const VISIBLE_PAUSE_MS = 5_000;
/**
 * Workers KV shows a new value everywhere within about a minute, in ms. A value that is still missing was
 * removed.
 */
const SHOWN_WITHIN_MS = 60_000;

const NONE: ReadonlySet<string> = new Set();

export interface PushSettings
  extends Pick<Promote, 'reason'>,
    Partial<Pick<Promote, 'share' | 'overrides' | 'overrideAuthorities' | 'breakGlass'>> {
  /** Hash of the reviewed plan. Without it, the plan that is made now is accepted. */
  readonly plan?: string;
  /** Publish a build without a full proof. A build that failed its proof is never published. */
  readonly unproven?: boolean;
  /** Upload every value, even those already in KV. */
  readonly all?: boolean;
}

/** What a push writes to. */
export interface PushPorts {
  readonly kv: Kv;
  readonly admin: Admin;
  readonly pause?: (ms: number) => Promise<unknown>;
}

export interface PushResult extends Uploaded, PromoteDone {
  readonly plan: string;
  /** The release was current before, so only values were uploaded. */
  readonly wasCurrent: boolean;
}

/** @param onPlan called before anything is written */
export async function push(
  folder: BuildFolder,
  ports: PushPorts,
  settings: PushSettings,
  onPlan: (result: PlanResult) => void = () => undefined,
): Promise<PushResult> {
  const { plan: reviewed, unproven = false, all = false, share = 1, overrides = [], reason } = settings;
  const { overrideAuthorities, breakGlass } = settings;
  const { kv, admin } = ports;
  const manifest = await folder.open(await listKeyRing());
  const { release } = manifest;
  const proof = proofOf(folder, release);
  const upload = new Upload(folder, manifest, kv);
  const created = await plan(folder, admin);
  const { base } = created;
  const { hash } = created.plan;
  if (base.manifest?.release === release) {
    if (share < 1)
      throw new CommandFailure(
        `${release} is already current in all data centres, so it cannot be a canary`,
        4,
      );
    // Nothing to promote or prove, but values that KV has lost are uploaded again.
    await upload.run(all ? NONE : await valuesIn(kv));
    const done = { release, seq: base.status.seq, state: 'promoted', share: 1 } as const;
    return { ...upload.result, ...done, plan: hash, wasCurrent: true };
  }
  checkComplete(proof, release, unproven);
  if (created.refusal !== null) throw refusedAs(created.refusal);
  const foreign = checkForeign(created.ownership, overrideAuthorities ?? []);
  if (foreign !== null) throw foreign;
  if (overrides.length > 0 && !mayUse(created.ownership, 'guards')) {
    const message = 'PERMISSION_DENIED: --override needs a token with the scope "guards"';
    throw new CommandFailure(message, 1, { code: 'PERMISSION_DENIED' });
  }
  onPlan(created);
  checkPlan(created.plan, reviewed, overrides);
  // Register first, so that the values are referenced. Values left by an older, failed push may be about to
  // be removed.
  const stopNotice = onInterrupt(() => 'run the same command again to continue; uploaded values are kept');
  try {
    const named = overrideAuthorities === undefined ? {} : { overrideAuthorities, reason };
    await admin.change('POST', 'releases', { ...folder.manifest, ...named });
    const ofBase = base.manifest === null ? [] : blobsOf(base.manifest).map(({ key }) => key);
    await upload.run(all ? NONE : new Set([...upload.pushed, ...ofBase]));
    const operation = {
      ...{ base: base.manifest?.release ?? null, plan: hash, share, overrides, reason },
      ...(overrideAuthorities === undefined ? {} : { overrideAuthorities }),
      ...(breakGlass === undefined ? {} : { breakGlass }),
    };
    const done = await promoteWhenVisible(release, operation, upload, ports);
    return { ...done, ...upload.result, plan: hash, wasCurrent: false };
  } finally {
    stopNotice();
  }
}

/** Retries the promotion until the values are visible in the coordinator's KV. */
async function promoteWhenVisible(
  release: string,
  operation: Promote,
  upload: Upload,
  { admin, pause = setTimeout }: PushPorts,
): Promise<PromoteDone> {
  for (let waitedMs = 0; ; waitedMs += VISIBLE_PAUSE_MS) {
    try {
      return await admin.change<PromoteDone>('POST', `releases/${release}/promote`, operation);
    } catch (error) {
      if (!hasCode(error, 'RELEASE_INCOMPLETE') || waitedMs >= VISIBLE_WAIT_MS) throw error;
      const { missing = [] } = error.extras as ProblemExtras;
      const isLate = waitedMs > 0 && waitedMs % SHOWN_WITHIN_MS === 0;
      await (isLate ? upload.put((key) => missing.includes(key)) : upload.putMissing(missing));
      await pause(VISIBLE_PAUSE_MS);
    }
  }
}

/**
 * Uploads the release and leaves the promotion to the coordinator's cron, for admins who have only wrangler
 * credentials. The staging key is written last, so an interrupted push never becomes current.
 */
export async function pushStaged(
  folder: BuildFolder,
  kv: Kv,
  { unproven = false, all = false }: Pick<PushSettings, 'unproven' | 'all'>,
): Promise<Uploaded & { readonly release: string }> {
  const manifest = await folder.open(await listKeyRing());
  const { release } = manifest;
  checkComplete(proofOf(folder, release), release, unproven);
  const upload = new Upload(folder, manifest, kv);
  await upload.run(all ? NONE : await valuesIn(kv));
  await kv.put(stagedKey(release), JSON.stringify(folder.manifest));
  // Until now nothing referenced the values, so some may have been removed meanwhile. Nothing else would
  // report that.
  const there = await valuesIn(kv);
  await upload.put((key) => !there.has(key));
  return { release, ...upload.result };
}

/** Keys of the values that KV lists. The listing does not show whether a value is damaged. */
async function valuesIn(kv: Kv): Promise<ReadonlySet<string>> {
  return new Set(await kv.keys(SHARD_PREFIX));
}

/**
 * The proof of the release, or null if it was not proven.
 * @throws CommandFailure if the proof found wrong results
 */
function proofOf(folder: BuildFolder, release: string): Proof | null {
  // A proof of another release in the same folder does not count.
  const proof = folder.proof?.release === release ? folder.proof : null;
  if (proof !== null && proof.wrong !== 0) {
    throw new CommandFailure(`${release} gave ${proof.wrong} wrong answers when it was proven`);
  }
  return proof;
}

function checkComplete(proof: Proof | null, release: string, unproven: boolean): void {
  if (proof?.complete === true || unproven) return;
  throw new CommandFailure(`${release} is not proven: run npx numgate prove, or pass --unproven`);
}

/** The failure with which the coordinator would refuse the release after the upload. */
function refusedAs({ code, message }: Failure): CommandFailure {
  if (code === 'RELEASE_STATE' || code === 'BASE_MOVED')
    return new CommandFailure(`${code}: ${message}`, 4, { code });
  const extras = { code: 'RELEASE_REFUSED', refusal: code };
  return new CommandFailure(`RELEASE_REFUSED: ${code}: ${message}`, 1, extras);
}

/** Runs before the upload. The coordinator would refuse for the same reasons afterwards. */
function checkPlan(created: Plan, reviewed: string | undefined, overrides: readonly PushGuard[]): void {
  if (reviewed !== undefined && reviewed !== created.hash) {
    throw new CommandFailure(
      `the plan has changed to ${created.hash}: run npx numgate plan and check it again`,
      4,
    );
  }
  const guards = remainingGuards(created, overrides);
  if (guards.length === 0) return;
  const message = ['guards are hit:', ...guards.map((hit) => `  ${formatGuard(hit)}`)].join('\n');
  throw new CommandFailure(message, 3, { guards, plan: created.hash });
}

/** @param overrides guards that were overridden for the release */
export function formatPush(result: PushResult, overrides: readonly PushGuard[]): Report<PushResult> {
  const { wasCurrent, uploaded, values } = result;
  const advice =
    wasCurrent && uploaded < values
      ? '  it was already current; --all uploads every value again, which repairs damaged values\n'
      : '';
  return [formatState(result, overrides) + formatUploaded(result) + advice, result];
}

function formatStaged(result: Uploaded & { readonly release: string }): Report {
  const text =
    `${styleText('bold', result.release)} is staged: the coordinator's cron promotes it within a minute or two,\n` +
    `  or refuses it and records why: npx numgate releases\n${formatUploaded(result)}`;
  return [text, result];
}

function formatUploaded({ uploaded, uploadedBytes, values }: Uploaded): string {
  const others = uploaded < values ? '; the others were already in KV' : '';
  return `  ${count(uploaded)} of ${count(values)} values uploaded, ${count(uploadedBytes)} bytes${others}\n`;
}
