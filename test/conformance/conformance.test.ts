/**
 * The service as a client sees it: real CLI, real Worker, real sockets. All suites share one environment, because creating
 * lists and clients takes half a minute. README.md maps requirements to tests.
 */
import { afterAll, beforeAll } from 'vitest';
import { startWorld, stopWorld } from './support/world.ts';

beforeAll(startWorld);
afterAll(stopWorld);

await import('./check.suite.ts');
await import('./test-numbers.suite.ts');
await import('./precedence.suite.ts');
await import('./readings.suite.ts');
await import('./modes.suite.ts');
await import('./senders.suite.ts');
await import('./headers.suite.ts');
await import('./quota.suite.ts');
await import('./batch.suite.ts');
await import('./stream-text.suite.ts');
await import('./stream-json.suite.ts');
await import('./stream-flow.suite.ts');
await import('./stream-model.suite.ts');
await import('./gateway.suite.ts');
await import('./text.suite.ts');
await import('./bad-requests.suite.ts');
await import('./content-type.suite.ts');
await import('./body-coding.suite.ts');
await import('./accept.suite.ts');
await import('./bad-fields.suite.ts');
await import('./service.suite.ts');
await import('./admin-releases.suite.ts');
await import('./admin-entries.suite.ts');
await import('./admin-undo.suite.ts');
await import('./admin-concurrent.suite.ts');
await import('./admin-passport.suite.ts');
await import('./admin-policy.suite.ts');
await import('./admin-access.suite.ts');
await import('./admin-requests.suite.ts');
await import('./authorization.suite.ts');
await import('./qualification.suite.ts');
await import('./credentials.suite.ts');
await import('./text-releases.suite.ts');
await import('./admin-usage.suite.ts');
await import('./proposals.suite.ts');
await import('./registrations.suite.ts');
await import('./registrations-bulk.suite.ts');
await import('./reports.suite.ts');
await import('./feed.suite.ts');
// This suite uses the changes of the other admin suites.
await import('./admin-audit.suite.ts');
await import('./admin-evidence.suite.ts');
await import('./planes.suite.ts');
await import('./outage.suite.ts');
await import('./openapi.suite.ts');
await import('./docs.suite.ts');
// This suite is last, because it reads the output of the services from all suites.
await import('./privacy.suite.ts');
