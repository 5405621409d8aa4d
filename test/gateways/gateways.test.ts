/**
 * The examples with the real service. All suites share one service, because a service with a release takes
 * seconds to start.
 */
import { afterAll, beforeAll } from 'vitest';
import { startGatewayService, stopGatewayService } from './support/service.ts';

beforeAll(startGatewayService);
afterAll(stopGatewayService);

await import('./kamailio.suite.ts');
await import('./kamailio-callers.suite.ts');
await import('./kamailio-headers.suite.ts');
await import('./kamailio-identities.suite.ts');
await import('./kamailio-transports.suite.ts');
await import('./kamailio-texts.suite.ts');
await import('./smpp.suite.ts');
await import('./kannel.suite.ts');
await import('./passport.suite.ts');
await import('./node-client.suite.ts');
await import('./node-client-package.suite.ts');
// This suite is last, because it compares counts, which must no longer change.
await import('./prometheus.suite.ts');
