/**
 * `lists push`: values first, then the manifest, then the authority is asked to make it current. Whatever
 * dies in between, a reader sees the old release or the new one; running it again finishes.
 */
import type { Promote, PromoteDone } from '../../shared/admin.ts';
import { openHead } from '../../shared/release/head.ts';
import { HEAD_KEY, stagedKey } from '../../shared/release/kv-keys.ts';
import { type Manifest, openManifest } from '../../shared/release/manifest.ts';
import { type Plan, remainingGuards } from '../../shared/release/plan.ts';
import type { ListKeys } from '../../shared/set/keys.ts';
import type { Admin } from '../admin.ts';
import { AdminProblem, guardLine } from '../admin-problem.ts';
import type { BuildFolder } from '../build-folder.ts';
import { CommandFailure } from '../failure.ts';
import { listKeys, publicKeys } from '../secrets.ts';
import { Upload, type Uploaded } from '../upload.ts';
import type { Kv } from '../wrangler.ts';
import { type PlanOutcome, plan } from './plan.ts';

/** Workers KV shows a new value everywhere within a minute or so: how long it is waited for, in ms. */
const VISIBLE_WAIT_MS = 120_000;
const VISIBLE_PAUSE_MS = 5_000;

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
  checkProof(folder, release, settings.unproven);
  const upload = new Upload(folder, manifest, ports.kv);
  const made = await plan(folder, ports.admin);
  const { base } = made;
  if (base.manifest?.release === release) {
    // Nothing to promote; but values that KV has lost are put there again where that is asked for.
    if (settings.all) await upload.run(null, true);
    const { seq } = base.status;
    return { ...upload.outcome, ...{ release, seq, state: 'promoted', share: 1, plan: made.plan.hash } };
  }
  onPlan(made);
  checkPlan(made.plan, settings);
  await upload.run(base.manifest, settings.all);
  await ports.admin.change('POST', 'releases', folder.manifest);
  const { share, overrides, reason } = settings;
  const wish: Promote = {
    base: base.manifest?.release ?? null,
    plan: made.plan.hash,
    share,
    overrides,
    reason,
  };
  const done = await promoteWhenVisible(release, wish, upload, ports);
  return { ...done, ...upload.outcome, plan: made.plan.hash };
}

/** Ask until the values are to be seen in KV where the authority is. */
async function promoteWhenVisible(
  release: string,
  wish: Promote,
  upload: Upload,
  { admin, pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms)) }: PushPorts,
): Promise<PromoteDone> {
  for (let waitedMs = 0; ; waitedMs += VISIBLE_PAUSE_MS) {
    try {
      return await admin.change<PromoteDone>('POST', `releases/${release}/promote`, wish);
    } catch (error) {
      if (!(error instanceof AdminProblem) || error.code !== 'RELEASE_INCOMPLETE') throw error;
      if (waitedMs >= VISIBLE_WAIT_MS) throw error;
      await upload.mend(error.problem.missing ?? []);
      await pause(VISIBLE_PAUSE_MS);
    }
  }
}

/** Upload, and leave the rest to the authority's cron: for who has nothing but wrangler's credentials. */
export async function pushStaged(
  folder: BuildFolder,
  kv: Kv,
  { unproven, all }: Pick<PushSettings, 'unproven' | 'all'>,
): Promise<Uploaded & { readonly release: string }> {
  const keys = await listKeys();
  const manifest = await folder.open(keys);
  checkProof(folder, manifest.release, unproven);
  const upload = new Upload(folder, manifest, kv);
  await upload.run(await releaseInKv(kv, keys), all);
  await kv.put(stagedKey(manifest.release), JSON.stringify(folder.manifest));
  return { release: manifest.release, ...upload.outcome };
}

/** The release that the head in KV names. A head that is not ours holds nothing for us. */
async function releaseInKv(kv: Kv, keys: ListKeys): Promise<Manifest | null> {
  const bytes = await kv.get(HEAD_KEY);
  const opened = bytes === null ? null : await openHead(bytes, keys);
  if (opened?.ok !== true) return null;
  const { head, manifests } = opened.value;
  const signed = manifests.find(({ signature }) => signature === head.current?.signature);
  const manifest = signed === undefined ? null : await openManifest(signed, await publicKeys(), keys.keyId);
  return manifest?.ok === true ? manifest.value : null;
}

function checkProof(folder: BuildFolder, release: string, unproven: boolean): void {
  // A proof says nothing of another release that was put in its folder.
  const proof = folder.proof?.release === release ? folder.proof : null;
  if (proof !== null && proof.wrong !== 0) {
    throw new CommandFailure(`${release} gave ${proof.wrong} wrong answers when it was proven`);
  }
  if (proof?.complete !== true && !unproven) {
    throw new CommandFailure(`${release} is not proven: run npm run lists -- prove, or say --unproven`);
  }
}

/** Before anything is uploaded: the authority would say the same afterwards. */
function checkPlan(made: Plan, { plan: seen, overrides }: PushSettings): void {
  if (seen !== null && seen !== made.hash) {
    throw new CommandFailure(`the plan is now ${made.hash}: look at npm run lists -- plan again`, 4);
  }
  const guards = remainingGuards(made, overrides);
  if (guards.length === 0) return;
  throw new CommandFailure(['guards are hit:', ...guards.map((hit) => `  ${guardLine(hit)}`)].join('\n'), 3);
}
