/**
 * The embedded service if it cannot start because its port is in use.
 */
import '../support/workspace.ts';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { startService } from '../../../cli/local/service.ts';
import { pathOf } from '../support/builds.ts';
import { failureOf } from '../support/failing.ts';
import { SECRETS } from '../support/workspace.ts';

describe('a service on a port in use', () => {
  it('does not start, names the port and says how to use another one', async () => {
    const holder = createServer();
    await new Promise<void>((resolve) => holder.listen(0, '127.0.0.1', resolve));
    const { port } = holder.address() as AddressInfo;
    const { LIST_KEY, RELEASE_PUBLIC_KEYS } = SECRETS;
    const failure = await failureOf(() =>
      startService({
        port,
        secrets: { LIST_KEY, RELEASE_PUBLIC_KEYS },
        state: pathOf('service-state'),
        bundleFolder: pathOf('bundle'),
      }),
    );
    holder.close();
    expect(failure.exitCode).toBe(1);
    expect(failure.message).toContain(`the service did not start on port ${port}: `);
    expect(failure.message).toMatch(/set PORT to use another port$/);
  });
});
