/**
 * A child process that runs the real embedded service, so that all it prints can be captured: one with
 * data, one whose store is written to by somebody else, one whose store has clients and no release, one
 * without secrets. Prints their addresses as one
 * line of JSON; ends when its standard input does, so that it never outlives the tests.
 */
import { join } from 'node:path';
import { startService } from '../../../cli/service.ts';

const folder = process.argv[2]!;
const secrets = {
  LIST_KEY: process.env.LIST_KEY!,
  RELEASE_PUBLIC_KEYS: process.env.RELEASE_PUBLIC_KEYS!,
};

async function start(name: string, withSecrets: Record<string, string>): ReturnType<typeof startService> {
  return startService({
    port: 0,
    secrets: withSecrets,
    state: join(folder, name),
    bundleFolder: join(folder, `bundle-${name}`),
  });
}

const services = await Promise.all([
  start('state', secrets),
  start('state-forged', secrets),
  start('state-without-release', secrets),
  start('state-without-secrets', {}),
]);
const [url, forged, withoutRelease, withoutSecrets] = services.map((service) => service.url);

process.stdin.on('end', () => {
  void Promise.allSettled(services.map((service) => service.stop())).then(() => process.exit(0));
});
process.stdin.resume();
process.stdout.write(`${JSON.stringify({ url, forged, withoutRelease, withoutSecrets })}\n`);
