/**
 * Workers that do what HTTP and JSON alone cost, and look nothing up: what the benches over HTTP compare
 * with. They run in the process of the service, so that both have the same runtime and the same core.
 */

/** Reads nothing, answers `ok`. */
const OK = `export default { fetch: () => new Response('ok') };`;

/** Gives the body back as it comes. */
const IDENTITY = `export default { fetch: (request) => new Response(request.body) };`;

/** Reads the body, and answers what was PUT before: the same bytes each time. */
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
 * What HTTP asks of a check, and no verdict: reads the key, the correlator and the body, and answers what was PUT
 * before, under the same headers, which are written anew for each request.
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

/** Parses the body as JSON, and makes JSON of the value that was PUT to this address before. */
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

/** Their modules, by the names that the benches know them by. */
export const FLOORS = {
  ok: OK,
  identity: IDENTITY,
  fixed: FIXED,
  envelope: ENVELOPE,
  json: JSON_ONLY,
} as const;
