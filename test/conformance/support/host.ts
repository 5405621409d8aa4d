/**
 * A child process that runs the services, so that the tests can capture their output. It prints the addresses of the services
 * as one line of JSON. A line `cron` on standard input runs the cron of the admin service and prints a line. The process ends
 * when its standard input ends, so it never outlives the tests.
 */
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { startService } from '../../../cli/local/service.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { startAlone, startPlanes } from './planes.ts';

const folder = process.argv[2]!;
const secrets = {
  LIST_KEY: process.env.LIST_KEY!,
  RELEASE_PUBLIC_KEYS: process.env.RELEASE_PUBLIC_KEYS!,
  ROOT_TOKEN_SHA256: process.env.ROOT_TOKEN_SHA256!,
  CHECKPOINT_KEY: process.env.CHECKPOINT_KEY!,
  CREDENTIAL_KEY: process.env.CREDENTIAL_KEY!,
  SHARING_KEY: process.env.SHARING_KEY!,
  TEXT_KEY: process.env.TEXT_KEY!,
  PUBLIC_URL: 'https://numgate.example',
};

async function start(name: string, withSecrets: Record<string, string>): ReturnType<typeof startService> {
  return startService({
    port: 0,
    secrets: withSecrets,
    state: join(folder, name),
    bundleFolder: await sharedBundle(),
    isBundled: true,
  });
}

const [main, admin, withoutRelease, withoutSecrets, planes, alone, cold] = await Promise.all([
  start('state', secrets),
  start('state-admin', secrets),
  start('state-without-release', secrets),
  start('state-without-secrets', {}),
  startPlanes(secrets, join(folder, 'state-planes'), folder),
  startAlone('alone', secrets, join(folder, 'state-alone'), folder),
  startAlone('cold', secrets, join(folder, 'state-cold'), folder),
]);

const print = (value: unknown): void => void process.stdout.write(`${JSON.stringify(value)}\n`);
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  if (line === 'cron') {
    admin.runCron().then(
      () => print({ cron: 'done' }),
      (error: unknown) => print({ cron: String(error) }),
    );
  }
});
lines.on('close', () => {
  const services = [main, admin, withoutRelease, withoutSecrets, planes, alone, cold];
  void Promise.allSettled(services.map((service) => service.stop())).then(() => process.exit(0));
});
print({
  url: main.url,
  admin: admin.url,
  withoutRelease: withoutRelease.url,
  withoutSecrets: withoutSecrets.url,
  edge: planes.urls.edge,
  control: planes.urls['numgate-control'],
  alone: alone.urls.alone,
  cold: cold.urls.cold,
});
