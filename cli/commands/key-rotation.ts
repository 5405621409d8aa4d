/**
 * The rotation of LIST_KEY, from old key A to new key B. Each step can be repeated, and is skipped if the service
 * shows that it is done. An interrupted rotation therefore continues with the same command:
 *
 *   1. `A,B` everywhere: every edge can read B before anything is written with it
 *   2. `B,A` everywhere: new values are written with B
 *   3. the coordinator re-keys what it stores
 *   4. a release made with B becomes current
 *   5. with `finish`: `B` everywhere, once nothing needs A
 *
 * Every step waits until the Workers have the keys that it needs. The coordinator, each named edge, and each data centre
 * that has polled within the last minute report the IDs of their keys.
 */
import { setTimeout } from 'node:timers/promises';
import type { KeyRotated, ListKeyInfo } from '../../shared/admin/list-key.ts';
import type { ReleaseInfo } from '../../shared/admin/releases.ts';
import type { StatusInfo } from '../../shared/admin/status.ts';
import { toBase64 } from '../../shared/bytes.ts';
import { READER_SEEN_MS } from '../../shared/limits/control.ts';
import { RECORDS_KEPT_SECONDS } from '../../shared/limits/edge.ts';
import type { ReleaseList } from '../../shared/release-list.ts';
import { listKeyParts, openKeyRing } from '../../shared/set/key-ring.ts';
import { LIST_KEY_BYTES } from '../../shared/set/keys.ts';
import type { Admin } from '../admin.ts';
import { CommandFailure } from '../failure.ts';
import type { ListKeyStore } from '../local/list-key-store.ts';
import { counted } from '../terminal/figures.ts';
import { needsOldKey, RESEAL_TEXTS } from '../text/key-needs.ts';
import { identityOf } from './ownership.ts';
import { healthOf } from './watch.ts';

/** How long a step waits for the Workers, and the pause between two checks, in ms. */
const WAIT_MS = 900_000;
const PAUSE_MS = 1_000;

export const STEPS = ['new', 'readers', 'writers', 'coordinator', 'release', 'finish'] as const;
export type Step = (typeof STEPS)[number];

export interface RotationPorts {
  readonly admin: Admin;
  /** URLs of edges that must know the keys. */
  readonly edges: readonly string[];
  readonly store: ListKeyStore;
  /** Gives the deployed Workers this LIST_KEY. Workers of the local installation read the store. */
  readonly deploy: (listKey: string) => Promise<void>;
  /** Builds, proves and pushes a release with the first key. */
  readonly publish: () => Promise<void>;
  readonly report: (text: string) => void;
  readonly pause?: (ms: number) => Promise<unknown>;
  readonly waitMs?: number;
}

/** What still needs a key other than the first. */
export interface KeyNeeds {
  /** Releases that readers or a rollback can need, or that wait for a promotion. */
  readonly releases: readonly string[];
  /** When the last block records with the old key expire, RFC 3339; null if they have expired. */
  readonly recordsUntil: string | null;
  /** Whether changes of registered senders in the head still have the old key. This lasts at most a minute. */
  readonly registrations: boolean;
  /** Whether the key of reports is not yet sealed with the new key. This lasts at most a minute. */
  readonly reports: boolean;
  /** Whether a text release in force, or its canary, is sealed with the old key. */
  readonly texts: boolean;
}

export interface RotationState {
  /** The next step; `new` if no rotation is under way. */
  readonly step: Step;
  /** IDs of the keys on this machine. The first key writes. */
  readonly keyIds: readonly string[];
  readonly service: ListKeyInfo;
  readonly needs: KeyNeeds;
}

export async function rotationState({
  admin,
  store,
}: Pick<RotationPorts, 'admin' | 'store'>): Promise<RotationState> {
  const keyIds = await idsOf(store.read());
  const status = await admin.get<StatusInfo>('status');
  const service = serviceKeys(status);
  const { releases } = await admin.get<ReleaseList>('releases');
  const needs = {
    ...needsOf(keyIds[0]!, releases, service, status.response?.keyIds),
    texts: await needsOldKey(admin, keyIds[0]!),
  };
  const state = { keyIds, service, needs };
  return { ...state, step: stepOf(state, status) };
}

