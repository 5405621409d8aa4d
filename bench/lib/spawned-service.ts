/** Runs the embedded service in its own process, which a test can kill. Arguments: port, state, bundle, secrets. */
import { startService } from '../../cli/local/service.ts';

const [port, state, bundleFolder, secrets] = process.argv.slice(2);
const { url } = await startService({
  ...{ port: Number(port), state: state!, bundleFolder: bundleFolder!, isBundled: true },
  secrets: JSON.parse(secrets!) as Record<string, string>,
});
process.stdout.write(`${url}\n`);
