/**
 * A drill that rotates LIST_KEY on the real service under traffic. In every step the command dies and the service is killed,
 * and the same command continues. Afterwards the old key opens nothing.
 */
import '../support/workspace.ts';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { KillableService } from '../../../bench/lib/killable-service.ts';
import { Admin } from '../../../cli/admin.ts';
import { build } from '../../../cli/commands/build.ts';
import { finish, type RotationPorts, rotate, rotationState } from '../../../cli/commands/key-rotation.ts';
import { push } from '../../../cli/commands/push.ts';
import { healthOf } from '../../../cli/commands/watch.ts';
import { listKeyStore } from '../../../cli/local/list-key-store.ts';
import { listKeyRing, newKey, secretDigest } from '../../../cli/secrets.ts';
import type { StatusInfo } from '../../../shared/admin/status.ts';
import { openHead } from '../../../shared/release/head.ts';
import { HEAD_KEY, recordsKey } from '../../../shared/release/kv-keys.ts';
import { listKeyParts, openKeyRing } from '../../../shared/set/key-ring.ts';
import { HANG_MS } from '../../shared/support/hang.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { ABROAD, HOME, inputsOf } from '../support/builds.ts';
import { openKv, type TestKv } from '../support/service.ts';
import { BUILDS, FOLDER, SECRETS } from '../support/workspace.ts';

const KEY_FILE = join(FOLDER, 'list-key');
const OPTIONS = { reason: 'drill', dropUnknownSources: false };

/** Requests with senders and recipients, and their expected verdicts. */
const QUESTIONS = [
  [{ to: HOME[0] }, 'block'],
  [{ from: 'PARCEL-KR' }, 'block'],
  [{ from: 'LIVE-SENDER' }, 'block'],
  [{ from: 'FOLDED-SENDER' }, 'block'],
  [{ to: '+821099990001' }, 'block'],
  [{ to: '+821099990002' }, 'allow'],
] as const;

const service = new KillableService(join(FOLDER, 'state'), await sharedBundle());
let url = 'http://localhost:0';
let deployed = SECRETS.LIST_KEY;
let kv: TestKv;
let admin: Admin;
let client = '';

/** Starts the service with the deployed secrets, on the same port as before. */
async function start(): Promise<void> {
  const { RELEASE_PUBLIC_KEYS, ADMIN_TOKEN } = SECRETS;
  await service.start({
    ...{ LIST_KEY: deployed, RELEASE_PUBLIC_KEYS },
    ROOT_TOKEN_SHA256: await secretDigest(ADMIN_TOKEN),
  });
  ({ url } = service);
}

/** Restarts the service. After a cold start it may have no data for a while, so traffic waits until it is healthy. */
async function killAndStart(): Promise<void> {
  isServing = false;
  await service.kill();
  await start();
  await vi.waitFor(async () => expect((await fetch(`${url}/healthz`)).status).toBe(200), HANG_MS);
  isServing = true;
}

const catalogue = (): string => inputsOf('drill', HOME, ABROAD);

async function publish(): Promise<void> {
  const built = await build({ catalogue: catalogue(), builds: BUILDS, maxRejects: 0, admin });
  await push(built.folder, { kv, admin }, { unproven: true, reason: 'drill' });
}

const traffic = { answers: 0, wrong: [] as string[] };
let isOver = false;
let isServing = true;

/** Sends checks continuously. A killed service refuses connections, but every answer must be right. */
async function checkOn(): Promise<void> {
  for (let turn = 0; !isOver; turn++) {
    if (!isServing) {
      await pause(20);
      continue;
    }
    const [body, verdict] = QUESTIONS[turn % QUESTIONS.length]!;
    const response = await fetch(`${url}/v1/check`, {
      method: 'POST',
      headers: { authorization: `Bearer ${client}`, 'content-type': 'application/json' },
      body: JSON.stringify(body),
    }).catch(() => null);
    const text = await response?.text().catch(() => null);
    if (response === null || text === null || text === undefined) {
      await pause(20);
      continue;
    }
    traffic.answers++;
    const found =
      response.status === 200 ? (JSON.parse(text) as { verdict: string }).verdict : response.status;
    if (found !== verdict) traffic.wrong.push(`${JSON.stringify(body)} ${found}`);
  }
}

