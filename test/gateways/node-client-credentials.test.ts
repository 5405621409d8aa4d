/** Certificates and delegations of the Node client: what it signs, sends and repeats. */
import { exportJWK, generateKeyPair, importJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import {
  type CredentialRegistrar,
  digestOf,
  type HolderJwk,
  type HolderKey,
  makeCredentialRegistrar,
  openHolderKey,
} from '../../examples/node/client.ts';
import { json, problem, type Respond, type SentRequest } from './support/fake-fetch.ts';

const PATH = 'https://control.example/v1/admin/organisations/acme';
const CERTIFICATE = 'e30.e30.YQ';

function registrarOf(respond: Respond): {
  readonly registrar: CredentialRegistrar;
  readonly sent: SentRequest[];
} {
  const sent: SentRequest[] = [];
  const fetched = async (input: unknown, init: RequestInit = {}): Promise<Response> => {
    const request = { url: String(input), init, body: String(init.body) };
    return respond(request, sent.push(request) - 1);
  };
  const registrar = makeCredentialRegistrar({
    ...{ url: 'https://control.example/', token: 'acme.secret', organisation: 'acme' },
    ...{ fetch: fetched as typeof fetch, pause: async () => undefined },
  });
  return { registrar, sent };
}

async function newKey(): Promise<HolderKey> {
  const { privateKey } = await generateKeyPair('ES256', { extractable: true });
  return openHolderKey((await exportJWK(privateKey)) as unknown as HolderJwk);
}

const verified = async (token: string, { publicKey }: HolderKey, typ: string) =>
  (await jwtVerify(token, await importJWK(publicKey as unknown as JWK, 'ES256'), { typ })).payload;

describe('the registrar of credentials', () => {
  it('uploads a certificate with a proof, and repeats it with the same key until it is stored', async () => {
    const key = await newKey();
    const { registrar, sent } = registrarOf((_, index) =>
      index === 0 ? problem(503, 'UNAVAILABLE') : json({ digest: 'd', registrations: ['1'] }),
    );
    const upload = { certificate: CERTIFICATE, key, clients: ['acme-main'], reference: 'care' };
    expect(await registrar.addCertificate(upload)).toEqual({ digest: 'd', registrations: ['1'] });
    expect(sent.map(({ url, init }) => [init.method, url])).toEqual(
      Array(2).fill(['POST', `${PATH}/certificates`]),
    );
    const keys = sent.map(({ init }) => (init.headers as Record<string, string>)['idempotency-key']);
    expect(new Set(keys).size).toBe(1);
    const body = JSON.parse(sent[0]!.body) as { readonly proof: string; readonly key: object };
    const { proof, ...rest } = body;
    const { key: _, ...content } = upload;
    expect(rest).toEqual({ ...content, key: key.publicKey });
    expect(rest.key).not.toHaveProperty('d');
    const payload = await verified(proof, key, 'sender-proof+jwt');
    expect(payload).toMatchObject({ aud: 'acme', crt: await digestOf(CERTIFICATE) });
  });

  it('signs what the service returns to confirm a delegation', async () => {
    const key = await newKey();
    const claims = { iss: 'acme', sub: 'relay', nums: ['+8215881234'] };
    const { registrar, sent } = registrarOf(({ init }) =>
      init.method === 'GET'
        ? json({ id: '7', state: 'accepted', toSign: { header: {}, claims } })
        : json({ id: '7' }),
    );
    await registrar.confirm('7', key);
    expect(sent[1]!.url).toBe(`${PATH}/delegations/7/confirm`);
    const { delegation } = JSON.parse(sent[1]!.body) as { readonly delegation: string };
    expect(await verified(delegation, key, 'sender-delegation+jwt')).toEqual(claims);
  });

  it('confirms nothing that the agent has not accepted', async () => {
    const { registrar, sent } = registrarOf(() => json({ id: '7', state: 'proposed' }));
    await expect(registrar.confirm('7', await newKey())).rejects.toThrow('the delegation is proposed');
    expect(sent).toHaveLength(1);
  });

  it('sends each move, and reads lists page by page', async () => {
    const key = await newKey();
    const { registrar, sent } = registrarOf(({ url }) => {
      if (!url.includes('certificates')) return json({ id: '7' });
      return url.includes('after=a')
        ? json({ certificates: [{ digest: 'b' }], next: null })
        : json({ certificates: [{ digest: 'a' }], next: 'a' });
    });
    const digests: string[] = [];
    for await (const { digest } of registrar.certificates()) digests.push(digest);
    expect(digests).toEqual(['a', 'b']);
    const delegation = {
      agent: 'relay',
      link: 'd',
      numbers: ['+8215881234'],
      scope: ['sms'],
      expires: '2027-01-31',
    };
    await registrar.propose(delegation);
    await registrar.accept('7', key);
    await registrar.move('7', 'revoke');
    expect(sent.slice(2).map(({ url, body }) => [url.slice(PATH.length), JSON.parse(body)])).toEqual([
      ['/delegations', { delegation }],
      ['/delegations/7/accept', { key: key.publicKey }],
      ['/delegations/7/revoke', {}],
    ]);
  });
});
