/**
 * `npm start`: the whole service on this machine. Creates secrets and demo lists if they are missing, starts
 * the service, pushes the lists as an admin would, and prints a request that you can paste.
 */
import { unwatchFile, watchFile } from 'node:fs';
import { relative } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Command } from 'commander';
import { Admin } from './admin.ts';
import { build, formatBuild } from './commands/build.ts';
import { formatProof, prove, QUICK_STEP } from './commands/prove.ts';
import { formatPush, push } from './commands/push.ts';
import { type Health, healthOf } from './commands/watch.ts';
import { LOCAL_HOST, servicePort, skipProxy } from './environment.ts';
import { CommandFailure, failureReport, hasCode } from './failure.ts';
import { makeDemoInputs } from './local/demo.ts';
import { ensureDemoClient, ensureDemoFeed, ensureDemoPartner } from './local/demo-clients.ts';
import { DEMO_ISSUER_FOLDER, type DemoIssuer, startDemoIssuer } from './local/demo-issuer.ts';
import { freePort } from './local/free-port.ts';
import { proveService } from './local/identity.ts';
import { repairValues } from './local/repair.ts';
import { localSecrets, workerSecrets } from './local/secrets.ts';
import { type Service, startService } from './local/service.ts';
import { claimState } from './local/state-claim.ts';
import { BUILDS, DEMO_CATALOGUE, SECRETS_FILE, STATE } from './paths.ts';
import { createPrivately } from './private-files.ts';
import { currentRelease } from './publish/base-release.ts';
import { kvOf } from './publish/wrangler.ts';
import { type LocalSecrets, listKeyRing } from './secrets.ts';
import { note, write } from './terminal/output.ts';
import { shellWord } from './terminal/shell-word.ts';
import { styleText } from './terminal/visible.ts';

/** How long to wait for the first response, in ms. */
const READY_WAIT_MS = 20_000;
const READY_PAUSE_MS = 200;
/** Time between two runs of the cron, in ms. */
const CRON_MS = 60_000;
/** Time between two checks of the file of secrets, in ms. */
const SECRETS_CHECK_MS = 500;
const REASON = 'npm start';

const report = (text: string): void => note(`${styleText('dim', text)}\n`);
const warn = (text: string): void => note(`${styleText('yellow', text)}\n`);

/** Whether the error says that the coordinator's tables have another LIST_KEY. */
function namesListKey(error: unknown): boolean {
  return error instanceof Error && error.message.includes('tables need LIST_KEY');
}

/**
 * Publishes the demo lists if nothing is published. Never replaces lists that others made.
 * @returns whether every value of the current release is in KV
 */
async function ensureRelease(admin: Admin): Promise<boolean> {
  const { manifest } = await currentRelease(admin, await listKeyRing()).catch((error: unknown) => {
    // A manifest that does not open gives FAILED. The service sends NOT_CONFIGURED.
    const isForeign = hasCode(error, 'FAILED') || (hasCode(error, 'NOT_CONFIGURED') && namesListKey(error));
    if (!isForeign) throw error;
    throw new CommandFailure(
      `${error.message}:\n${STATE} was created with other secrets than those in ${SECRETS_FILE}.\n` +
        'Restore those secrets. Only if you need nothing in that folder, delete it and start again: ' +
        'that destroys its clients, keys, tokens, live entries and audit log.',
    );
  });
  if (manifest !== null) return repairValues(admin, manifest, REASON, warn);
  await publishDemo(admin);
  return true;
}

async function publishDemo(admin: Admin): Promise<void> {
  report('creating the demo lists …');
  await makeDemoInputs();
  const built = await build({ catalogue: DEMO_CATALOGUE, builds: BUILDS, maxRejects: 0.01, admin });
  note(formatBuild(built)[0]);
  report('checking them against their inputs (npx numgate prove checks every number of 010) …');
  const proven = await prove(built.folder, QUICK_STEP);
  note(formatProof(proven)[0]);
  if (proven.wrong !== 0)
    throw new CommandFailure('the demo release gives wrong answers; nothing was pushed');
  report('pushing them into the local KV with wrangler …');
  const ports = { kv: kvOf({ remote: false, env: '' }), admin };
  const pushed = await push(built.folder, ports, { unproven: true, reason: REASON });
  note(formatPush(pushed, [])[0]);
}

/** Starts the demo issuer. The service also runs without it. */
async function ensureDemoIssuer(admin: Admin): Promise<DemoIssuer | null> {
  try {
    return await startDemoIssuer(admin, REASON);
  } catch (error) {
    if (!(error instanceof CommandFailure)) throw error;
    warn(`the demo issuer of sender certificates does not run: ${error.message}`);
    return null;
  }
}

/**
 * Waits until the service returns verdicts. If values are missing, a degraded service counts, too, because it stays degraded.
 */
