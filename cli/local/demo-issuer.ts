/**
 * The issuer of sender certificates that `npm start` runs beside the service. It is the issuer of the examples, and runs in
 * this process, so it ends with the process. It is configured for a few numbers only, and its name says that it is a demo.
 */
import { once } from 'node:events';
import { dirname, join } from 'node:path';
import { Issuer } from '../../examples/issuer/issuer.ts';
import { issuerServer } from '../../examples/issuer/server.ts';
import type { Admin } from '../admin.ts';
import { LOCAL_HOST } from '../environment.ts';
import { STATE } from '../paths.ts';
import { freePort } from './free-port.ts';

/** The issuer's key, the certificates that it has issued, and its status list. */
export const DEMO_ISSUER_FOLDER = join(dirname(STATE), 'issuer');
export const DEMO_ISSUER = 'demo-issuer';
const ISS = 'https://demo-issuer.example';
/** The representative numbers that the documents use. */
const NUMBERS = ['+8215881200..+8215881299'];

export interface DemoIssuer {
  /** Null if the issuer does not serve, because something else uses its port. */
  readonly url: string | null;
  stop(): void;
}

/** Starts the issuer, with the same key and port as before, and configures it. */
export async function startDemoIssuer(admin: Admin, reason: string): Promise<DemoIssuer> {
  const names = { iss: ISS, statusUri: `http://${LOCAL_HOST}:${await freePort()}/status-lists/1` };
  const issuer = await Issuer.create(DEMO_ISSUER_FOLDER, names);
  const { host, origin, port } = new URL(issuer.names.statusUri);
  const server = issuerServer(issuer).listen(Number(port), LOCAL_HOST);
  const isServing = await once(server, 'listening').then(
    () => true,
    () => false,
  );
  const stop = (): void => {
    server.close();
    server.closeAllConnections();
    issuer.close();
  };
  try {
    await admin.change('PUT', `issuers/${DEMO_ISSUER}`, {
      issuer: {
        ...{ id: DEMO_ISSUER, organisation: 'default', iss: ISS, keys: issuer.keys(), numbers: NUMBERS },
        ...{ operators: [], statusHosts: [host], state: 'active' },
      },
      reason,
    });
  } catch (error) {
    stop();
    throw error;
  }
  return { url: isServing ? origin : null, stop };
}
