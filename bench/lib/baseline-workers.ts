/**
 * Workers that do only HTTP and JSON, without a lookup. The HTTP benchmarks use them as baselines. They run
 * in the process of the service, so both share the runtime and the core.
 */

/** Reads nothing and responds `ok`. */
const OK = `export default { fetch: () => new Response('ok') };`;

/** Streams the body back. */
const IDENTITY = `export default { fetch: (request) => new Response(request.body) };`;

/**
 * Does the HTTP work of a check without computing a verdict. It reads the key, the correlator and the body. It
 * returns the body of the last PUT, with the same headers, which it creates for each request.
 */
const ENVELOPE = `
let body = '';
let headers = {};
export default {
  fetch(request) {
    if (request.method === 'GET') return respond(request);
    return request.method === 'PUT' ? keep(request) : request.text().then(() => respond(request));
  },
};
function respond(request) {
  const key = request.headers.get('authorization');
  const correlator = request.headers.get('x-correlator') ?? crypto.randomUUID();
  if (key === null) return new Response(null, { status: 401 });
  return new Response(body, { headers: { ...headers, 'x-correlator': correlator } });
}
async function keep(request) {
  ({ text: body, headers } = await request.json());
  return new Response(null);
}`;

/** Parses the body as JSON and serializes the value that the last PUT to this URL sent. */
const JSON_ONLY = `
const values = new Map();
export default {
  async fetch(request) {
    const value = JSON.parse(await request.text());
    if (request.method === 'PUT') values.set(request.url, value);
    const body = JSON.stringify(values.get(request.url));
    return new Response(body, { headers: { 'content-type': 'application/json' } });
  },
};`;

/** The modules by the names that the benchmarks use. */
export const BASELINE_WORKERS = {
  ok: OK,
  identity: IDENTITY,
  envelope: ENVELOPE,
  json: JSON_ONLY,
} as const;