async function block(items: readonly object[], subjects: readonly string[]): Promise<void> {
  await admin.change('POST', 'entries', { op: 'block', items, subjects, reason: 'drill' });
}

function portsOf(report: (text: string) => void): RotationPorts {
  return {
    ...{ admin, edges: [url], store: listKeyStore(KEY_FILE), publish, report },
    deploy: async (listKey) => {
      deployed = listKey;
      await killAndStart();
    },
  };
}

/** Repeats the command. It dies once at each of its reports, and the service is killed at the same time. */
async function dyingEverywhere(command: (ports: RotationPorts) => Promise<unknown>): Promise<string[]> {
  const seen = new Set<string>();
  for (;;) {
    let died = false;
    try {
      await command(
        portsOf((text) => {
          // `deploy` kills the service before it waits.
          if (seen.has(text) || text.includes('waiting')) return;
          seen.add(text);
          died = true;
          throw new Error('the command dies');
        }),
      );
      return [...seen];
    } catch (error) {
      if (!died) throw error;
      await killAndStart();
    }
  }
}

beforeAll(async () => {
  kv = await openKv();
  await start();
  admin = new Admin({ url, token: SECRETS.ADMIN_TOKEN });
  const made = await newKey('drill');
  client = made.key;
  await admin.change('PUT', 'clients/drill', {
    client: {
      id: 'drill',
      secretSha256: [made.secretSha256],
      rights: ['check'],
      senderRules: 'none',
      recordBlocks: true,
    },
    reason: 'drill',
  });
  await block([{ source: 'FOLDED-SENDER' }], ['from']);
  await publish();
  await block([{ source: 'LIVE-SENDER' }], ['from']);
  await block([{ number: '+821099990001' }], ['from', 'to']);
}, HANG_MS);

afterAll(async () => {
  isOver = true;
  await service.kill();
});

it('continues after every death, with no wrong verdict and no 5xx, until the old key opens nothing', {
  timeout: HANG_MS,
}, async () => {
  const before = (await admin.get<StatusInfo>('status')).current!;
  const [old] = listKeyParts(SECRETS.LIST_KEY);
  // The service is killed before it writes its own records, so write one here.
  await kv.put(recordsKey(new Date().toISOString(), 'drill'), 'x');
  const checking = checkOn();
  const reports = await dyingEverywhere((ports) => rotate(ports, OPTIONS));
  for (const step of ['made a new key', '1/4', '2/4', '3/4', '4/4']) {
    expect(reports.some((text) => text.includes(step))).toBe(true);
  }
  const ring = await listKeyRing();
  const state = await rotationState({ admin, store: listKeyStore(KEY_FILE) });
  expect(state).toMatchObject({ step: 'finish', keyIds: ring.ids, service: { current: ring.writer.keyId } });
  expect((await admin.get<StatusInfo>('status')).current!.keyId).toBe(ring.writer.keyId);
  // `finish` refuses while data still needs the old key, and names that data.
  const refused = { dropReleases: false, dropRecords: false };
  const needs = await finish(
    portsOf(() => undefined),
    refused,
  ).catch(({ message }: Error) => message);
  expect(needs).toContain(before.release);
  expect(needs).toMatch(/block records, until 20/);
  await dyingEverywhere((ports) => finish(ports, { dropReleases: true, dropRecords: true }));
  isOver = true;
  await checking;
  expect(traffic.wrong).toEqual([]);
  expect(traffic.answers).toBeGreaterThan(QUESTIONS.length);
  expect(readFileSync(KEY_FILE, 'utf8').trim()).toBe(deployed);
  expect(await healthOf(url)).toMatchObject({ status: 'ok', keyIds: [ring.writer.keyId] });
  const oldRing = await openKeyRing(old!);
  if (!oldRing.ok) throw new Error(oldRing.message);
  const head = (await kv.get(HEAD_KEY))! as Uint8Array<ArrayBuffer>;
  expect(await openHead(head, oldRing.value.writer)).toMatchObject({ ok: false, code: 'HEAD_FOREIGN' });
  expect((await openHead(head, ring.writer)).ok).toBe(true);
  expect(existsSync(`${KEY_FILE}.new`)).toBe(false);
});
