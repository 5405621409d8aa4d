/**
 * `npm start`: the whole service on this machine. Makes secrets and demo lists where there are none,
 * pushes them with wrangler, serves, and prints a request that can be pasted.
 */
import colours from 'picocolors';
import { openHead } from '../shared/release/head.ts';
import { CLIENTS_KEY, HEAD_KEY } from '../shared/release/kv-keys.ts';
import { openManifest } from '../shared/release/manifest.ts';
import { build } from './commands/build.ts';
import { putClient } from './commands/clients.ts';
import { prove, QUICK_STEP } from './commands/prove.ts';
import { push } from './commands/push.ts';
import { makeDemoInputs } from './demo.ts';
import { CommandFailure } from './failure.ts';
import { BUILDS, DEMO_CATALOGUE, SECRETS_FILE, STATE } from './paths.ts';
import * as report from './report.ts';
import { type LocalSecrets, listKeys, localSecrets, publicKeys } from './secrets.ts';
import { startService } from './service.ts';
import { kvGet, type Target } from './wrangler.ts';

const LOCAL: Target = { remote: false, env: '' };
/** Wait for the first answer, in ms. */
const READY_WAIT_MS = 20_000;
/** Local: a demo is not to be slowed down. */
const DEMO_QUOTA_ITEMS = 1_000_000_000;

const say = (text: string): void => void process.stderr.write(`${colours.dim(text)}\n`);

/** Whether the local KV has a release. One that was made with other secrets is not ours to replace. */
async function hasRelease(): Promise<boolean> {
  const text = await kvGet(HEAD_KEY, LOCAL);
  if (text === null) return false;
  const trusted = await publicKeys();
  const head = await openHead(text, trusted);
  const opened = head.ok ? await openManifest(head.value.manifest, trusted, (await listKeys()).keyId) : head;
  if (opened.ok) return true;
  throw new CommandFailure(
    `the local KV in ${STATE} was made with other secrets than ${SECRETS_FILE} (${opened.code}):\n` +
      'restore those secrets, or delete that folder to begin anew',
  );
}

async function publishDemo(): Promise<void> {
  say('making the demo lists …');
  await makeDemoInputs();
  const built = await build({
    catalogue: DEMO_CATALOGUE,
    builds: BUILDS,
    maxRejects: 0.01,
    allowEmpty: false,
  });
  process.stderr.write(report.built(built)[0]);
  say('checking them against their inputs (npm run lists -- prove asks every number of 010) …');
  const proven = await prove(built.folder, QUICK_STEP);
  process.stderr.write(report.proven(proven)[0]);
  if (proven.wrong !== 0) throw new CommandFailure('the demo release is wrong; nothing was pushed');
  say('pushing them into the local KV with wrangler …');
  process.stderr.write(
    report.pushed(
      await push(built.folder, {
        target: LOCAL,
        unproven: true,
        all: false,
        replaceHead: false,
      }),
    )[0],
  );
}

async function registerDemoClient({ DEMO_CLIENT_KEY }: LocalSecrets): Promise<void> {
  const [id = '', secret = ''] = DEMO_CLIENT_KEY.split('.');
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(secret));
  const secretSha256 = [Buffer.from(digest).toString('hex')];
  if ((await kvGet(CLIENTS_KEY, LOCAL))?.includes(secretSha256[0]!) === true) return;
  await putClient({ id, secretSha256, rights: ['check', 'gateway'], quotaItems: DEMO_QUOTA_ITEMS }, LOCAL);
}

async function untilReady(url: string): Promise<void> {
  const deadline = Date.now() + READY_WAIT_MS;
  while (Date.now() < deadline) {
    const response = await fetch(`${url}/healthz`).catch(() => null);
    if (response?.ok === true) return;
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
  throw new CommandFailure(`${url}/healthz did not become 200 within ${READY_WAIT_MS / 1000} s`);
}

async function main(): Promise<void> {
  const port = Number(process.env.PORT ?? 8787);
  if (!Number.isInteger(port) || port < 0 || port > 65_535)
    throw new CommandFailure('PORT must be 0 to 65535', 2);
  const secrets = await localSecrets();
  if (!(await hasRelease())) await publishDemo();
  await registerDemoClient(secrets);
  say('starting the service …');
  const { LIST_KEY, RELEASE_PUBLIC_KEYS } = secrets;
  const service = await startService({ port, secrets: { LIST_KEY, RELEASE_PUBLIC_KEYS } });
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    service.stop().finally(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  await untilReady(service.url);
  process.stdout.write(
    `\nnumgate answers on ${colours.bold(service.url)}   (Ctrl-C stops it)\n\n` +
      `curl -s ${service.url}/v1/check -H 'authorization: Bearer ${secrets.DEMO_CLIENT_KEY}' \\\n` +
      `  -H 'content-type: application/json' -d '{"from":"1588-1234","to":"010-0123-4567"}'\n\n`,
  );
}

main().catch((error: unknown) => {
  process.exit(report.failure(error));
});
