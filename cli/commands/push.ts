/**
 * `lists push`: the authority is told of the release, so that it lets its values be; then values and manifest
 * go into KV; then the authority is asked to make it current. Whatever dies in between, a reader sees the
 * old release or the new one; running it again finishes.
 */
import { setTimeout } from 'node:timers/promises';
import type { Promote, PromoteDone } from '../../shared/admin.ts';
import { SHARD_PREFIX, stagedKey } from '../../shared/release/kv-keys.ts';
import { blobsOf } from '../../shared/release/manifest.ts';
import { type Plan, remainingGuards } from '../../shared/release/plan.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem, guardLine } from '../admin-problem.ts';
import type { BuildFolder, Proof } from '../build-folder.ts';
import { CommandFailure } from '../failure.ts';
import { onInterrupt } from '../interrupt.ts';
import { listKeys } from '../secrets.ts';
import { Upload, type Uploaded } from '../upload.ts';
import type { Kv } from '../wrangler.ts';
import { type PlanOutcome, plan } from './plan.ts';

/** How long values are waited for, in ms, with pauses between. */
const VISIBLE_WAIT_MS = 180_000;
const VISIBLE_PAUSE_MS = 5_000;
/** Workers KV shows a new value everywhere within a minute or so, in ms. One that it does not was removed. */
const SHOWN_WITHIN_MS = 60_000;

const NONE: ReadonlySet<string> = new Set();

export interface PushSettings extends Pick<Promote, 'share' | 'overrides' | 'reason'> {
  /** Hash of the plan that was seen; null takes the plan that is made now. */
  readonly plan: string | null;
  /** Publish a build that was not proven whole. One that was proven wrong is never published. */
  readonly unproven: boolean;
  /** Upload every value, whatever is in KV already. */
  readonly all: boolean;
}

/** What a push writes to. */
export interface PushPorts {
  readonly kv: Kv;
  readonly admin: Admin;
  readonly pause?: (ms: number) => Promise<unknown>;
}

export interface PushOutcome extends Uploaded, PromoteDone {
  readonly plan: string;
  /** The release was current before: only values were uploaded. */
  readonly wasCurrent: boolean;
}

/** @param onPlan told before anything is written */
export async function push(
  folder: BuildFolder,
  ports: PushPorts,
  settings: PushSettings,
  onPlan: (outcome: PlanOutcome) => void = () => undefined,
): Promise<PushOutcome> {
  const manifest = await folder.open(await listKeys());
  const { release } = manifest;
  const proof = proofOf(folder, release);
  const upload = new Upload(folder, manifest, ports.kv);
  const made = await plan(folder, ports.admin);
  const { base } = made;
  if (base.manifest?.release === release) {
    if (settings.share < 1)
      throw new CommandFailure(
        `${release} is current in all data centres already, and goes back to no share`,
        4,
      );
    // Nothing to promote, and nothing to prove any more; but values that KV has lost are uploaded again.
    await upload.run(settings.all ? NONE : await valuesIn(ports.kv));
    const done: PromoteDone = { release, seq: base.status.seq, state: 'promoted', share: 1 };
    return { ...upload.outcome, ...done, plan: made.plan.hash, wasCurrent: true };
  }
  checkComplete(proof, release, settings.unproven);
  onPlan(made);
  checkPlan(made.plan, settings);
  // First, so that the values are named: what a push left there that died long ago may be about to be removed.
  const stopTelling = onInterrupt(() => 'the same command goes on from here: what was uploaded is kept');
  try {
    await ports.admin.change('POST', 'releases', folder.manifest);
    return await uploadAndPromote(made, upload, ports, settings);
  } finally {
    stopTelling();
  }
}

async function uploadAndPromote(
  { base, plan: { hash, release } }: PlanOutcome,
  upload: Upload,
  ports: PushPorts,
  settings: PushSettings,
): Promise<PushOutcome> {
  const ofBase = base.manifest === null ? [] : blobsOf(base.manifest).map(({ key }) => key);
  await upload.run(settings.all ? NONE : new Set([...upload.pushed, ...ofBase]));
  const { share, overrides, reason } = settings;
  const wish: Promote = {
    base: base.manifest?.release ?? null,
    plan: hash,
    share,
    overrides,
    reason,
  };
  const done = await promoteWhenVisible(release, wish, upload, ports);
  return { ...done, ...upload.outcome, plan: hash, wasCurrent: false };
}

/** Ask until the values are to be seen in KV where the authority is. */
async function promoteWhenVisible(
  release: string,
  wish: Promote,
  upload: Upload,
  { admin, pause = setTimeout }: PushPorts,
): Promise<PromoteDone> {
  for (let waitedMs = 0; ; waitedMs += VISIBLE_PAUSE_MS) {
    try {
      return await admin.change<PromoteDone>('POST', `releases/${release}/promote`, wish);
    } catch (error) {
      if (!(error instanceof AdminProblem) || error.code !== 'RELEASE_INCOMPLETE') throw error;
      if (waitedMs >= VISIBLE_WAIT_MS) throw error;
      const missing = error.problem.missing ?? [];
      const isLate = waitedMs > 0 && waitedMs % SHOWN_WITHIN_MS === 0;
      await (isLate ? upload.again((key) => missing.includes(key)) : upload.mend(missing));
      await pause(VISIBLE_PAUSE_MS);
    }
  }
}

/**
 * Upload, and leave the rest to the authority's cron: for who has nothing but wrangler's credentials. The
 * manifest that asks for it comes last: a push that was broken off is not to become current by itself.
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
  // Until now nothing named them, so that some may have been removed meanwhile. Nobody else would say so.
  const there = await valuesIn(kv);
  await upload.again((key) => !there.has(key));
  return { release, ...upload.outcome };
}

/** Keys of the values that KV lists. Whether a value is damaged is not seen there. */
async function valuesIn(kv: Kv): Promise<ReadonlySet<string>> {
  return new Set(await kv.keys(SHARD_PREFIX));
}

/** What `prove` found of the release; null where it was not asked. @throws CommandFailure where answers were wrong */
function proofOf(folder: BuildFolder, release: string): Proof | null {
  // A proof says nothing of another release that was put in its folder.
  const proof = folder.proof?.release === release ? folder.proof : null;
  if (proof !== null && proof.wrong !== 0) {
    throw new CommandFailure(`${release} gave ${proof.wrong} wrong answers when it was proven`);
  }
  return proof;
}

function checkComplete(proof: Proof | null, release: string, unproven: boolean): void {
  if (proof?.complete === true || unproven) return;
  throw new CommandFailure(`${release} is not proven: run npm run lists -- prove, or say --unproven`);
}

/** Before anything is uploaded: the authority would say the same afterwards. */
function checkPlan(made: Plan, { plan: seen, overrides }: PushSettings): void {
  if (seen !== null && seen !== made.hash) {
    throw new CommandFailure(`the plan is now ${made.hash}: look at npm run lists -- plan again`, 4);
  }
  const guards = remainingGuards(made, overrides);
  if (guards.length === 0) return;
  const message = ['guards are hit:', ...guards.map((hit) => `  ${guardLine(hit)}`)].join('\n');
  throw new CommandFailure(message, 3, { guards, plan: made.hash });
}
