/** The registrar of the Node client: its requests, its retries, and the errors of refusals. */
import { describe, expect, it } from 'vitest';
import {
  makeRegistrar,
  NumgateError,
  type Registrar,
  type RegistrationContent,
} from '../../examples/node/client.ts';
import { json, problem, type Respond, type SentRequest } from './support/fake-fetch.ts';

const CONTENT: RegistrationContent = {
  ...{ number: '1588-1234', basis: 'own' as const, holder: { kind: 'organisation' as const, name: 'Acme' } },
  clients: ['acme-main'],
};
const PATH = 'https://control.example/v1/admin/organisations/acme/registrations';

function registrarOf(respond: Respond): { readonly registrar: Registrar; readonly sent: SentRequest[] } {
  const sent: SentRequest[] = [];
  const fetched = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    return respond(request, sent.push(request) - 1);
  };
  const registrar = makeRegistrar({
    ...{ url: 'https://control.example/', token: 'acme.secret', organisation: 'acme' },
    ...{ fetch: fetched as typeof fetch, pause: async () => undefined },
  });
  return { registrar, sent };
}

const headersOf = ({ init }: SentRequest) => init.headers as Record<string, string>;

async function all<Value>(values: AsyncIterable<Value>): Promise<Value[]> {
  const found: Value[] = [];
  for await (const value of values) found.push(value);
  return found;
}

describe('the registrar', () => {
  it('repeats a change with the same key until it is made', async () => {
    const { registrar, sent } = registrarOf((_, index) => {
      if (index === 0) throw new TypeError('fetch failed');
      return index === 1 ? problem(503, 'UNAVAILABLE') : json({ id: '17', state: 'submitted' });
    });
    expect(await registrar.create(CONTENT, { submit: true })).toEqual({ id: '17', state: 'submitted' });
    expect(sent.map(({ url, init }) => [init.method, url])).toEqual(sent.map(() => ['POST', PATH]));
    expect(new Set(sent.map((request) => headersOf(request)['idempotency-key'])).size).toBe(1);
    expect(JSON.parse(sent[0]!.body)).toEqual({ registration: CONTENT, submit: true });
    await registrar.submit('17');
    expect(headersOf(sent[3]!)['idempotency-key']).not.toBe(headersOf(sent[0]!)['idempotency-key']);
  });

  it('edits the version that you have read', async () => {
    const { registrar, sent } = registrarOf(() => json({ id: '17' }));
    await registrar.edit('17', { clients: ['acme-2'] }, { version: 3 });
    expect(sent[0]).toMatchObject({ url: `${PATH}/17`, init: { method: 'PATCH' } });
    expect(headersOf(sent[0]!)['if-match']).toBe('"3"');
    await registrar.edit('17', { clients: ['acme-2'] });
    expect(headersOf(sent[1]!)['if-match']).toBeUndefined();
  });

  it('rejects with every reason, and sends nothing again that cannot succeed', async () => {
    const reasons = [{ field: 'proofs', code: 'PROOF_MISSING', detail: 'missing', help: 'add it' }];
    const { registrar, sent } = registrarOf(() =>
      json(
        {
          type: 'urn:numgate:problem:registration-invalid',
          status: 422,
          code: 'REGISTRATION_INVALID',
          reasons,
        },
        422,
      ),
    );
    const error = await registrar.create(CONTENT).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(NumgateError);
    expect(error).toMatchObject({ code: 'REGISTRATION_INVALID', status: 422, reasons });
    expect(sent).toHaveLength(1);
  });

  it('lists page by page, and events up to the newest', async () => {
    const { registrar, sent } = registrarOf(({ url }) => {
      if (url.includes('/events?after=0')) return json({ events: [{ id: 1 }, { id: 2 }] });
      if (url.includes('/events')) return json({ events: [] });
      return url.includes('after=0')
        ? json({ registrations: [{ id: '1' }], next: '1' })
        : json({ registrations: [{ id: '2' }], next: null });
    });
    expect((await all(registrar.list({ state: 'approved' }))).map(({ id }) => id)).toEqual(['1', '2']);
    expect(sent[1]!.url).toBe(`${PATH}?state=approved&after=1&limit=1000`);
    expect((await all(registrar.events())).map(({ id }) => id)).toEqual([1, 2]);
  });

  it('uploads pieces that contain each line once, each with the header and a key of its own', async () => {
    const lines = Array.from(
      { length: 2_500 },
      (_, index) => `r${index},${'한'.repeat(index === 7 ? 100 : 1)}`,
    );
    const { registrar, sent } = registrarOf(({ url, body }) => {
      const first = Number(new URL(url).searchParams.get('line'));
      const rows = body
        .trimEnd()
        .split('\n')
        .slice(1)
        .map((line, index) => ({ line: first + index, reference: line.split(',')[0] }));
      return json({ rows });
    });
    const rows = await all(registrar.upload(['header', ...lines], { upload: 'u1', submit: true }));
    expect(rows.map(({ line, reference }) => [line, reference])).toEqual(
      lines.map((_, index) => [index + 2, `r${index}`]),
    );
    expect(sent.map((request) => headersOf(request)['idempotency-key'])).toEqual([
      'u1:2',
      'u1:1002',
      'u1:2002',
    ]);
    expect(sent.every(({ url, body }) => url.includes('submit=true') && body.startsWith('header\n'))).toBe(
      true,
    );
    expect(await all(registrar.upload(['header']))).toEqual([]);
  });
});