function stepOf({ keyIds, service }: Omit<RotationState, 'step'>, { current }: StatusInfo): Step {
  const [writer, other] = keyIds;
  if (other === undefined) return 'new';
  if (isReading(keyIds, service)) return 'readers';
  if (service.current !== writer) return service.ids[0] === writer ? 'coordinator' : 'writers';
  return isDone(writer!, current) ? 'finish' : 'release';
}

/** Whether the new key is still the second one on this machine, because not every reader knows it. */
function isReading([first, second]: readonly string[], { current, rotated }: ListKeyInfo): boolean {
  return current === first && !(rotated?.from === second && rotated?.to === first);
}

function isDone(writer: string, current: ReleaseInfo | null): boolean {
  return current === null || current.keyId === writer;
}

export function needsOf(
  writer: string,
  releases: readonly ReleaseInfo[],
  { rotated, oldestRecords, registrations = [] }: ListKeyInfo,
  reports: readonly string[] = [writer],
): Omit<KeyNeeds, 'texts'> {
  const isNeeded = ({ readable, state, keyId }: ReleaseInfo): boolean =>
    (readable || state === 'staged') && keyId !== undefined && keyId !== writer;
  // Times are in whole seconds, so records of the second of the rotation count as old. Older services do not know.
  const hasOld =
    rotated !== null &&
    (oldestRecords === undefined ||
      (oldestRecords !== null && Date.parse(oldestRecords) <= Date.parse(rotated.at)));
  const until = !hasOld ? 0 : Date.parse(rotated.at) + RECORDS_KEPT_SECONDS * 1000;
  return {
    releases: releases.filter(isNeeded).map(({ release }) => release),
    recordsUntil: until > Date.now() ? new Date(until).toISOString() : null,
    registrations: registrations.some((keyId) => keyId !== writer),
    reports: reports.length > 0 && !reports.includes(writer),
  };
}

/** Call before anything is changed. @throws CommandFailure if the token may not rotate the key */
async function requireRoot(admin: Admin): Promise<void> {
  const me = await identityOf(admin);
  if (me === null || me.root) return;
  throw new CommandFailure(
    `PERMISSION_DENIED: only the token root may rotate LIST_KEY, but you are ${me.name}: set NUMGATE_TOKEN`,
    1,
    { code: 'PERMISSION_DENIED' },
  );
}

/** Does the remaining steps of 1 to 4. */
export async function rotate(
  ports: RotationPorts,
  options: { readonly reason: string; readonly dropUnknownSources: boolean },
): Promise<RotationState> {
  const { admin, store, report } = ports;
  await requireRoot(admin);
  let parts = listKeyParts(store.read());
  if (parts.length === 1) {
    const service = serviceKeys(await admin.get<StatusInfo>('status'));
    const [own] = await idsOf(parts[0]!);
    if (!service.ids.includes(own!)) throw foreignKey(own!, service);
    const added = toBase64(crypto.getRandomValues(new Uint8Array(LIST_KEY_BYTES)));
    parts = [parts[0]!, added];
    await store.write(parts.join(','));
    report(`made a new key; both keys are in ${store.name}`);
  }
  const ids = await idsOf(parts.join(','));
  const service = serviceKeys(await admin.get<StatusInfo>('status'));
  if (isReading(ids, service)) {
    report('1/4 every Worker gets both keys, and still writes with the old key');
    await spread(ports, parts, (held) => ids.every((id) => held.includes(id)));
    parts = [parts[1]!, parts[0]!];
    await store.write(parts.join(','));
    ids.reverse();
  }
  report('2/4 every Worker writes with the new key');
  await spread(ports, parts, (held) => held[0] === ids[0]);
  report('3/4 the coordinator re-keys what it stores');
  const { reason, dropUnknownSources } = options;
  const done = await admin.change<KeyRotated>('POST', 'list-key', {
    keyId: ids[0],
    dropUnknownSources,
    reason,
  });
  if (done.from !== done.to)
    report(`    seq ${done.seq}: ${counted(done.sources, 'live source')} with new fingerprints`);
  const { current } = await admin.get<StatusInfo>('status');
  if (!isDone(ids[0]!, current)) {
    report('4/4 a release with the new key');
    await ports.publish();
  }
  return rotationState(ports);
}

