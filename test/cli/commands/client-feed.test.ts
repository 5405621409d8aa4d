/** `numgate clients` for consumers of the feed: encryption, keys, and what is refused before anything is sent. */
import '../support/workspace.ts';
import { exportJWK, generateKeyPair } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import type { Admin } from '../../../cli/admin.ts';
import type { Client } from '../../../shared/clients.ts';
import { type CommandResult, numgate } from '../support/command.ts';
import { startTestService } from '../support/service.ts';
import { write } from '../support/workspace.ts';

let admin: Admin;
let publicFile: string;
let privateFile: string;
beforeAll(async () => {
  ({ admin } = await startTestService());
  const pair = await generateKeyPair('ECDH-ES', { crv: 'X25519', extractable: true });
  publicFile = write('feed.pub.jwk', JSON.stringify(await exportJWK(pair.publicKey)));
  privateFile = write('feed.jwk', JSON.stringify(await exportJWK(pair.privateKey)));
});

const clients = (...args: string[]): Promise<CommandResult> => numgate('clients', ...args);
const feedOf = async (id: string) => (await admin.get<Client>(`clients/${id}`)).feed;

describe('clients with the right feed', () => {
  it('get a key of the service once, and another only if they ask to replace it', async () => {
    expect((await clients('add', 'reader', '--rights', 'feed', '--feed', 'dir')).code).toBe(0);
    expect(await feedOf('reader')).toEqual({ encryption: 'dir', keyId: null });
    expect((await clients('list')).out).toContain('feed without a key yet');
    const first = await clients('feed-key', 'reader');
    expect([first.code, first.errors]).toEqual([0, '']);
    const jwk = JSON.parse(first.out) as Record<string, string>;
    expect(jwk).toEqual({
      ...{ kty: 'oct', use: 'enc', k: expect.stringMatching(/^[\w-]{43}$/) },
      kid: expect.stringMatching(/^reader#[0-9a-f]{24}$/),
    });
    const again = await clients('feed-key', 'reader');
    expect([again.code, again.errors]).toEqual([4, expect.stringContaining('replace it with --rotate')]);
    const next = await clients('feed-key', 'reader', '--rotate', '--json');
    const { jwk: second } = JSON.parse(next.out) as { jwk: Record<string, string> };
    expect([next.code, second.k === jwk.k, second.kid === jwk.kid]).toEqual([0, false, false]);
    // Other settings leave the key as it is.
    expect((await clients('set', 'reader', '--quota-numbers', '10', '--feed', 'dir')).code).toBe(0);
    expect(await feedOf('reader')).toEqual({ encryption: 'dir', keyId: second.kid!.split('#')[1] });
    expect((await clients('list')).out).toContain('feed with a key of the service');
  });

  it('give their own public key, or read in clear, or stop reading', async () => {
    expect((await clients('add', 'curve', '--rights', 'feed', '--feed-key', publicFile)).code).toBe(0);
    expect(await feedOf('curve')).toMatchObject({ encryption: 'ECDH-ES', key: { crv: 'X25519' } });
    expect((await clients('list')).out).toContain('feed with its own key (X25519)');
    const none = await clients('feed-key', 'curve');
    expect([none.code, none.errors]).toEqual([1, expect.stringContaining('clients set --feed dir')]);
    expect((await clients('set', 'curve', '--feed', 'none')).code).toBe(0);
    expect(await feedOf('curve')).toEqual({ encryption: 'none' });
    const off = await clients('set', 'curve', '--feed', 'off');
    expect([off.code, off.errors]).toEqual([1, expect.stringContaining('"client.feed" is missing')]);
    expect((await clients('set', 'curve', '--feed', 'off', '--rights', 'check')).code).toBe(0);
    expect(await feedOf('curve')).toBeNull();
  });

  it('are not made without an encryption, or with a key that is none', async () => {
    const wrong = write('wrong.jwk', '{"kty":"OKP","crv":"Ed25519","x":"AAAA"}');
    for (const [args, code, message] of [
      [['--rights', 'feed'], 1, '"client.feed" is missing'],
      [['--feed', 'ecdh'], 2, '--feed ecdh needs --feed-key <file>'],
      [['--feed', 'dir', '--feed-key', publicFile], 2, '--feed-key is for --feed ecdh'],
      [['--feed', 'rsa'], 2, 'Allowed choices are dir, ecdh, none, off'],
      [['--feed-key', privateFile], 1, 'has a private key: keep it'],
      [['--feed-key', wrong], 1, 'crv must be one of X25519'],
      [['--feed-key', `${wrong}.none`], 1, 'does not exist'],
      [['--feed-key', write('text.jwk', 'text')], 1, 'is not JSON'],
    ] as const) {
      const result = await clients('add', 'never', ...args);
      expect([args, result.code, result.errors]).toEqual([args, code, expect.stringContaining(message)]);
    }
    expect((await clients('list')).out).not.toContain('never');
  });
});
