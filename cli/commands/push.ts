/**
 * `numgate push`: first registers the release with the coordinator, which then keeps its values. Then it
 * writes the values and the manifest to KV. Then it requests the promotion. If a step fails, a reader sees
 * the old release or the new one. Running the command again completes the push.
 */
import { setTimeout } from 'node:timers/promises';
import type { Promote, PromoteDone } from '../../shared/admin.ts';
import { SHARD_PREFIX, stagedKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { type Plan, remainingGuards } from '../../shared/release/plan.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem, guardLine } from '../admin-problem.ts';
import { CommandFailure } from '../failure.ts';
import type { BuildFolder, Proof } from '../publish/build-folder.ts';
import { Upload, type Uploaded } from '../publish/upload.ts';
import type { Kv } from '../publish/wrangler.ts';
import { listKeys } from '../secrets.ts';
import { onInterrupt } from '../terminal/interrupt.ts';
import { type PlanResult, plan } from './plan.ts';

/** How long to wait for values to become visible, and the pause between tries, in ms. */
const VISIBLE_WAIT_MS = 180_000;
const VISIBLE_PAUSE_MS = 5_000;
/**
 * Workers KV shows a new value everywhere within about a minute, in ms. A value that is still missing was
 * removed.
 */
const SHOWN_WITHIN_MS = 60_000;

const NONE: ReadonlySet<string> = new Set();

export interface PushSettings extends Pick<Promote, 'share' | 'overrides' | 'reason'> {
  /** Hash of the reviewed plan. Null accepts the plan that is made now. */
  readonly plan: string | null;
  /** Publish a build without a full proof. A build that failed its proof is never published. */
  readonly unproven: boolean;
  /** Upload every value, even those already in KV. */
  readonly all: boolean;
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
  const manifest = await folder.open(await listKeys());
  const { release } = manifest;
  const proof = proofOf(folder, release);
  const upload = new Upload(folder, manifest, ports.kv);
  const created = await plan(folder, ports.admin);
  const { base } = created;
  if (base.manifest?.release === release) {
    if (settings.share < 1)
      throw new CommandFailure(
        `${release} is current in all data centres already, and goes back to no share`,
        4,
      );
    // Nothing to promote or prove, but values that KV has lost are uploaded again.
    await upload.run(settings.all ? NONE : await valuesIn(ports.kv));
    const done: PromoteDone = { release, seq: base.status.seq, state: 'promoted', share: 1 };
    return { ...upload.result, ...done, plan: created.plan.hash, wasCurrent: true };
  }
  checkComplete(proof, release, settings.unproven);
  onPlan(created);
  checkPlan(created.plan, settings);
  // Register first, so that the values are referenced. Values left by an older, failed push may be about to
  // be removed.
  const stopNotice = onInterrupt(() => 'the same command goes on from here: what was uploaded is kept');
  try {
    await ports.admin.change('POST', 'releases', folder.manifest);
    return await uploadAndPromote(created, upload, ports, settings);
  } finally {
    stopNotice();
  }
}

async function uploadAndPromote(
  { base, plan: { hash, release } }: PlanResult,
  upload: Upload,
  ports: PushPorts,
  settings: PushSettings,
): Promise<PushResult> {
  const ofBase = base.manifest === null ? [] : blobsOf(base.manifest).map(({ key }) => key);
  await upload.run(settings.all ? NONE : new Set([...upload.pushed, ...ofBase]));
  const { share, overrides, reason } = settings;
  const operation: Promote = {
    base: base.manifest?.release ?? null,
    plan: hash,
    share,
    overrides,
    reason,
  };
  const done = await promoteWhenVisible(release, operation, upload, ports);
  return { ...done, ...upload.result, plan: hash, wasCurrent: false };
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
      if (!(error instanceof AdminProblem) || error.code !== 'RELEASE_INCOMPLETE') throw error;
      if (waitedMs >= VISIBLE_WAIT_MS) throw error;
      const missing = error.problem.missing ?? [];
      const isLate = waitedMs > 0 && waitedMs % SHOWN_WITHIN_MS === 0;
      await (isLate ? upload.again((key) => missing.includes(key)) : upload.uploadMissing(missing));
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
  { unproven, all }: Pick<PushSettings, 'unproven' | 'all'>,
): Promise<Uploaded & { readonly release: string }> {
  const manifest = await folder.open(await listKeys());
  const { release } = manifest;
  checkComplete(proofOf(folder, release), release, unproven);
  const upload = new Upload(folder, manifest, kv);
  await upload.run(all ? NONE : await valuesIn(kv));
  await kv.put(stagedKey(release), JSON.stringify(folder.manifest));
  // Until now nothing referenced the values, so some may have been removed meanwhile. Nothing else would
  // report that.
  const there = await valuesIn(kv);
  await upload.again((key) => !there.has(key));
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
  throw new CommandFailure(`${release} is not proven: run npx numgate prove, or say --unproven`);
}

/** Runs before the upload. The coordinator would refuse for the same reasons afterwards. */
function checkPlan(created: Plan, { plan: seen, overrides }: PushSettings): void {
  if (seen !== null && seen !== created.hash) {
    throw new CommandFailure(`the plan is now ${created.hash}: look at npx numgate plan again`, 4);
  }
  const guards = remainingGuards(created, overrides);
  if (guards.length === 0) return;
  const message = ['guards are hit:', ...guards.map((hit) => `  ${guardLine(hit)}`)].join('\n');
  throw new CommandFailure(message, 3, { guards, plan: created.hash });
}
