/**
 * Workers that do only HTTP and JSON, without a lookup. The HTTP benchmarks use them as baselines. They run
 * in the process of the service, so both share the runtime and the core.
 */

/** Reads nothing and responds `ok`. */
const OK = `export default { fetch: () => new Response('ok') };`;

/** Streams the body back. */
const IDENTITY = `export default { fetch: (request) => new Response(request.body) };`;

/** Reads the body and returns what was PUT before: the same bytes each time. */
const FIXED = `
let answer = '';
export default {
  async fetch(request) {
    const text = await request.text();
    if (request.method === 'PUT') answer = text;
    return new Response(answer, { headers: { 'content-type': 'application/json' } });
  },
};`;

/**
 * The HTTP work of a check without a verdict: reads the key, the correlator and the body, and returns what
 * was PUT before, with the same headers, which are created for each request.
 */
const ENVELOPE = `
let answer = '';
let headers = {};
export default {
  fetch(request) {
    if (request.method === 'GET') return answerTo(request);
    return request.method === 'PUT' ? keep(request) : request.text().then(() => answerTo(request));
  },
};
function answerTo(request) {
  const key = request.headers.get('authorization');
  const correlator = request.headers.get('x-correlator') ?? crypto.randomUUID();
  if (key === null) return new Response(null, { status: 401 });
  return new Response(answer, { headers: { ...headers, 'x-correlator': correlator } });
}
async function keep(request) {
  ({ answer, headers } = await request.json());
  return new Response(null);
}`;

/** Parses the body as JSON and serializes the value that was PUT to this URL before. */
const JSON_ONLY = `
const answers = new Map();
export default {
  async fetch(request) {
    const value = JSON.parse(await request.text());
    if (request.method === 'PUT') answers.set(request.url, value);
    const answer = JSON.stringify(answers.get(request.url));
    return new Response(answer, { headers: { 'content-type': 'application/json' } });
  },
};`;

/** The modules by their names in the benchmarks. */
export const FLOORS = {
  ok: OK,
  identity: IDENTITY,
  fixed: FIXED,
  envelope: ENVELOPE,
  json: JSON_ONLY,
} as const;