/** Step 5. @throws CommandFailure that names what still needs the old key */
export async function finish(
  ports: RotationPorts,
  options: { readonly dropReleases: boolean; readonly dropRecords: boolean },
): Promise<RotationState> {
  const { admin, store, report } = ports;
  await requireRoot(admin);
  const state = await rotationState(ports);
  if (state.step === 'new') throw new CommandFailure('no rotation is under way: LIST_KEY has one key', 4);
  if (state.step !== 'finish') {
    throw new CommandFailure('the rotation is not complete: run npx numgate list-key rotate first', 4);
  }
  const [writer, old] = state.keyIds;
  const { releases, recordsUntil, registrations, reports, texts } = state.needs;
  const held = [
    ...(releases.length > 0 && !options.dropReleases
      ? [
          `releases: ${releases.join(', ')} (--drop-releases: they can no longer be promoted or rolled back to)`,
        ]
      : []),
    ...(recordsUntil !== null && !options.dropRecords
      ? [`block records, until ${recordsUntil} (--drop-records: older block records can no longer be read)`]
      : []),
    ...(registrations
      ? ['registered senders in the head: the registry seals them again within a minute, so try again']
      : []),
    ...(reports ? ['the key of reports: the desk seals it again within a minute, so try again'] : []),
    ...(texts ? [`the text release in force: ${RESEAL_TEXTS}`] : []),
  ];
  if (held.length > 0) {
    throw new CommandFailure(
      `the old key ${old} is still needed for\n${held.map((each) => `  ${each}`).join('\n')}`,
      3,
    );
  }
  const [part] = listKeyParts(store.read());
  report(`every Worker forgets the key ${old}`);
  await spread(ports, [part!], (ids) => ids.length === 1 && ids[0] === writer);
  await store.write(part!);
  return rotationState(ports);
}

/** Gives every Worker these keys, and waits until every observable Worker has them. */
async function spread(
  ports: RotationPorts,
  parts: readonly string[],
  has: (ids: readonly string[]) => boolean,
): Promise<void> {
  const { pause = setTimeout, waitMs = WAIT_MS, report } = ports;
  if ((await without(ports, has)).length === 0) return;
  await ports.deploy(parts.join(','));
  let shown = '';
  for (let waitedMs = 0; ; waitedMs += PAUSE_MS) {
    const behind = (await without(ports, has)).join(', ');
    if (behind === '') return;
    if (behind !== shown) report(`    waiting for ${behind}`);
    shown = behind;
    if (waitedMs >= waitMs) {
      throw new CommandFailure(`${behind} did not get the keys in time: run the same command again`);
    }
    await pause(PAUSE_MS);
  }
}

/** Names of the Workers and data centres that do not have these keys yet. */
async function without(
  { admin, edges }: RotationPorts,
  has: (ids: readonly string[]) => boolean,
): Promise<string[]> {
  const behind: string[] = [];
  const status = await admin.get<StatusInfo>('status').catch(() => null);
  if (status === null || !has(serviceKeys(status).ids)) behind.push('control');
  for (const { dataCentre, askedAt, keyIds = [] } of status?.propagation ?? []) {
    if (Date.now() - Date.parse(askedAt) < READER_SEEN_MS && !has(keyIds))
      behind.push(`edges in ${dataCentre}`);
  }
  for (const url of edges) {
    const health = await healthOf(url);
    const keyIds = (health?.keyIds ?? []) as readonly string[];
    if (!has(keyIds)) behind.push(url);
  }
  return behind;
}

function serviceKeys({ listKeys }: StatusInfo): ListKeyInfo {
  if (listKeys !== undefined) return listKeys;
  throw new CommandFailure(
    'the service does not report its keys: first deploy this version of control and the edges',
  );
}

async function idsOf(text: string): Promise<string[]> {
  const ring = await openKeyRing(text);
  if (!ring.ok) throw new CommandFailure(`LIST_KEY ${ring.message}`);
  return ring.value.ids;
}

function foreignKey(own: string, { ids }: ListKeyInfo): CommandFailure {
  return new CommandFailure(
    `LIST_KEY on this machine is ${own}, but the service has ${ids.join(', ')}: use the same key`,
  );
}