async function untilReady(url: string, isWhole: boolean): Promise<void> {
  const deadline = Date.now() + READY_WAIT_MS;
  let health: Health | null = null;
  while (Date.now() < deadline) {
    health = await healthOf(url);
    if (health?.status === 'ok' || (health?.status === 'degraded' && !isWhole)) return;
    await pause(READY_PAUSE_MS);
  }
  const shown = health === null ? 'no response' : JSON.stringify(health);
  const message = `${url}/healthz did not become ok within ${READY_WAIT_MS / 1000} s: ${shown}`;
  if (health?.status !== 'degraded') throw new CommandFailure(message);
  warn(`${message}\nthe service starts anyway: see "Restore" in docs/operations.md`);
}

/** Runs the cron, because Miniflare does not. Without it, a staged release would wait forever. */
function runCronOf(service: Service): void {
  setInterval(() => {
    service.runCron().catch((error: unknown) => report(`the cron failed: ${String(error)}`));
  }, CRON_MS).unref();
}

/** @param url of the service: the base of its own status lists */
async function bindingsOf(secrets: LocalSecrets, url: string) {
  return { ...(await workerSecrets(secrets)), PUBLIC_URL: url };
}

/** Restarts the Worker when a rotation of LIST_KEY changes the keys in the file of secrets. */
function followListKey(service: Service, { LIST_KEY }: LocalSecrets): void {
  let used = LIST_KEY;
  watchFile(SECRETS_FILE, { interval: SECRETS_CHECK_MS, persistent: false }, async () => {
    try {
      const secrets = await localSecrets();
      if (secrets.LIST_KEY === used) return;
      used = secrets.LIST_KEY;
      report('LIST_KEY has changed: restarting the Worker …');
      await service.replaceSecrets(await bindingsOf(secrets, service.url));
    } catch (error) {
      warn(`the new LIST_KEY could not be used: ${String(error)}`);
    }
  });
}

/** @param ends stop the proof and the demo issuer. They run first: the port of the service is free before the process ends */
function stopOnSignal(service: Service, ends: readonly (() => void)[]): void {
  let stopping = false;
  const stop = (): void => {
    if (stopping) return;
    stopping = true;
    unwatchFile(SECRETS_FILE);
    for (const end of ends) end();
    service.stop().finally(() => process.exit(0));
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
}

async function main(): Promise<void> {
  createPrivately();
  const port = servicePort() || (await freePort());
  claimState(port);
  const secrets = await localSecrets();
  report('starting the service …');
  const bindings = await bindingsOf(secrets, `http://localhost:${port}`);
  const service = await startService({ port, secrets: bindings });
  const ends: (() => void)[] = [];
  stopOnSignal(service, ends);
  const { url } = service;
  let issuer: DemoIssuer | null;
  try {
    const address = new URL(url);
    // Another service may listen on ::1, the other address of localhost.
    address.hostname = LOCAL_HOST;
    skipProxy();
    const admin = new Admin({ url: address.origin, token: secrets.ADMIN_TOKEN });
    const isWhole = await ensureRelease(admin);
    await ensureDemoClient(admin, secrets.DEMO_CLIENT_KEY, REASON);
    await ensureDemoPartner(admin, secrets.DEMO_PARTNER_KEY, REASON);
    await ensureDemoFeed(admin, secrets.DEMO_FEED_KEY, REASON);
    issuer = await ensureDemoIssuer(admin);
    if (issuer !== null) ends.push(issuer.stop);
    await untilReady(url, isWhole);
  } catch (error) {
    await service.stop();
    throw error;
  }
  runCronOf(service);
  followListKey(service, secrets);
  ends.push(await proveService(Number(new URL(url).port)));
  write(
    `\nnumgate is running on ${styleText('bold', url)}   (Ctrl-C stops it)\n\n` +
      `curl -s ${url}/v1/check -H 'authorization: Bearer ${secrets.DEMO_CLIENT_KEY}' \\\n` +
      `  -H 'content-type: application/json' -d '{"from":"1588-1234","to":"010-0123-4567"}'\n\n` +
      `A demo partner reports spam from test numbers (docs/joint-response.md)\n` +
      `  PARTNER_KEY=${secrets.DEMO_PARTNER_KEY}\n` +
      `A demo consumer follows the feed of all blocks (docs/sharing.md)\n` +
      `  FEED_KEY=${secrets.DEMO_FEED_KEY}\n\n${formatIssuer(issuer)}`,
  );
}

function formatIssuer(issuer: DemoIssuer | null): string {
  if (issuer === null) return '';
  const place = issuer.url ?? 'no URL, because its port is in use: push its status list';
  return (
    `A demo issuer of sender certificates serves ${place}\n` +
    `  ISSUER_FOLDER=${shellWord(relative('', DEMO_ISSUER_FOLDER))} npx node examples/issuer/main.ts --help\n\n`
  );
}

await new Command('npm start --')
  .description('Run the whole service on this machine, on port PORT (8787).')
  .exitOverride()
  .action(main)
  .parseAsync()
  .catch((error: unknown) => {
    const { exitCode, text } = failureReport(error);
    note(text);
    process.exit(exitCode);
  });
