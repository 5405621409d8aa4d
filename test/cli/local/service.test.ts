/** The embedded service: its port is in use, or its secrets change while it runs. */
import '../support/workspace.ts';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { healthOf } from '../../../cli/commands/watch.ts';
import { startService } from '../../../cli/local/service.ts';
import { openKeyRing } from '../../../shared/set/key-ring.ts';
import { sharedBundle } from '../../support/shared-bundle.ts';
import { pathOf } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { SECRETS } from '../support/workspace.ts';

describe('a service on a port in use', () => {
  it('does not start, names the port and says how to use another one', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const { LIST_KEY, RELEASE_PUBLIC_KEYS } = SECRETS;
    const bundleFolder = await sharedBundle();
    const failure = await failureOf(() =>
      startService({
        port,
        secrets: { LIST_KEY, RELEASE_PUBLIC_KEYS },
        state: pathOf('service-state'),
        ...{ bundleFolder, isBundled: true },
      }),
    );
    holder.close();
    expect(failure.exitCode).toBe(1);
    expect(failure.message).toContain(`the service did not start on port ${port}: `);
    expect(failure.message).toMatch(/set PORT to use another port$/);
  });
});

describe('a running service', () => {
  it('takes up other secrets on the same port', async () => {
    const { LIST_KEY, RELEASE_PUBLIC_KEYS } = SECRETS;
    const both = `${LIST_KEY},${Buffer.alloc(32, 7).toString('base64')}`;
    const service = await startService({
      ...{ port: 0, secrets: { LIST_KEY, RELEASE_PUBLIC_KEYS }, state: pathOf('service-state') },
      ...{ bundleFolder: await sharedBundle(), isBundled: true },
    });
    try {
      const ids = async () =>
        [await openKeyRing(LIST_KEY), await openKeyRing(both)].map((ring) => ring.ok && ring.value.ids);
      const [one, two] = await ids();
      expect((await healthOf(service.url))?.keyIds).toEqual(one);
      await service.replaceSecrets({ LIST_KEY: both, RELEASE_PUBLIC_KEYS });
      expect((await healthOf(service.url))?.keyIds).toEqual(two);
    } finally {
      await service.stop();
    }
  });
});
