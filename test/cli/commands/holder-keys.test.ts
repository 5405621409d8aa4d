/** `numgate holder-keys`: the private key stays in its file, and a JWT library verifies its signatures. */
import '../support/workspace.ts';
import { createHash } from 'node:crypto';
import { chmodSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { calculateJwkThumbprint, importJWK, type JWK, jwtVerify } from 'jose';
import { describe, expect, it } from 'vitest';
import { certificateClaims, newSigner, sign } from '../../shared/support/credential-world.ts';
import { numgate } from '../support/command.ts';
import { FOLDER, write } from '../support/workspace.ts';

const fileOf = (name: string): string => join(FOLDER, name);
const privateIn = (path: string) => JSON.parse(readFileSync(path, 'utf8')) as JWK;

const issuer = newSigner();
const jktOf = (name: string): string => createHash('sha256').update(name).digest('base64url');
/** @param key a thumbprint, or a placeholder for one */
const claimsFor = async (key: string, some: object = {}) => ({
  ...certificateClaims(await issuer),
  ...{ cnf: { jkt: key.length === 43 ? key : jktOf(key) }, ...some },
});
const certificateFor = async (key: string, some: object = {}): Promise<string> =>
  sign(await issuer, 'sender-certificate+jwt', await claimsFor(key, some));
const delegationFor = async (key: string): Promise<string> => {
  const rest = { iss: 'acme', sub: 'relay', scope: ['sms'], prn: jktOf('certificate') };
  return sign(await issuer, 'sender-delegation+jwt', await claimsFor(key, rest));
};

describe('holder-keys', () => {
  it.each(['ES256', 'EdDSA'])('makes a key for %s, prints only its public part, and signs', async (alg) => {
    const path = fileOf(`${alg}.jwk`);
    const made = await numgate('holder-keys', 'new', path, '--alg', alg);
    const jwk = privateIn(path);
    const thumbprint = await calculateJwkThumbprint(jwk);
    expect(made).toEqual({ code: 0, out: `${thumbprint} (${alg}) in ${path}\n`, errors: '' });
    expect(statSync(path).mode & 0o777).toBe(0o600);

    const shown = await numgate('holder-keys', 'show', path, '--public');
    const publicKey = JSON.parse(shown.out) as JWK;
    expect(publicKey).not.toHaveProperty('d');
    expect(await calculateJwkThumbprint(publicKey)).toBe(thumbprint);
    for (const { out } of [made, shown]) expect(out).not.toContain(jwk.d);

    const [certificate, delegation] = [await certificateFor('another key'), await delegationFor(thumbprint)];
    const chain = [write('certificate.jwt', `${certificate}\n`), write('delegation.jwt', delegation)];
    const options = ['--audience', 'acme/main', '--from', '+8215881234', '--sender-code', '0123456789'];
    const args = ['sign-token', path, ...options, '--life', '60', '--chain', ...chain];
    const { out, errors } = await numgate('holder-keys', ...args);
    expect(errors).toBe('');
    const { payload, protectedHeader } = await jwtVerify(out.trim(), await importJWK(publicKey, alg), {
      ...{ algorithms: [alg], typ: 'sender-token+jwt', audience: 'acme/main' },
    });
    expect(protectedHeader).toEqual({ alg, typ: 'sender-token+jwt', kid: thumbprint });
    expect(payload).toMatchObject({ exp: payload.iat! + 60, orig: { tn: '8215881234' }, osc: '0123456789' });
    expect(payload.chain).toEqual(
      [certificate, delegation].map((jws) => createHash('sha256').update(jws).digest('base64url')),
    );
  });

  it('never replaces a key, and refuses one that others can read', async () => {
    const path = fileOf('kept.jwk');
    await numgate('holder-keys', 'new', path);
    const before = readFileSync(path, 'utf8');
    const again = await numgate('holder-keys', 'new', path);
    expect([again.code, again.errors]).toEqual([
      1,
      `error: ${path} already exists, and a key is never replaced: name another file\n`,
    ]);
    expect(readFileSync(path, 'utf8')).toBe(before);
    chmodSync(path, 0o640);
    const { code, errors } = await numgate('holder-keys', 'show', path);
    expect([code, errors]).toEqual([1, `error: ${path} must be readable by you alone: chmod 600 ${path}\n`]);
  });

  it.each([
    ['a key of another curve', { kty: 'EC', crv: 'P-384', x: 'AAAA', y: 'AAAA', d: 'c2VjcmV0' }],
    ['a damaged key', { kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA', d: 'c2VjcmV0' }],
    ['no object', null],
  ])('refuses %s without printing it', async (_what, jwk) => {
    const path = write('wrong.jwk', JSON.stringify(jwk));
    chmodSync(path, 0o600);
    const { code, out, errors } = await numgate('holder-keys', 'show', path);
    expect([code, out]).toEqual([1, '']);
    expect(errors).toBe(
      `error: ${path} has no private key for ES256 or EdDSA as JSON (JWK): make one with holder-keys new\n`,
    );
  });

  it('says what a file is that has no private key of one owner', async () => {
    const file = write('public.jwk', JSON.stringify({ kty: 'EC', crv: 'P-256', x: 'AAAA', y: 'AAAA' }));
    chmodSync(file, 0o644);
    for (const [args, message] of [
      [
        ['show', file],
        `${file} has only a public key; the private key is in the file that holder-keys new made`,
      ],
      [['show', FOLDER], `${FOLDER}: is a folder; a file is needed`],
      [['new', fileOf('missing/x.jwk')], `${fileOf('missing/x.jwk')}: the folder does not exist`],
    ] as const) {
      const { code, errors } = await numgate('holder-keys', ...args);
      expect([code, errors]).toEqual([1, `error: ${message}\n`]);
    }
  });

  it.each([
    [['--from', '1588-1234'], '--from must be a number in E.164, such as +8215881234'],
    [['--life', '0'], '--life must be from 1 to 900 seconds'],
    [['--life', '901'], '--life must be from 1 to 900 seconds'],
    [['--audience', 'Acme'], '--audience must be an organisation, or <organisation>/<client>'],
    [['--chain', ...Array(6).fill('x.jwt')], '--chain must have at most 5 links'],
  ])('refuses to sign with %j', async (options, message) => {
    const path = fileOf('ES256.jwk');
    const standard = ['--audience', 'acme', '--from', '+8215881234', '--chain', 'x.jwt', ...options];
    const { code, errors } = await numgate('holder-keys', 'sign-token', path, ...standard);
    expect([code, errors]).toEqual([2, `error: ${message}\n`]);
  });

  it('refuses a chain that is not of this key, this number, and this form', async () => {
    const path = fileOf('chain.jwk');
    const [, thumbprint] = /^(\S+)/.exec((await numgate('holder-keys', 'new', path)).out)!;
    const own = write('own.jwt', await certificateFor(thumbprint!));
    const other = write('other.jwt', await certificateFor('another key'));
    const delegation = write('delegation.jwt', await delegationFor('another key'));
    const refusal = async (from: string, ...chain: string[]): Promise<string> => {
      const args = ['--audience', 'acme', '--from', from, '--chain', ...chain];
      return (await numgate('holder-keys', 'sign-token', path, ...args)).errors;
    };
    expect(await refusal('+8215881234', own)).toBe('');
    expect(await refusal('+8215881234', other)).toContain(`${other} is for another key`);
    expect(await refusal('+8215881234', own, delegation)).toContain(`${delegation} is for another key`);
    expect(await refusal('+8215881235', own)).toContain(`--from is not among the numbers of ${own}`);
    expect(await refusal('+8215881234', delegation)).toContain(`${delegation} must be a certificate`);
    expect(await refusal('+8215881234', own, own)).toContain(`${own} must be a delegation`);
  });

  it('refuses a link of the chain that is no JWS', async () => {
    const chain = write('not.jwt', '{"certificate":1}');
    const args = ['--audience', 'acme', '--from', '+8215881234', '--chain', chain];
    const { code, errors } = await numgate('holder-keys', 'sign-token', fileOf('ES256.jwk'), ...args);
    expect([code, errors]).toEqual([1, expect.stringContaining(`${chain} must have one compact JWS`)]);
  });
});
