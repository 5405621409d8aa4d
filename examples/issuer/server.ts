/** Serves the public data of an issuer over HTTP: its public keys and its status list. */
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { Issuer } from './issuer.ts';

/** How long a signed copy of the list is reused, in ms. A change becomes visible after that time. */
const SAME_LIST_MS = 1_000;
const LIST_TYPE = 'application/statuslist+jwt';

/** @returns a server that is not listening yet */
export function issuerServer(issuer: Issuer): Server {
  const listPath = new URL(issuer.names.statusUri).pathname;
  let current: { readonly list: Promise<string>; readonly signedAt: number } | null = null;
  const listNow = (): Promise<string> => {
    if (current === null || Date.now() - current.signedAt >= SAME_LIST_MS)
      current = { list: issuer.statusList(), signedAt: Date.now() };
    return current.list;
  };
  return createServer((request, response) => {
    const send = (status: number, type: string, body: string): void => {
      response.writeHead(status, { 'content-type': type, 'cache-control': 'no-store' });
      response.end(request.method === 'HEAD' ? undefined : body);
    };
    if (request.method !== 'GET' && request.method !== 'HEAD')
      return send(405, 'text/plain', 'only GET and HEAD\n');
    // Null for an invalid path, such as "//".
    const pathname = URL.parse(request.url ?? '/', issuer.names.statusUri)?.pathname ?? null;
    if (pathname === '/.well-known/jwks.json')
      return send(200, 'application/jwk-set+json', JSON.stringify(issuer.keys()));
    if (pathname !== listPath) return send(404, 'text/plain', 'not found\n');
    listNow().then(
      (list) => send(200, LIST_TYPE, list),
      () => failed(response),
    );
  });
}

function failed(response: ServerResponse): void {
  response.writeHead(500, { 'content-type': 'text/plain' });
  response.end('the list could not be signed\n');
}
